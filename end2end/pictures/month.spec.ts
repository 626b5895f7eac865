// A month of a small team, lived in a minute: real sandboxes at the orchestrator, whose clock is moved hour by hour. What the
// pages then show is metered, booked and forecast like everything else; here it is photographed.
import { execFileSync } from 'node:child_process';
import { type Page } from '@playwright/test';
import { expect, test } from '../fixtures.ts';
import { createKey, customer } from '../people.ts';

const orchestrator = process.env.SANDBOX_API_URL ?? '';

async function ask(path: string, body: object, key?: string): Promise<Record<string, string>> {
  const answer = await fetch(`${orchestrator}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}) },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, string>;
}

async function start(key: string, image: string, vcpus: number, gib: number, hours: number): Promise<void> {
  await ask('/v1/runs', { image, vcpus, mem_mib: gib * 1_024, timeout: hours * 3_600 }, key);
}

function query(sql: string): string[] {
  const args = ['--no-psqlrc', '-qtAX', '-d', process.env.DATABASE_URL ?? '', '-c', sql];
  return execFileSync('psql', args, { encoding: 'utf8', timeout: 10_000 }).trim().split('|');
}

async function photograph(page: Page, path: string, name: string): Promise<void> {
  await page.setViewportSize({ width: 1_280, height: 900 });
  await page.goto(path);
  await take(page, name);
}

async function take(page: Page, name: string): Promise<void> {
  const folder = process.env.PICTURES;
  await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
  if (!folder) return;
  for (const [width, colorScheme] of [[1_280, 'light'], [1_280, 'dark'], [320, 'light']] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `../${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true });
  }
  await page.emulateMedia({ colorScheme: null });
}

test('a month of a small team', async ({ page, mails }) => {
  const { key: ci } = await customer(page, mails);
  const nightly = await createKey(page, 'nightly');
  await page.waitForTimeout(1_500);
  for (const [path, name] of [['/usage', 'usage-empty'], ['/credit', 'credit-empty'], ['/overview', 'overview-empty']] as const) {
    await photograph(page, path, name);
  }
  for (let day = 0; day < 27; day += 1) {
    await start(nightly, 'python:3.12-slim', 2, 4, 2 + (day % 3));
    if (day % 7 < 5) {
      for (let one = 0; one < 1 + (day % 4); one += 1) await start(ci, 'node:22-slim', 1, 1, 5);
    }
    if (day % 5 === 2) await start(ci, 'idle-builder:2', 2, 4, 4);
    if (day === 16 || day === 23) await start(ci, 'rust:1.95', 8, 16, 9);
    await ask('/peer/clock', { advance_ms: 86_400_000 });
    await page.waitForTimeout(1_200);
  }
  await start(ci, 'node:22-slim', 1, 1, 6);
  await start(nightly, 'python:3.12-slim', 2, 4, 3);
  await page.waitForTimeout(1_500);
  // The orchestrator loses one of the two for twenty minutes.
  const [account, sandbox_id] = query("SELECT account_id, sandbox_id FROM sandboxes WHERE state = 'running' LIMIT 1");
  await ask('/peer/feed/append', { events: [{ account, sandbox_id, kind: 'unreachable' }] });
  await ask('/peer/clock', { advance_ms: 1_200_000 });
  await ask('/peer/feed/append', { events: [{ account, sandbox_id, kind: 'reachable' }] });
  await ask('/peer/clock', { advance_ms: 6_200_000 });
  await page.waitForTimeout(4_000);
  await page.goto('/usage?range=30d');
  const sums = await page.locator('main tfoot [data-ticks]').evaluateAll((all) => all.map((one) => one.getAttribute('data-ticks')));
  expect(BigInt(sums.at(-1) ?? '0')).toBeGreaterThan(0n);
  await page.goto('/usage?range=24h');
  const hour = await page.locator('main a[href^="/usage/intervals?"]').last().getAttribute('href');
  for (const [path, name] of [
    ['/overview', 'overview'],
    ['/usage?range=30d&group=image', 'usage'],
    ['/usage?range=7d&group=key&metric=concurrency', 'usage-concurrency'],
    ['/usage?range=24h&zone=Europe%2FAmsterdam', 'usage-zone'],
    [hour ?? '', 'intervals'],
    ['/usage/intervals', 'intervals-nowhere'],
    ['/credit', 'credit'],
    ['/alerts', 'alerts'],
    ['/waste', 'waste'],
  ] as const) {
    await photograph(page, path, name);
  }
  await page.setViewportSize({ width: 1_280, height: 900 });
  await page.goto('/alerts');
  await page.getByLabel('Dollars a month').fill('ten');
  await page.getByRole('button', { name: 'Set the limit' }).click();
  await expect(page.getByText('This is not an amount of dollars').first()).toBeVisible();
  await take(page, 'alerts-refused');
  for (const [path, name] of [['/overview', 'overview-large-text'], ['/usage?range=7d', 'usage-large-text']] as const) {
    await page.goto(path);
    await page.evaluate(() => { document.documentElement.style.fontSize = '200%'; });
    await take(page, name);
  }
  query("UPDATE memberships SET role = 'viewer'");
  await photograph(page, '/alerts', 'alerts-viewer');
});
