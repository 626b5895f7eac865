// Each island, pressed: copy, read-out by pointer and keys, live figures, the dialog before what cannot be undone.
import { expect, test } from '../fixtures.ts';
import { createKey, customer } from '../people.ts';

test.skip(({ javaScriptEnabled }) => javaScriptEnabled === false);

test('the copy button copies the key and says so', async ({ page, context, mails }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await customer(page, mails);
  const key = await createKey(page, 'copied');
  await page.getByRole('button', { name: 'Copy the key' }).click();
  await expect(page.getByText('Copied the key.')).toBeAttached();
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(key);
});

test('the chart reads out its bars to pointer and keys', async ({ page, mails, sdk }) => {
  const { key } = await customer(page, mails);
  await page.waitForTimeout(1_000);
  await sdk(key, 'create');
  await page.waitForTimeout(3_500);
  await page.goto('/usage?range=24h');
  const readout = page.locator('.chart__readout').first();
  const before = await readout.innerText();
  const drawing = page.locator('.chart svg').first();
  await expect(drawing).toHaveAttribute('tabindex', '0');
  await drawing.focus();
  await page.keyboard.press('End');
  await expect(readout).not.toHaveText(before);
  const last = await readout.innerText();
  await page.keyboard.press('ArrowLeft');
  await expect(readout).not.toHaveText(last);
  await page.keyboard.press('Escape');
  await expect(readout).toHaveText(before);
  await page.locator('.chart svg [data-index="23"]').first().hover({ force: true });
  await expect(readout).toHaveText(last);
  await sdk(key, 'destroy-all');
});

test('the live figures move while nobody touches the page', async ({ page, mails, sdk }) => {
  const { key } = await customer(page, mails);
  await page.goto('/overview');
  await page.waitForTimeout(1_000);
  await sdk(key, 'create');
  await expect(page.locator('[data-figure="running"]')).toHaveText(/1 sandbox running/);
  await expect(page.locator('[data-figure="rate"]')).toHaveText('$0.041');
  const balance = page.locator('[data-figure="balance"]');
  const before = BigInt((await balance.getAttribute('data-ticks')) ?? '0');
  await expect.poll(async () => BigInt((await balance.getAttribute('data-ticks')) ?? '0') < before, { timeout: 10_000 }).toBe(true);
  const after = BigInt((await balance.getAttribute('data-ticks')) ?? '0');
  expect((before - after) % (41_000n * 1_024n * 1_000n), 'by whole priced seconds').toBe(0n);
  await sdk(key, 'destroy-all');
  await expect(page.locator('[data-figure="running"]')).toHaveText(/no sandbox running/);
});

test('the dialog stands before a revocation and can be left', async ({ page, mails, sdk, complaints }) => {
  const { key } = await customer(page, mails);
  await page.waitForTimeout(1_000);
  await sdk(key, 'list');
  await page.goto('/keys');
  await page.locator('main table a[href^="/keys/"]').first().click();
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Revoke key' }).click();
  await expect(dialog).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await page.getByRole('button', { name: 'Revoke key' }).click();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole('button', { name: 'Revoke key' }).click();
  await dialog.getByRole('button', { name: 'Revoke key' }).click();
  await expect(page).toHaveURL(/\/keys$/);
  await expect(page.getByText(/revoked/i).first()).toBeVisible();
  await page.waitForTimeout(1_500);
  await expect(sdk(key, 'list'), 'the orchestrator refuses it').rejects.toThrow();
  complaints.allow(/^$/);
});
