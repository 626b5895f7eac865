// The pictures in docs/pictures: `ARGS="--config pictures.config.ts" PICTURES=docs/pictures make e2e`. Apart from the tests,
// because it moves the orchestrator's clock by a month, and a clock does not go back.
import config from './playwright.config.ts';

export default { ...config, testDir: 'pictures', timeout: 600_000, projects: [{ name: 'pictures' }] };
