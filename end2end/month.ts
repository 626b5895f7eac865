// A month of a small team, lived in a minute: real sandboxes at the orchestrator, whose clock is moved hour by hour. What pages
// then show is metered, booked and forecast like everything else. What is looked at afterwards is each caller's.
import { execFileSync } from 'node:child_process';
import { type Page } from '@playwright/test';

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

/** One row of the database of this run, for what no page does yet. */
export function query(sql: string): string[] {
  const args = ['--no-psqlrc', '-qtAX', '-d', process.env.DATABASE_URL ?? '', '-c', sql];
  return execFileSync('psql', args, { encoding: 'utf8', timeout: 10_000 }).trim().split('|');
}

/** Twenty-seven days with two keys, then two sandboxes that run on; one of them was out of reach for twenty minutes. */
export async function month(page: Page, ci: string, nightly: string): Promise<void> {
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
}
