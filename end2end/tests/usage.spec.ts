// From a sum on the usage page down to the sandbox-seconds behind it, by links alone; the form, the files, the reasons.
import { expect, test } from '../fixtures.ts';
import { customer } from '../people.ts';

test('every cent leads to its seconds', async ({ page, mails, sdk, accessible }) => {
  test.slow();
  const { key } = await customer(page, mails);
  await page.waitForTimeout(1_000);
  await sdk(key, 'create');
  await sdk(key, 'lifecycle');
  await page.waitForTimeout(3_000);
  await sdk(key, 'destroy-all');
  await page.waitForTimeout(3_000);

  await page.goto('/usage');
  await page.getByLabel('Range').selectOption('7d');
  await page.getByLabel('Group by').selectOption('key');
  await page.getByRole('button', { name: 'Show' }).click();
  await expect(page).toHaveURL(/range=7d.*group=key/);
  const ticks = async (selector: string) => BigInt((await page.locator(`${selector} [data-ticks]`).first().getAttribute('data-ticks')) ?? '-1');
  const sum = await ticks('[data-figure="cost"]');
  expect(sum > 0n, 'something was spent').toBe(true);
  await accessible(page);

  // The newest day, then its hours: each page's sum is the figure that led to it.
  const day = await ticks('tr[data-bucket] [data-cell="sum"]');
  await page.locator('tr[data-bucket] th a').first().click();
  await expect(page).toHaveURL(/range=own/);
  expect(await ticks('[data-figure="cost"]')).toBe(day);
  const rows = page.locator('tr[data-bucket]');
  let found = 0n;
  for (let index = 0; index < (await rows.count()); index += 1) {
    const row = rows.nth(index);
    const hour = BigInt((await row.locator('[data-cell="sum"] [data-ticks]').getAttribute('data-ticks')) ?? '0');
    if (hour === 0n) continue;
    await row.locator('th a').click();
    await expect(page).toHaveURL(/\/usage\/intervals\?from=/);
    let lines = 0n;
    for (const cost of await page.locator('[data-cell="cost"] [data-ticks]').all()) lines += BigInt((await cost.getAttribute('data-ticks')) ?? '0');
    expect(lines, 'the intervals of the hour').toBe(hour);
    found += lines;
    await expect(page.getByText(/ s × \(\d+ vCPU × \$0\.026/).first()).toBeAttached();
    await accessible(page);
    await page.goBack();
  }
  expect(found).toBe(day);
  await page.locator('tr[data-bucket] a', { hasText: 'Why' }).first().click();
  await expect(page.getByRole('heading', { name: /^Why .* is like this$/ })).toBeVisible();
  await accessible(page);
});

test('bad words are kept and said beside their control', async ({ page, mails, accessible }) => {
  await customer(page, mails);
  await page.goto('/usage?zone=Mars/Base&range=own&from=2026-02-30&to=2026-03-01');
  await expect(page.getByLabel('Time zone')).toHaveValue('Mars/Base');
  await expect(page.getByText('There is no such time zone')).toBeVisible();
  await expect(page.getByText('Enter the first day as a date')).toBeVisible();
  await expect(page).toHaveTitle(/^Error: Usage/);
  await accessible(page);
  for (const path of ['/usage?range=30d&metric=concurrency&group=image', '/usage?range=last-month&zone=Asia/Kolkata', '/usage/intervals']) {
    await page.goto(path);
    await page.setViewportSize({ width: 320, height: 640 });
    const wide = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect(wide, `${path} scrolls sideways at 320 px`).toBe(0);
    await page.setViewportSize({ width: 1280, height: 800 });
    await accessible(page);
  }
});
