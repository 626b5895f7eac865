// From sign-up to the first metered cent, as one person does it, with scripts and without.
import { expect, test } from '../fixtures.ts';
import { createKey, fillIn, follow, open, PASSWORD, signIn, signUp, someone } from '../people.ts';

/** $50 in ticks. */
const FIFTY = 184_320_000_000_000_000n;
/** One second of 1 vCPU and 1 GiB. */
const SECOND = 41_000n * 1_024n * 1_000n;

test('from sign-up to the first metered cent', async ({ page, mails, sdk, accessible }) => {
  const email = someone();
  await page.goto('/');
  await accessible(page);
  await signUp(page, email);
  await accessible(page);
  await follow(page, mails, email);
  await accessible(page);
  await fillIn(page);
  await expect(page).toHaveURL(/\/overview$/);

  const balance = page.locator('[data-figure="balance"]');
  await expect(balance).toHaveText(/^\$50\.00/);
  await expect(balance).toHaveAttribute('data-ticks', FIFTY.toString());
  await expect(page.getByRole('heading', { name: 'Your first sandbox' })).toBeVisible();
  await expect(page.locator('pre').first()).toContainText(process.env.SANDBOX_API_URL ?? 'unset');
  await accessible(page);

  const key = await createKey(page, 'laptop');
  expect(key).toMatch(/^sk_live_us_[0-9A-Za-z]{12}_[0-9A-Za-z]{36}$/);
  await page.reload();
  await expect(page.getByText('The key was shown and is gone from here')).toBeVisible();
  expect(await page.content()).not.toContain(key);

  await page.goto('/overview');
  await expect(page.getByText('Waiting for your first sandbox')).toBeVisible();
  // The key reaches the orchestrator by a job: under a second, but not at once.
  await page.waitForTimeout(1_500);
  const { created } = JSON.parse(await sdk(key, 'create')) as { created: string };
  // Nobody touches the page: it turns by itself, with scripts and without.
  await expect(page.getByText(`${created.slice(0, 7)}… started`)).toBeVisible({ timeout: 6_000 });

  await page.goto('/sandboxes');
  const row = page.getByRole('row').filter({ hasText: created.slice(0, 7) });
  await expect(row).toContainText(/running/i);
  await expect(row).toContainText('1 vCPU');
  await expect(row).toContainText('laptop');
  await accessible(page);

  await page.waitForTimeout(2_000);
  await sdk(key, 'destroy-all');
  await page.waitForTimeout(3_000);
  const ms = await billedMs(page);
  expect(ms).toBeGreaterThanOrEqual(2_000n);
  expect(ms % 1_000n, 'whole seconds').toBe(0n);
  await page.goto('/overview');
  await expect(balance).toHaveAttribute('data-ticks', (FIFTY - (ms / 1_000n) * SECOND).toString());

  await page.goto('/usage?range=24h');
  const drawn = await page.locator('main [data-ms]').evaluateAll((all) => all.map((one) => one.getAttribute('data-ms')));
  expect(drawn, 'the usage page draws its seconds').toContain(ms.toString());

  await page.locator('.menu__open').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.goto('/overview');
  await expect(page, 'signed out').toHaveURL(/\/sign-in$/);
  await signIn(page, email, PASSWORD);
  await expect(page).toHaveURL(/\/overview$/);

  async function billedMs(on: typeof page): Promise<bigint> {
    await on.goto(`/sandboxes/${created}`);
    await expect(on.locator('main')).toContainText(/destroyed/i);
    return BigInt((await on.locator('main [data-ms]').first().getAttribute('data-ms')) ?? '0');
  }
});

test('everything the real SDK does is metered to the tick', async ({ page, mails, sdk }) => {
  const email = someone();
  await signUp(page, email);
  await open(page, mails, email);
  const key = await createKey(page, 'sdk');
  await page.waitForTimeout(1_500);
  const done = JSON.parse(await sdk(key, 'lifecycle')) as { created: string; forks: string[]; restored: string; statuses: string[] };
  expect(done.statuses).toEqual(['hibernated', 'running', 'destroyed']);
  await page.waitForTimeout(3_000);
  let spent = 0n;
  for (const id of [done.created, ...done.forks, done.restored]) {
    await page.goto(`/sandboxes/${id}`);
    await expect(page.locator('main')).toContainText(/destroyed/i);
    spent += (BigInt((await page.locator('main [data-ms]').first().getAttribute('data-ms')) ?? '0') / 1_000n) * SECOND;
  }
  await page.goto('/overview');
  await expect(page.locator('[data-figure="balance"]')).toHaveAttribute('data-ticks', (FIFTY - spent).toString());
});
