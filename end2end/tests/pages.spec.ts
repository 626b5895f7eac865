// Every page: title, one heading, landmarks, no sideways scrolling at 320 px, accessible; empty and in use.
import { type Page } from '@playwright/test';
import { expect, test } from '../fixtures.ts';
import { customer } from '../people.ts';

const OUTSIDE = ['/', '/?sandboxes=many&vcpus=2&unit=hours', '/sign-up', '/sign-in', '/check-mail', '/open-account', '/alert-recipient', '/no-more-mail'];
const INSIDE = ['/overview', '/sandboxes', '/sandboxes?state=running&q=node', '/usage', '/usage?range=7d', '/usage?range=30d', '/usage?range=30d&group=key', '/usage?range=7d&group=image&metric=concurrency', '/usage/intervals', '/keys', '/keys?q=ci', '/keys/new', '/keys/created', '/credit', '/credit?reach=30d&count=3&vcpus=2&gib=4', '/credit?kind=usage', '/waste', '/alerts', '/settings'];

async function sound(page: Page, path: string): Promise<void> {
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(path);
  await expect(page, path).toHaveTitle(/ · Isorun$|^Isorun: /);
  await expect(page.getByRole('heading', { level: 1 }), path).toHaveCount(1);
  await expect(page.getByRole('main'), path).toHaveCount(1);
  await page.setViewportSize({ width: 320, height: 640 });
  const wide = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  expect(wide, `${path} scrolls sideways at 320 px`).toBe(0);
  await page.setViewportSize({ width: 1280, height: 800 });
}

/** Keeps a picture to look at; only when a folder is named. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.PICTURES;
  if (!folder) return;
  for (const [width, colorScheme] of [[1280, 'light'], [1280, 'dark'], [768, 'light'], [320, 'light'], [320, 'dark']] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true });
  }
  await page.emulateMedia({ colorScheme: null });
}

test('pages for strangers', async ({ page, accessible }) => {
  for (const path of OUTSIDE) {
    await sound(page, path);
    await accessible(page);
    await picture(page, `out${path.replaceAll(/[/?=&]/g, '-').slice(0, 24)}`);
  }
});

test('pages of an account, empty and in use', async ({ page, mails, sdk, accessible }) => {
  test.slow();
  const { key } = await customer(page, mails);
  for (const path of INSIDE) {
    await sound(page, path);
    await accessible(page);
    await picture(page, `empty${path.replaceAll(/[/?=]/g, '-')}`);
  }
  await page.waitForTimeout(1_000);
  await sdk(key, 'create');
  await sdk(key, 'create');
  await sdk(key, 'lifecycle');
  await page.waitForTimeout(3_000);
  await page.goto('/sandboxes');
  const sandbox = await page.locator('main table a[href^="/sandboxes/"]').first().getAttribute('href');
  await page.goto('/keys');
  const keyPage = await page.locator('main table a[href^="/keys/"]').first().getAttribute('href');
  for (const path of [...INSIDE, sandbox ?? 'none', keyPage ?? 'none']) {
    await sound(page, path);
    await accessible(page);
    await picture(page, `used${path.replaceAll(/[/?=]/g, '-').slice(0, 24)}`);
  }
  await sdk(key, 'destroy-all');
});

test('strangers are led to the sign-in form', async ({ page }) => {
  for (const path of INSIDE) {
    await page.goto(path);
    await expect(page, path).toHaveURL(/\/sign-in$/);
  }
});
