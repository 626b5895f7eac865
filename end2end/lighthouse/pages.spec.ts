// Lighthouse on every page, by both of its presets, in an account that has lived a month. It is asked as a program: its Node.js
// interface would bring its hundred packages into the types of every test.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '../fixtures.ts';
import { month } from '../month.ts';
import { createKey, customer } from '../people.ts';

const run = promisify(execFile);
const base = process.env.DASHBOARD_URL ?? '';

const OUTSIDE = ['/', '/?sandboxes=3&vcpus=2&gib=4&time=8&unit=hours', '/sign-up', '/sign-in', '/check-mail', '/alert-recipient'];
/** What robots.txt keeps from search engines. */
const UNLISTED = ['/verify-email'];
const INSIDE = ['/overview', '/sandboxes', '/sandboxes?state=running&q=node', '/usage', '/usage?range=30d&group=image', '/usage?range=7d&group=sandbox', '/usage/intervals', '/keys', '/keys/new', '/credit', '/waste', '/alerts', '/settings'];

const PRESETS = { desktop: ['--preset=desktop'], mobile: [] } as const;
type Preset = keyof typeof PRESETS;

/** What each page must reach. */
const LEAST: Record<string, number> = { performance: 100, accessibility: 100, 'best-practices': 100, seo: 100 };

/**
 * Where less than 100 is right, and why it was measured so. The debug build that is measured answers several times slower
 * than what is shipped, on a machine that does other things too, and the mobile preset slows the processor four times.
 */
const BUT: readonly { preset: Preset; category: string; least: number; because: string }[] = [
  { preset: 'mobile', category: 'performance', least: 95, because: 'blocking time swings by 100 ms with what else the machine does' },
];

/** Pages of an account and of a mailed link are for no search engine. */
const ON_PURPOSE = ['--skip-audits=is-crawlable'];

interface Report {
  categories: Record<string, { score: number | null }>;
  audits: Record<string, { score: number | null; scoreDisplayMode: string; displayValue?: string }>;
}

async function measure(folder: string, path: string, preset: Preset, more: readonly string[]): Promise<Report> {
  const output = join(folder, 'report.json');
  const chromium = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];
  const words = ['node_modules/lighthouse/cli/index.js', `${base}${path}`, '--quiet', '--output=json', `--output-path=${output}`, `--chrome-flags=${chromium.join(' ')}`, ...PRESETS[preset], ...more];
  await run(process.execPath, words, {
    cwd: import.meta.dirname,
    env: { ...process.env, CHROME_PATH: process.env.CHROMIUM ?? '/usr/bin/chromium' },
    timeout: 120_000,
    maxBuffer: 64 * 1_024 * 1_024,
  });
  return JSON.parse(readFileSync(output, 'utf8')) as Report;
}

/** The figures of a report, and what is below where it must be. */
function judge(report: Report, preset: Preset): { figures: number[]; short: string[] } {
  const short: string[] = [];
  const figures = Object.entries(LEAST).map(([category, usual]) => {
    const least = BUT.find((but) => but.preset === preset && but.category === category)?.least ?? usual;
    const score = Math.round((report.categories[category]?.score ?? 0) * 100);
    if (score < least) short.push(`${category} ${score} of ${least}`);
    return score;
  });
  if (short.length > 0) {
    const failed = Object.entries(report.audits).filter(([, audit]) => audit.score !== null && audit.score < 0.9 && audit.scoreDisplayMode !== 'informative');
    short.push(...failed.map(([name, audit]) => `${name} ${audit.displayValue ?? ''}`.trim()));
  }
  return { figures, short };
}

test('every page is as fast, accessible and sound as it can be', async ({ page, mails }) => {
  const { key: ci } = await customer(page, mails);
  await month(page, ci, await createKey(page, 'nightly'));
  await page.goto('/sandboxes');
  const sandbox = await page.locator('main table a[href^="/sandboxes/"]').first().getAttribute('href');
  await page.goto('/keys');
  const key = await page.locator('main table a[href^="/keys/"]').first().getAttribute('href');
  const cookies = await page.context().cookies();
  const folder = mkdtempSync(join(tmpdir(), 'lighthouse-'));
  const headers = join(folder, 'headers.json');
  writeFileSync(headers, JSON.stringify({ Cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') }), { mode: 0o600 });
  const pages = [
    ...OUTSIDE.map((path) => ({ path, more: [] })),
    ...UNLISTED.map((path) => ({ path, more: ON_PURPOSE })),
    ...[...INSIDE, sandbox ?? 'none', key ?? 'none'].map((path) => ({ path, more: [`--extra-headers=${headers}`, ...ON_PURPOSE] })),
  ];
  const missed: string[] = [];
  console.log('performance / accessibility / best practices / SEO');
  try {
    for (const { path, more } of pages) {
      for (const preset of Object.keys(PRESETS) as Preset[]) {
        let best = judge(await measure(folder, path, preset, more), preset);
        // A moment at which the machine was busy is no property of a page: it is measured again, three times in all.
        for (let again = 0; again < 2 && best.short.length > 0; again += 1) {
          const next = judge(await measure(folder, path, preset, more), preset);
          if (next.short.length <= best.short.length) best = next;
        }
        console.log(`${preset.padEnd(8)} ${best.figures.join('/').padEnd(16)} ${path}`);
        if (best.short.length > 0) missed.push(`${preset} ${path}: ${best.short.join(', ')}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  expect(missed).toEqual([]);
});
