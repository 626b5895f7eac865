// What the frame does: whose account it is, menus that close, a key that leads to the search, ids that are copied, a tab that comes
// back; and settings whose forms lead back to their own line.
import { type Page } from '@playwright/test';
import { expect, test } from '../fixtures.ts';
import { createKey, customer } from '../people.ts';

test('the account menu says who one is and holds the one way out', async ({ page, mails, accessible, javaScriptEnabled }) => {
  const { email } = await customer(page, mails);
  await page.goto('/overview');
  await expect(page.getByRole('main').getByRole('heading', { level: 1 })).toHaveText('Overview');
  const menu = page.locator('.menu');
  await expect(menu.getByText(email)).toBeHidden();
  await menu.locator('summary').click();
  await expect(menu.getByText(email)).toBeVisible();
  await expect(menu.getByRole('link', { name: 'Settings' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Sign out' })).toHaveCount(1);
  await accessible(page);
  if (javaScriptEnabled !== false) {
    await menu.getByRole('link', { name: 'Account' }).focus();
    await page.keyboard.press('Escape');
    await expect(menu.getByText(email)).toBeHidden();
    await expect(menu.locator('summary'), 'the focus is where it came from').toBeFocused();
    await menu.locator('summary').click();
    await page.getByRole('heading', { level: 1 }).click();
    await expect(menu.getByText(email), 'a press elsewhere').toBeHidden();
    await page.setViewportSize({ width: 320, height: 640 });
    const more = page.locator('.nav__more');
    await more.locator('summary').click();
    await expect(more.getByRole('link', { name: 'Alerts' })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(more.getByRole('link', { name: 'Alerts' })).toBeHidden();
  }
});

test('a list is searched, by the key / too', async ({ page, mails, accessible, javaScriptEnabled }) => {
  await customer(page, mails);
  await createKey(page, 'nightly 100%');
  await page.goto('/keys');
  const field = page.getByRole('searchbox');
  if (javaScriptEnabled === false) {
    await field.click();
  } else {
    await page.locator('html[data-awake]').waitFor();
    await page.keyboard.press('/');
  }
  await expect(field).toBeFocused();
  await page.keyboard.type('0%/');
  await expect(field, 'a key that is typed is a sign').toHaveValue('0%/');
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/keys\?q=0%25$/);
  await expect(page.locator('main tbody tr')).toHaveCount(1);
  await expect(page.getByRole('link', { name: 'nightly 100%' })).toBeVisible();
  await expect(field).toHaveValue('0%');
  await accessible(page);
});

test('ids are copied with one press, and without scripts no button pretends', async ({ page, context, mails, javaScriptEnabled }) => {
  await customer(page, mails);
  await page.goto('/settings');
  const button = page.getByRole('button', { name: 'Copy the account id' });
  if (javaScriptEnabled === false) {
    await expect(button).toBeHidden();
    return;
  }
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await button.click();
  await expect(page.getByText('Copied the account id.', { exact: true })).toBeAttached();
  const id = await page.evaluate('navigator.clipboard.readText()');
  await expect(page.locator('main').getByText(String(id), { exact: true })).toBeVisible();
});

test('a tab that comes back after a minute is loaded anew, unless something is typed', async ({ page, mails, javaScriptEnabled }) => {
  test.skip(javaScriptEnabled === false);
  await customer(page, mails);
  await page.clock.install();
  /** Leaves a mark that a reload takes away, comes back after so long, and says whether the mark is still there. */
  async function returns(ms: number): Promise<boolean> {
    await page.locator('html[data-awake]').waitFor();
    await page.evaluate('globalThis.mark = true');
    await page.clock.fastForward(ms);
    await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))');
    await page.waitForTimeout(500);
    await page.waitForLoadState();
    return page.evaluate('globalThis.mark === true');
  }
  await page.goto('/keys/new');
  expect(await returns(59_000), 'young').toBe(true);
  expect(await returns(2_000), 'old').toBe(false);
  await page.getByLabel('Name').fill('half a na');
  expect(await returns(120_000), 'typed').toBe(true);
  await page.getByLabel('Name').fill('a whole name');
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(page).toHaveURL(/\/keys\/created$/);
  expect(await returns(120_000), 'what is shown once').toBe(true);
  await expect(page.locator('#new-key')).toBeVisible();
});

/** Opens a line of a page of settings. */
async function open(page: Page, line: string): Promise<void> {
  await page.locator('.setting__line', { hasText: line }).click();
}

test('each form of the alerts page leads back to its own line', async ({ page, mails, accessible }) => {
  await customer(page, mails);
  await page.goto('/alerts');
  await expect(page.locator('.setting[open]')).toHaveCount(0);
  await expect(page.locator('.button--primary:visible')).toHaveCount(0);
  await open(page, 'Monthly limit');
  await page.getByLabel('Dollars a month').fill('ten');
  await page.getByRole('button', { name: 'Set the limit' }).click();
  await expect(page).toHaveURL(/\/alerts#limit$/);
  await expect(page.locator('#limit'), 'the answer is read').toBeFocused();
  await expect(page.locator('#limit')).toContainText('This is not an amount of dollars');
  await expect(page.locator('#limit')).toBeInViewport();
  await accessible(page);
  await open(page, 'Webhook');
  await expect(page.locator('.setting[open]'), 'one at a time').toHaveCount(1);
  await expect(page.locator('.button--primary:visible')).toHaveCount(1);
  await page.locator('#url').fill('https://example.org/hook');
  await page.getByRole('button', { name: 'Set the webhook' }).click();
  await expect(page.locator('#webhook')).toBeFocused();
  await expect(page.locator('#webhook')).toContainText('Webhook set');
  const remove = page.getByRole('button', { name: 'Remove the webhook', exact: true });
  await expect(remove, 'asked about first').toBeHidden();
  await page.locator('.ask__open', { hasText: 'Remove the webhook' }).click();
  await expect(remove).toBeVisible();
  await accessible(page);
  await remove.click();
  await expect(page.locator('#webhook')).toContainText('Webhook removed');
  await page.goto('/alerts#recipients');
  await expect(page.getByRole('button', { name: 'Add recipient' }), 'an address opens a line').toBeVisible();
});
