// Every cent on the overview can be followed by links down to sandbox-seconds, and the sums agree to the tick at each level.
import { type Locator, type Page } from '@playwright/test';
import { expect, test } from '../fixtures.ts';
import { customer } from '../people.ts';

const FIFTY = 184_320_000_000_000_000n;
/** One second of 1 vCPU and 1 GiB. */
const SECOND = 41_000n * 1_024n * 1_000n;

async function ticks(of: Locator): Promise<bigint> {
  return BigInt((await of.getAttribute('data-ticks')) ?? 'none');
}

async function sum(all: Locator): Promise<bigint> {
  const found = await all.evaluateAll((list) => list.map((one) => one.getAttribute('data-ticks') ?? 'none'));
  return found.map(BigInt).reduce((a, b) => a + b, 0n);
}

/** Follows a link by what is on the page, as a person does; never by an address made up here. */
async function follow(page: Page, link: Locator): Promise<void> {
  const href = await link.getAttribute('href');
  await link.click();
  await expect(page).toHaveURL(new RegExp(`${href?.split('#')[0]?.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&') ?? 'none'}`));
}

test('from the balance down to the seconds, by links alone', async ({ page, mails, sdk, accessible }) => {
  test.slow();
  const { key } = await customer(page, mails);
  await page.waitForTimeout(1_500);
  await sdk(key, 'create');
  await sdk(key, 'lifecycle');
  await page.waitForTimeout(2_000);
  await sdk(key, 'destroy-all');
  // Booked: nothing runs any more, so what is spent stands still while it is followed.
  await page.waitForTimeout(3_000);

  await page.goto('/overview');
  const balance = await ticks(page.locator('[data-figure="balance"]'));
  expect(balance).toBeLessThan(FIFTY);
  await follow(page, page.getByRole('link', { name: 'Where it goes' }));
  expect(await ticks(page.locator('[data-figure="remaining"] [data-ticks]')), 'overview = credit').toBe(balance);

  // The newest balance is what is left, and all entries add up to it.
  const statement = page.locator('[data-table="statement"] tbody');
  expect(await ticks(statement.locator('tr:not(.table__group)').first().locator('td').last().locator('[data-ticks]')), 'credit = statement').toBe(balance);
  const amounts = statement.locator('tr td:nth-child(3) [data-ticks]');
  expect(await sum(amounts), 'entries add up').toBe(balance);
  const used = await sum(statement.locator('tr:not([data-entry="grant"]) td:nth-child(3) [data-ticks]'));
  expect(FIFTY + used).toBe(balance);

  // A day of several hours opens to them; each line of usage then leads to what ran in its hour.
  const day = statement.locator('a[href*="day="]').first();
  if ((await day.count()) > 0) await follow(page, day);
  const opened = page.url();
  const hours = await statement.locator('tr[data-entry]:not([data-entry="grant"]) a').evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? 'none'));
  expect(hours.length).toBeGreaterThan(0);
  const sandboxes = new Set<string>();
  for (const hour of new Set(hours)) {
    await page.goto(opened);
    await follow(page, page.locator(`[data-table="statement"] a[href="${hour}"]`).first());
    const links = page.locator('main table a[href^="/sandboxes/"]');
    await expect(links.first()).toBeVisible();
    for (const href of await links.evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? 'none'))) sandboxes.add(href.split(/[?#]/)[0] ?? href);
  }

  // Each sandbox writes its seconds out, and all of them together are what was spent.
  let spent = 0n;
  for (const href of sandboxes) {
    await page.goto(href);
    const cost = await ticks(page.locator('[data-figure="cost"] [data-ticks]'));
    const table = page.locator('[data-table="intervals"]');
    expect(await ticks(table.locator('[data-total="ticks"] [data-ticks]')), 'intervals add up').toBe(cost);
    const ms = await table.locator('[data-ms]').evaluateAll((parts) => parts.map((part) => Number(part.getAttribute('data-ms'))));
    const seconds = BigInt(ms.reduce((a, b) => a + b, 0)) / 1_000n;
    expect(seconds * SECOND, 'seconds times price').toBe(cost);
    await expect(table).toContainText('$0.026 × 1 vCPU + $0.015 × 1 GiB');
    spent += cost;
  }
  expect(FIFTY - spent, 'all sandboxes = the balance').toBe(balance);
  await accessible(page);
});

test('the burn-down, its table and its read-out say the same', async ({ page, mails, sdk, javaScriptEnabled }) => {
  const { key } = await customer(page, mails);
  await page.waitForTimeout(1_500);
  await sdk(key, 'create');
  await page.waitForTimeout(2_000);
  await sdk(key, 'destroy-all');
  await page.waitForTimeout(3_000);
  await page.goto('/credit');
  const chart = page.locator('.burn-down');
  await chart.getByText('Same as a table').click();
  const rows = chart.locator('[data-table="burn-down"] tbody tr');
  const drawn = await chart.locator('[data-left]').evaluateAll((all) => all.map((one) => one.getAttribute('data-left')));
  const left = await rows.locator('td:last-child [data-ticks]').evaluateAll((all) => all.map((one) => one.getAttribute('data-ticks')));
  expect(left.toReversed()).toEqual(drawn);
  expect(left[0]).toBe((await ticks(page.locator('[data-figure="remaining"] [data-ticks]'))).toString());
  if (javaScriptEnabled !== false) {
    await chart.locator('svg').focus();
    await page.keyboard.press('End');
    await expect(chart.getByRole('status')).toContainText(/left; used .* key /);
  }
});

test('what if is answered in words and can be linked to', async ({ page, mails, sdk, accessible }) => {
  const { key } = await customer(page, mails);
  await page.waitForTimeout(1_500);
  await sdk(key, 'create');
  await page.waitForTimeout(3_000);
  await page.goto('/credit');
  await page.getByRole('checkbox').first().check();
  await page.getByLabel('Sandboxes', { exact: true }).fill('3');
  await page.getByLabel('vCPU each').fill('2');
  await page.getByLabel('GiB each').fill('4');
  await page.getByRole('button', { name: 'Work it out' }).click();
  await expect(page.locator('[data-figure="what-if"]')).toContainText('$0.336 /h with 3 sandboxes instead of $0.041 /h with 1 sandbox');
  await expect(page.getByText(/That is \d+ days sooner\./)).toBeVisible();
  await accessible(page);
  await page.getByLabel('GiB each').fill('many');
  await page.getByRole('button', { name: 'Work it out' }).click();
  await expect(page.getByText('Enter whole numbers')).toBeVisible();
  await sdk(key, 'destroy-all');
});
