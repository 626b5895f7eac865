// The stylesheet itself: every file in its layer, no colour outside tokens.css, and the contrast that axe does not
// look at. How pages look is checked by axe on each of them, in the journeys.
import { type Page } from '@playwright/test';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '../fixtures.ts';

const STYLE = new URL('../../style/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, STYLE), 'utf8');
const LAYERS = ['reset', 'tokens', 'base', 'layout', 'components', 'utilities', 'print'];
const COMPONENTS = readdirSync(new URL('components/', STYLE)).map((file) => `components/${file}`);

// The same with scripts and without.
test.skip(({ javaScriptEnabled }) => javaScriptEnabled === false);

test('every file is imported once, into its own layer', () => {
  const main = read('main.css');
  const imports = [...main.matchAll(/@import url\("([^"]+)"\) layer\((\w+)\);/g)].map(([, file, layer]) => `${layer} ${file}`);
  const files = LAYERS.flatMap((layer) =>
    layer === 'components' ? COMPONENTS.map((file) => `${layer} ${file}`) : [`${layer} ${layer}.css`],
  );
  expect(main).toContain(`@layer ${LAYERS.join(', ')};`);
  expect(imports.toSorted()).toEqual(files.toSorted());
});

test('a component knows its own name and no colour', () => {
  for (const file of COMPONENTS) {
    const css = read(file).replaceAll(/\/\*.*?\*\//gs, '');
    expect(css, file).not.toMatch(/oklch\(|oklab\(|rgba?\(|hsla?\(|#[0-9a-f]{3,8}\b(?![^{}]*\{)/i);
    const name = file.slice('components/'.length, -'.css'.length);
    expect(css, file).toMatch(new RegExp(`\\.${name}\\b`));
  }
});

/** Contrast of two tokens by WCAG 2.2, as the browser mixes them down to sRGB. */
async function contrast(page: Page, one: string, other: string): Promise<number> {
  return page.evaluate(
    (names) => {
      const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
      if (!canvas) throw new Error('no canvas');
      const [light = 0, dark = 0] = names
        .map((name) => {
          const probe = document.body.appendChild(document.createElement('i'));
          probe.style.color = `var(${name})`;
          canvas.fillStyle = getComputedStyle(probe).color;
          canvas.fillRect(0, 0, 1, 1);
          const [r = 0, g = 0, b = 0] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) =>
            value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
          );
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        })
        .toSorted((a, b) => b - a);
      return (light + 0.05) / (dark + 0.05);
    },
    [one, other],
  );
}

test('ink reads 4.5:1 and shapes show 3:1 in both colour schemes', async ({ page }) => {
  await page.setContent(`<style>${read('tokens.css')}</style>`);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const pairs: [number, string[], string[]][] = [
      [4.5, ['--ink', '--ink-soft', '--accent-ink', '--soon-ink', '--broken-ink'],
        ['--paper', '--sunk', '--raised', '--hover', '--accent-tint', '--soon-tint', '--broken-tint']],
      [4.5, ['--on-fill'], ['--accent-fill', '--accent-press']],
      [3, ['--edge', '--accent', '--soon', '--broken'], ['--paper', '--sunk', '--raised']],
    ];
    for (const [least, inks, surfaces] of pairs) {
      for (const ink of inks) {
        for (const surface of surfaces) {
          expect(await contrast(page, ink, surface), `${ink} on ${surface}, ${colorScheme}`).toBeGreaterThanOrEqual(least);
        }
      }
    }
  }
});
