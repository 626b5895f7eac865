// A past for an account: events that no sandbox made, appended to the orchestrator's feed as late news. What is metered
// from them is real: they go through the feed, the fold and the ledger like every other event.
import { type Page } from '@playwright/test';

const HOUR = 3_600_000;

/** A life in the feed; times are hours before now. */
export interface Life {
  sandbox: string;
  from: number;
  until?: number;
  image?: string;
  vcpus?: number;
  memMib?: number;
  cpuMs?: number;
  /** Hours before now between which the orchestrator had lost it. */
  lost?: [number, number];
}

/** The id of the account, as the settings page shows it. */
export async function accountId(page: Page): Promise<string> {
  await page.goto('/settings');
  const text = await page.locator('main code').first().innerText();
  return text.trim();
}

/** The id of the first key in the list. */
export async function keyId(page: Page): Promise<string> {
  await page.goto('/keys');
  const href = await page.locator('main table a[href^="/keys/"]').first().getAttribute('href');
  return (href ?? '').replace('/keys/', '');
}

/** Appends these lives in the order in which they happened, and waits until they are settled. */
export async function live(account: string, key: string, lives: Life[]): Promise<void> {
  const now = Date.now();
  const events = lives.flatMap((life) => {
    const one = (kind: string, hoursAgo: number, more: object = {}) => ({
      at: now - hoursAgo * HOUR,
      event: {
        account,
        key_id: key,
        sandbox_id: life.sandbox,
        kind,
        occurred_at: new Date(now - hoursAgo * HOUR).toISOString(),
        image: life.image ?? 'python:3.12-slim',
        vcpus: life.vcpus ?? 1,
        mem_mib: life.memMib ?? 1_024,
        ...more,
      },
    });
    const lost = life.lost ? [one('unreachable', life.lost[0]), one('reachable', life.lost[1])] : [];
    const ended = life.until === undefined ? [] : [one('destroyed', life.until, { cpu_ms: life.cpuMs ?? null })];
    return [one('created', life.from), ...lost, ...ended];
  });
  events.sort((a, b) => a.at - b.at);
  const answer = await fetch(`${process.env.SANDBOX_API_URL}/peer/feed/append`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ events: events.map(({ event }) => event) }),
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) throw new Error(`The orchestrator answered ${answer.status}: ${await answer.text()}`);
  await new Promise((resolve) => setTimeout(resolve, 4_000));
}

/** A month as a small team has it: a nightly batch, a day-long worker now and then, an idle machine, an incident. */
export function month(prefix: string): Life[] {
  const lives: Life[] = [];
  for (let day = 1; day <= 29; day += 1) {
    const base = day * 24;
    if (day % 7 < 5) {
      lives.push({ sandbox: `${prefix}n${day}`, from: base + 3, until: base + 3 - (1 + (day % 4)), image: 'node:22-slim', vcpus: 2, memMib: 4_096, cpuMs: 2_000_000 });
    }
    if (day % 3 === 0) {
      lives.push({ sandbox: `${prefix}w${day}`, from: base + 12, until: base + 2, cpuMs: 9_000_000 });
    }
    if (day === 9 || day === 10) {
      lives.push({ sandbox: `${prefix}b${day}`, from: base + 20, until: base + 2, image: 'rust:1.95', vcpus: 8, memMib: 16_384, cpuMs: 40_000_000 });
    }
  }
  lives.push({ sandbox: `${prefix}idle`, from: 200, until: 150, image: 'ubuntu:24.04', cpuMs: 30_000 });
  lives.push({ sandbox: `${prefix}lost`, from: 60, until: 40, lost: [55, 52], cpuMs: 5_000_000 });
  return lives;
}
