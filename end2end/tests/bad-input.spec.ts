// What goes wrong is said beside the field, in words; what was typed stays; nothing is lost.
import { expect, test } from '../fixtures.ts';
import { createKey, customer, fillIn, follow, open, signIn, signUp, someone } from '../people.ts';

test('opening an account names every problem at once and keeps what was typed', async ({ page, mails, accessible }) => {
  const email = someone();
  await signUp(page, email);
  await follow(page, mails, email);
  await page.getByLabel('Password').fill('short');
  await page.locator('#terms').check();
  await page.getByRole('button', { name: 'Open account' }).click();
  await expect(page).toHaveURL(/\/open-account$/);
  await expect(page).toHaveTitle(/^Error: /);
  const summary = page.getByRole('alert');
  for (const words of ['too short', 'Choose your country', 'Acceptable Use', 'Data Processing', 'sanctions']) {
    await expect(summary).toContainText(words);
  }
  await expect(page.getByLabel('E-mail address')).toHaveValue(email);
  await expect(page.getByLabel('Password')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Password')).toHaveValue('');
  await expect(page.locator('#terms')).toBeChecked();
  expect(page.url()).not.toContain('__err');
  await accessible(page);
  await summary.getByRole('link', { name: /too short/ }).click();
  await expect(page.getByLabel('Password')).toBeFocused();
});

for (const [what, email, words] of [
  ['an over-long address', `a@${'b.'.repeat(300)}de`, 'too long'],
  ['what is no address', 'not an address', 'not an e-mail address'],
] as const) {
  test(`sign-up refuses ${what}`, async ({ page }) => {
    await page.goto('/sign-up');
    await page.getByLabel('E-mail address').fill(email);
    await page.getByRole('button', { name: 'Sign up' }).click();
    await expect(page.getByRole('alert')).toContainText(words);
    await expect(page.getByRole('alert').getByRole('listitem')).toHaveCount(1);
    await expect(page.getByLabel('E-mail address')).toHaveValue(email.slice(0, 512));
  });
}

for (const [what, password, country, words] of [
  ['a listed password', 'correct horse battery staple', 'NL', 'easy to guess'],
  ['a sanctioned country', 'three quiet rivers meet', 'IR', 'sanctions'],
] as const) {
  test(`opening an account refuses ${what}`, async ({ page, mails }) => {
    const email = someone();
    await signUp(page, email);
    await follow(page, mails, email);
    await fillIn(page, password, country);
    await expect(page.getByRole('alert')).toContainText(words);
    await expect(page.getByRole('alert').getByRole('listitem')).toHaveCount(1);
  });
}

test('a known address gets the same answer and another mail', async ({ page, mails }) => {
  const email = someone();
  await signUp(page, email);
  const first = await page.locator('main').innerText();
  await open(page, mails, email);
  await page.context().clearCookies();
  await signUp(page, email.toUpperCase());
  expect((await page.locator('main').innerText()).toLowerCase()).toBe(first.toLowerCase());
  await mails.arrival(email, /already have an Isorun account/);
});

test('a wrong pair is refused without saying which half', async ({ page }) => {
  const texts = [];
  for (const email of ['nobody@example.org', 'somebody@example.org']) {
    await signIn(page, email, 'three quiet rivers meet');
    await expect(page).toHaveURL(/\/sign-in$/);
    await expect(page.getByLabel('E-mail address')).toHaveValue(email);
    texts.push(await page.getByRole('alert').innerText());
  }
  expect(texts[0]).toBe(texts[1]);
});

test('a key needs a sound name', async ({ page, mails, accessible }) => {
  const email = someone();
  await signUp(page, email);
  await open(page, mails, email);
  for (const [name, words] of [['   ', 'Give the key a name'], ['x'.repeat(61), '60 characters at most']] as const) {
    await page.goto('/keys/new');
    await page.getByLabel('Name').fill(name);
    await page.getByRole('button', { name: 'Create' }).click();
    await expect(page.getByRole('alert')).toContainText(words);
  }
  await accessible(page);
  await createKey(page, 'x'.repeat(60));
});

test('a page that is not there says so with the request id', async ({ page, complaints, mails, accessible }) => {
  await customer(page, mails);
  complaints.expect(/^404 GET /);
  for (const path of ['/nowhere', '/keys/00000000-0000-7000-8000-000000000000', '/sandboxes/runnotmine']) {
    const answer = await page.goto(path);
    expect(answer?.status(), path).toBe(404);
    const id = answer?.headers()['x-request-id'] ?? 'none';
    await expect(page.locator('body')).toContainText(id);
    await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
    await accessible(page);
  }
});
