// What people do again and again: sign up, open the account, make a key. What a test is about stays in the test.
import { randomUUID } from 'node:crypto';
import { expect, type Mails } from './fixtures.ts';
import { type Page } from '@playwright/test';

/** A password that the rules accept. */
export const PASSWORD = 'three quiet rivers meet';

/** An address nobody used before. */
export function someone(): string {
  return `ada.${randomUUID().slice(0, 8)}@example.org`;
}

/** Asks for an account. */
export async function signUp(page: Page, email: string): Promise<void> {
  await page.goto('/sign-up');
  await page.getByLabel('E-mail address').fill(email);
  await page.getByRole('button', { name: 'Sign up' }).click();
  await expect(page).toHaveURL(/\/check-mail$/);
}

/** Follows the link of the mail, up to the form that opens the account. */
export async function follow(page: Page, mails: Mails, email: string): Promise<void> {
  const mail = await mails.arrival(email, /Open your Isorun account/);
  await page.goto(mails.link(mail));
  await expect(page, 'the token does not stay in the address').toHaveURL(/\/open-account$/);
  await expect(page.getByLabel('E-mail address')).toHaveValue(email);
}

/** Fills the form that opens the account and sends it. */
export async function fillIn(page: Page, password = PASSWORD, country = 'NL'): Promise<void> {
  await page.getByLabel('Password').fill(password);
  await page.getByLabel('Country', { exact: true }).selectOption(country);
  for (const consent of ['terms', 'aup', 'dpa', 'export_statement']) await page.locator(`#${consent}`).check();
  await page.getByRole('button', { name: /open account/i }).click();
}

/** Opens the account by the link of the mail; ends on the overview, signed in. */
export async function open(page: Page, mails: Mails, email: string): Promise<void> {
  await follow(page, mails, email);
  await fillIn(page);
  await expect(page).toHaveURL(/\/overview$/);
}

export async function signIn(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.goto('/sign-in');
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Makes a key and hands back its text, which this page shows once. */
export async function createKey(page: Page, name: string): Promise<string> {
  await page.goto('/keys/new');
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(page).toHaveURL(/\/keys\/created$/);
  return (await page.locator('#new-key').innerText()).trim();
}

/** Opens an account and makes a key. */
export async function customer(page: Page, mails: Mails): Promise<{ email: string; key: string }> {
  const email = someone();
  await signUp(page, email);
  await open(page, mails, email);
  return { email, key: await createKey(page, 'ci') };
}
