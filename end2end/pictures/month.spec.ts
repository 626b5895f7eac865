// The pages of a small team before and after a month, photographed.
import { type Page } from '@playwright/test';
import { expect, test } from '../fixtures.ts';
import { month, query } from '../month.ts';
import { createKey, customer } from '../people.ts';

async function photograph(page: Page, path: string, name: string): Promise<void> {
  await page.setViewportSize({ width: 1_280, height: 900 });
  await page.goto(path);
  await take(page, name);
}

async function take(page: Page, name: string): Promise<void> {
  const folder = process.env.PICTURES;
  await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
  if (!folder) return;
  for (const [width, colorScheme] of [[1_280, 'light'], [1_280, 'dark'], [320, 'light']] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `../${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true });
  }
  await page.emulateMedia({ colorScheme: null });
}

test('a month of a small team', async ({ page, mails }) => {
  const { key: ci } = await customer(page, mails);
  const nightly = await createKey(page, 'nightly');
  await page.waitForTimeout(1_500);
  for (const [path, name] of [['/usage', 'usage-empty'], ['/credit', 'credit-empty'], ['/overview', 'overview-empty']] as const) {
    await photograph(page, path, name);
  }
  await month(page, ci, nightly);
  await page.goto('/usage?range=30d');
  const sums = await page.locator('main tfoot [data-ticks]').evaluateAll((all) => all.map((one) => one.getAttribute('data-ticks')));
  expect(BigInt(sums.at(-1) ?? '0')).toBeGreaterThan(0n);
  await page.goto('/usage?range=24h');
  const hour = await page.locator('main a[href^="/usage/intervals?"]').last().getAttribute('href');
  for (const [path, name] of [
    ['/overview', 'overview'],
    ['/usage?range=30d&group=image', 'usage'],
    ['/usage?range=7d&group=key&metric=concurrency', 'usage-concurrency'],
    ['/usage?range=24h&zone=Europe%2FAmsterdam', 'usage-zone'],
    [hour ?? '', 'intervals'],
    ['/usage/intervals', 'intervals-nowhere'],
    ['/credit', 'credit'],
    ['/alerts', 'alerts'],
    ['/waste', 'waste'],
  ] as const) {
    await photograph(page, path, name);
  }
  await page.setViewportSize({ width: 1_280, height: 900 });
  await page.goto('/alerts');
  await page.getByText('Monthly limit').click();
  await page.getByLabel('Dollars a month').fill('ten');
  await page.getByRole('button', { name: 'Set the limit' }).click();
  await expect(page.getByText('This is not an amount of dollars').first()).toBeVisible();
  await take(page, 'alerts-refused');
  for (const [path, name] of [['/overview', 'overview-large-text'], ['/usage?range=7d', 'usage-large-text']] as const) {
    await page.goto(path);
    await page.evaluate(() => { document.documentElement.style.fontSize = '200%'; });
    await take(page, name);
  }
  query("UPDATE memberships SET role = 'viewer'");
  await photograph(page, '/alerts', 'alerts-viewer');
});
