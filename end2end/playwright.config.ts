// How the browser tests run: Debian's Chromium, every journey with scripts and without. The servers are started
// by `stand e2e`, which says where they are; nothing here starts one.
import { defineConfig } from '@playwright/test';

const baseURL = process.env.DASHBOARD_URL;
if (!baseURL) throw new Error('DASHBOARD_URL is not set: run `make e2e`, which starts the servers first.');

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  // The journeys share one dashboard, one orchestrator and one mail catcher, as people do.
  workers: 1,
  fullyParallel: false,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  // The longest walks through every page of an account, with axe in two colour schemes: 50 s on a busy machine of 2 cores.
  timeout: 180_000,
  expect: { timeout: 10_000 },
  reporter: [['list']],
  use: {
    baseURL,
    locale: 'en-GB',
    timezoneId: 'UTC',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      // As root Chromium has no sandbox; and it is to talk to nobody but the dashboard.
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
      ],
    },
  },
  projects: [
    { name: 'javascript' },
    { name: 'no-javascript', use: { javaScriptEnabled: false } },
  ],
});
