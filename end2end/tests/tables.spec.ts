// Tables with long names: figures stay in sight at every width, nothing is cut without its whole text, days are named once, and
// paper shows what was spent without the way around.
import { type Page } from '@playwright/test';
import { expect, test } from '../fixtures.ts';
import { createKey, customer } from '../people.ts';

/** 57 and 38 signs, as people have them. */
const IMAGE = 'ghcr.io/acme-robotics/evals/agent-runner:2026.11.2-debian';
const KEY = 'staging-eu-west agents of the platform';

async function start(key: string, image: string): Promise<void> {
  const answer = await fetch(`${process.env.SANDBOX_API_URL ?? ''}/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ image, vcpus: 2, mem_mib: 4_096, timeout: 3_600 }),
    signal: AbortSignal.timeout(10_000),
  });
  expect(answer.ok, `${image}: ${answer.status}`).toBe(true);
}

/** What is wrong with the tables of a page at this width; nothing where all is well. */
async function faults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) found.push(`the page scrolls sideways by ${root.scrollWidth - root.clientWidth} px`);
    for (const scroll of document.querySelectorAll<HTMLElement>('main .scroll')) {
      if (!scroll.checkVisibility()) continue;
      const name = scroll.getAttribute('aria-label');
      const box = scroll.getBoundingClientRect();
      if (scroll.scrollWidth > scroll.clientWidth + 1) found.push(`${name}: ${scroll.scrollWidth - scroll.clientWidth} px are out of sight`);
      for (const cell of scroll.querySelectorAll<HTMLElement>('tbody td, tfoot td')) {
        const figure = cell.querySelector('[data-ticks], [data-ms]');
        if (!figure || !cell.checkVisibility()) continue;
        const rect = figure.getBoundingClientRect();
        if (rect.left < box.left - 1 || rect.right > Math.min(box.right, innerWidth) + 1) {
          found.push(`${name}: ${figure.textContent} stands at ${Math.round(rect.left)} to ${Math.round(rect.right)} of ${Math.round(box.right)}`);
        }
      }
      for (const first of scroll.querySelectorAll<HTMLElement>('tbody th:first-child:not([colspan])')) {
        const isSticky = getComputedStyle(first).position === 'sticky' && getComputedStyle(first).display === 'table-cell';
        if (isSticky && first.getBoundingClientRect().width > box.width * 0.45 + 1) found.push(`${name}: the first column takes ${Math.round(first.getBoundingClientRect().width)} of ${Math.round(box.width)} px`);
      }
    }
    for (const clip of document.querySelectorAll<HTMLElement>('.clip')) {
      if (clip.scrollWidth > clip.clientWidth && clip.title !== clip.textContent) found.push(`cut, and its title is not all of it: ${clip.textContent}`);
    }
    return [...new Set(found)];
  });
}

test('figures stay in sight beside long names, and paper has them all', async ({ page, mails, sdk, accessible }) => {
  test.slow();
  const { key: ci } = await customer(page, mails);
  const key = await createKey(page, KEY);
  await page.waitForTimeout(1_500);
  for (const [one, image] of [[key, IMAGE], [key, IMAGE], [ci, 'node:22-slim'], [ci, 'python:3.12-slim']] as const) await start(one, image);
  await page.waitForTimeout(4_000);
  await page.goto('/usage?range=24h');
  const hour = await page.locator('main tr[data-bucket] th a').first().getAttribute('href');
  const why = await page.locator('main tr[data-bucket] a', { hasText: 'Why' }).first().getAttribute('href');
  await page.goto('/sandboxes');
  const sandbox = await page.locator('main table a[href^="/sandboxes/"]').last().getAttribute('href');
  await expect(page.locator('.table__group').first(), 'the day is named once').toHaveText(/^\w{3} \d+ \w{3} \d{4}$/);
  await expect(page.locator('[data-sandbox] time').first()).toHaveText(/^\d\d:\d\d$/);
  const paths = ['/overview', '/sandboxes', '/keys', '/usage?range=24h&group=image', '/usage?range=30d&group=key', '/usage?range=30d&group=sandbox',
    hour ?? 'none', why ?? 'none', '/credit', '/credit?kind=grant', '/waste', '/alerts', '/settings', sandbox ?? 'none'];
  for (const path of paths) {
    await page.goto(path);
    for (const details of await page.locator('main .disclosure summary').all()) await details.click();
    for (const width of [320, 768, 1_280, 1_920]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await faults(page), `${path} at ${width} px`).toEqual([]);
    }
    await page.setViewportSize({ width: 320, height: 900 });
    await accessible(page);
    await page.setViewportSize({ width: 1_280, height: 900 });
    await onPaper(page, path);
  }
  await sdk(ci, 'destroy-all');
  await sdk(key, 'destroy-all');
});

/** A dark screen prints light, whole and without what cannot be pressed on paper. */
async function onPaper(page: Page, path: string): Promise<void> {
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  // As wide as A4 between its margins.
  await page.setViewportSize({ width: 688, height: 900 });
  const said = await page.evaluate(() => {
    const isSeen = (element: Element) => element.checkVisibility({ visibilityProperty: true });
    const lightness = (color: string) => {
      const canvas = new OffscreenCanvas(1, 1).getContext('2d');
      if (!canvas) throw new Error('no canvas');
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      return (canvas.getImageData(0, 0, 1, 1).data[0] ?? 0) / 255;
    };
    const all = (selector: string) => [...document.querySelectorAll(selector)];
    const hidden = (element: Element) => element.closest('details:not([open])') !== null;
    return {
      pressed: all('nav, button, input, select, form.query, .controls').filter(isSeen).map((element) => element.outerHTML.slice(0, 80)),
      lost: all('main .scroll [data-ticks], main .badge').filter((element) => !hidden(element) && !isSeen(element)).map((element) => element.textContent),
      boxed: all('main .scroll').filter((element) => getComputedStyle(element).overflowX !== 'visible').length,
      cards: all('main table').filter((element) => isSeen(element) && getComputedStyle(element).display !== 'table').length,
      underlined: all('main td a, main th a').filter((element) => getComputedStyle(element).textDecorationLine !== 'none').length,
      ink: lightness(getComputedStyle(document.body).color),
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    };
  });
  expect(said, `${path} on paper`).toMatchObject({ pressed: [], lost: [], boxed: 0, cards: 0, underlined: 0, wide: 0 });
  expect(said.ink, `${path}: dark ink on paper`).toBeLessThan(0.3);
  await page.emulateMedia({ media: null, colorScheme: null });
}

test('the statement opens to its hours and the controls say what is shown', async ({ page, mails, sdk }) => {
  const { key } = await customer(page, mails);
  await page.waitForTimeout(1_500);
  await sdk(key, 'lifecycle');
  await page.waitForTimeout(3_000);
  await page.setViewportSize({ width: 320, height: 900 });
  await page.goto('/usage?range=7d&group=key');
  const line = page.locator('main .fold > summary');
  await expect(line).toContainText('Cost · 7 days · by key');
  await expect(page.getByLabel('Range')).toBeHidden();
  await expect(page.getByText(/\d days without use/)).toBeVisible();
  await line.click();
  await page.getByLabel('Range').selectOption('30d');
  await page.getByRole('button', { name: 'Show' }).click();
  await expect(line).toContainText('30 days');
  await page.setViewportSize({ width: 1_280, height: 900 });
  await expect(line).toBeHidden();
  await expect(page.getByLabel('Range')).toBeVisible();
});
