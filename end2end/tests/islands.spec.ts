// Each island, pressed: copy, read-out by pointer and keys, live figures, the dialog before what cannot be undone.
import { expect, test } from '../fixtures.ts';
import { createKey, customer } from '../people.ts';
import { type Page } from '@playwright/test';

test.skip(({ javaScriptEnabled }) => javaScriptEnabled === false);

test('the copy button copies the key and says so', async ({ page, context, mails }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await customer(page, mails);
  const key = await createKey(page, 'copied');
  await page.getByRole('button', { name: 'Copy the key' }).click();
  await expect(page.getByText('Copied the key.', { exact: true })).toBeAttached();
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

/**
 * What Chrome does when it translates a page: each text node goes into a <font> in a <font>, and the text in it is a new node.
 * It leaves alone what says `translate="no"`; this does not, because other translators do not either.
 */
async function translate(page: Page): Promise<void> {
  await page.evaluate(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts: Text[] = [];
    while (walker.nextNode()) texts.push(walker.currentNode as Text);
    for (const text of texts) {
      const parent = text.parentElement;
      if (!parent || !text.data.trim() || parent.closest('script, style, noscript, template, svg')) continue;
      const outer = document.createElement('font');
      const inner = outer.appendChild(document.createElement('font'));
      inner.textContent = text.data;
      text.replaceWith(outer);
    }
  });
}

/** A page that is translated once before its islands wake and once after. */
async function translated(page: Page, path: string): Promise<void> {
  let wake = (): void => {};
  const awake = new Promise<void>((resolve) => { wake = resolve; });
  await page.route(/\/pkg\/.*\.wasm$/, async (route) => {
    await awake;
    await route.continue();
  });
  await page.goto(path, { waitUntil: 'domcontentloaded' });
  await translate(page);
  wake();
  await expect(page.locator('html[data-awake]')).toBeAttached();
  await page.unroute(/\/pkg\/.*\.wasm$/);
  await translate(page);
}

test('translated pages live on: figures, read-out, dialog, copy button', async ({ page, context, mails, sdk }) => {
  test.slow();
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const { key } = await customer(page, mails);
  await page.waitForTimeout(1_000);
  await sdk(key, 'create');
  await page.waitForTimeout(3_000);

  await translated(page, '/overview');
  const balance = page.locator('[data-figure="balance"]');
  const [ticks, text] = [await balance.getAttribute('data-ticks'), await balance.innerText()];
  await expect(balance).not.toHaveAttribute('data-ticks', ticks ?? '', { timeout: 10_000 });
  await expect(balance).not.toHaveText(text);
  await translate(page);
  const then = await balance.innerText();
  await expect(balance).not.toHaveText(then);
  await sdk(key, 'destroy-all');
  await expect(page.locator('[data-figure="running"]')).toHaveText('no sandbox running');
  await expect(page.locator('[data-figure="runs-out"]')).toHaveText('never');

  await translated(page, '/usage?range=24h');
  const readout = page.locator('.chart__readout').first();
  const before = await readout.innerText();
  await page.locator('.chart svg').first().focus();
  await page.keyboard.press('End');
  await expect(readout).not.toHaveText(before);
  const last = await readout.innerText();
  await translate(page);
  await page.keyboard.press('ArrowLeft');
  await expect(readout).not.toHaveText(last);
  await page.keyboard.press('Escape');
  await expect(readout).toHaveText(before);

  await page.goto('/keys');
  const href = await page.locator('main table a[href^="/keys/"]').first().getAttribute('href');
  await translated(page, href ?? 'none');
  await page.getByRole('button', { name: 'Revoke key' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.getByRole('button', { name: 'Revoke key' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke key' }).click();
  await expect(page).toHaveURL(/\/keys$/);

  await createKey(page, 'translated');
  await translate(page);
  await page.getByRole('button', { name: 'Copy the key' }).click();
  const said = page.getByText('Copied the key.', { exact: true });
  await expect(said).toBeAttached();
  await translate(page);
  await expect(said, 'said for three seconds').toHaveCount(0, { timeout: 8_000 });
});

test('figures that hang say since when, and come back by themselves', async ({ page, mails, sdk }) => {
  const { key } = await customer(page, mails);
  await page.waitForTimeout(1_000);
  await sdk(key, 'create');
  await page.waitForTimeout(3_000);
  await page.goto('/overview');
  const status = page.locator('.live__status');
  await expect(status).toHaveText(/^As of .* UTC\.$/);
  let asked = 0;
  await page.route('**/live/overview', () => { asked += 1; });
  await expect(status, 'no answer is told in place').toHaveText(/^Not updated since \d\d:\d\d:\d\d UTC\./, { timeout: 12_000 });
  await expect(status).toHaveAttribute('data-stale', 'true');
  expect(asked, 'one question at a time').toBeLessThanOrEqual(3);
  await page.unroute('**/live/overview');
  await expect(status, 'it comes back by itself').toHaveText(/^As of /, { timeout: 12_000 });
  await expect(status).toHaveAttribute('data-stale', 'false');

  // Looked away, nothing is asked; looked at again, at once.
  let questions: number[] = [];
  await page.route('**/live/overview', async (route) => {
    questions.push(Date.now());
    await route.continue();
  });
  const look = (hidden: boolean) => page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
  await look(true);
  await page.waitForTimeout(1_000);
  questions = [];
  await page.waitForTimeout(5_000);
  expect(questions, 'asked while nobody looked').toEqual([]);
  const back = Date.now();
  await look(false);
  await expect.poll(() => questions.length).toBeGreaterThan(0);
  expect((questions[0] ?? 0) - back, 'asked at once').toBeLessThan(1_000);
  await sdk(key, 'destroy-all');
});
