// Lighthouse over every page, as a part of `make soak`: minutes long, and a page of an account needs one that has lived. Apart from
// the tests, because it moves the orchestrator's clock by a month, and a clock does not go back.
import config from './playwright.config.ts';

export default { ...config, testDir: 'lighthouse', timeout: 3_000_000, projects: [{ name: 'lighthouse' }] };
