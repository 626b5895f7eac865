// A form that is pressed twice is done once, and the page that follows says what was done; where one wanted to go and what was
// typed survive a sign-in; a browser without cookies is told.
import { expect, test } from '../fixtures.ts';
import { PASSWORD, customer, follow, open, signUp, someone } from '../people.ts';

test('double clicks open one account and make one key', async ({ page, mails }) => {
  const email = someone();
  await signUp(page, email);
  await follow(page, mails, email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByLabel('Country', { exact: true }).selectOption('NL');
  for (const consent of ['terms', 'aup', 'dpa', 'export_statement']) await page.locator(`#${consent}`).check();
  await page.getByRole('button', { name: /open account/i }).dblclick();
  await expect(page).toHaveURL(/\/overview$/);
  await expect(page.getByText('Your account is open')).toBeVisible();

  await page.goto('/keys/new');
  await page.getByLabel('Name').fill('ci');
  await page.getByRole('button', { name: 'Create' }).dblclick();
  await expect(page).toHaveURL(/\/keys\/created$/);
  await expect(page.locator('#new-key')).toContainText('sk_live_');

  await page.goto('/keys/new');
  await page.getByLabel('Name').fill('laptop');
  await page.getByLabel('Name').focus();
  await Promise.all([page.keyboard.press('Enter'), page.keyboard.press('Enter')]);
  await expect(page).toHaveURL(/\/keys\/created$/);
  await expect(page.locator('#new-key')).toContainText('sk_live_');

  await page.goto('/keys');
  await expect(page.locator('tbody tr')).toHaveCount(2);
});

test('what was typed comes back after a session has ended', async ({ page, mails, context }) => {
  const { email } = await customer(page, mails);
  await page.goto('/alerts');
  await page.locator('.setting__line', { hasText: 'Monthly limit' }).click();
  await page.getByLabel('Dollars a month').fill('77.25');
  await context.clearCookies({ name: 'sid' });
  await page.getByRole('button', { name: 'Set the limit' }).click();
  await expect(page).toHaveURL(/\/sign-in$/);
  await expect(page.getByText('Your session has ended')).toBeVisible();
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(/\/alerts$/);
  await expect(page.getByLabel('Dollars a month'), 'its line is open').toBeVisible();
  await expect(page.getByLabel('Dollars a month')).toHaveValue('77.25');
});

test('a browser without cookies is told', async ({ page, context, complaints, accessible }) => {
  complaints.expect(/^400 POST /);
  await page.goto('/sign-in');
  await context.clearCookies();
  await page.getByLabel('E-mail address').fill(someone());
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('refuses our cookie');
  await accessible(page);
});

test('the link of an alert mail leads through the sign-in', async ({ page, mails, context }) => {
  const email = someone();
  await signUp(page, email);
  await open(page, mails, email);
  await context.clearCookies();
  await page.goto('/alerts?after=x');
  await expect(page).toHaveURL(/\/sign-in$/);
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(/\/alerts\?after=x$/);
});
