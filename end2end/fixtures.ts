// What every browser test has at hand: a page on which anything unexpected fails the test, an accessibility check,
// the mails that were sent, and the real SDK. What a person does on a page belongs in the tests.
import { AxeBuilder } from '@axe-core/playwright';
import { type BrowserContext, expect, type Page, test as base } from '@playwright/test';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The address of a part of the system, as `stand e2e` hands it over. */
function address(name: 'DASHBOARD_URL' | 'MAIL_URL' | 'SANDBOX_API_URL'): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests with \`make e2e\`.`);
  return value;
}

/**
 * Everything a browser complains about: console messages, errors no script caught, requests that failed or went to
 * somebody else, answers of 400 and above. A test fails on each one that it did not name beforehand.
 *
 * The lines look like `422 POST /sign-up`, `console error: …`, `script: …`, `failed GET /x: net::ERR_…`.
 */
export class Complaints {
  readonly #lines: string[] = [];
  readonly #expected: RegExp[] = [];
  readonly #allowed: RegExp[] = [];

  /** These lines must come, at least once each; the test fails if they do not. */
  expect(...patterns: RegExp[]): void {
    this.#expected.push(...patterns);
  }

  /** These lines may come. Only for what a browser says now and then. */
  allow(...patterns: RegExp[]): void {
    this.#allowed.push(...patterns);
  }

  /** Listens to all pages of a context; the one of the test is listened to already. */
  watch(context: BrowserContext): void {
    context.on('console', (message) => {
      // The same refusal also arrives as a response, with its method and path.
      if (/^Failed to load resource: the server responded with/.test(message.text())) return;
      this.#add(`console ${message.type()}: ${message.text()}`);
    });
    context.on('weberror', (error) => this.#add(`script: ${error.error().message}`));
    context.on('request', (request) => {
      if (/^https?:/.test(request.url()) && !ours(request.url())) {
        this.#add(`elsewhere: ${request.method()} ${request.url()}`);
      }
    });
    context.on('requestfailed', (request) => {
      const reason = request.failure()?.errorText ?? 'no reason';
      // What is under way when a page is left ends like this.
      if (reason === 'net::ERR_ABORTED') return;
      this.#add(`failed ${request.method()} ${path(request.url())}: ${reason}`);
    });
    context.on('response', (response) => {
      if (response.status() < 400) return;
      this.#add(`${response.status()} ${response.request().method()} ${path(response.url())}`);
    });
  }

  /** What is left that nobody named, and what was named and did not come. */
  verdict(): { unexpected: string[]; absent: string[] } {
    const named = [...this.#expected, ...this.#allowed];
    return {
      unexpected: this.#lines.filter((line) => !named.some((pattern) => pattern.test(line))),
      absent: this.#expected.filter((pattern) => !this.#lines.some((line) => pattern.test(line))).map(String),
    };
  }

  #add(line: string): void {
    this.#lines.push(line);
  }
}

function ours(url: string): boolean {
  return [address('DASHBOARD_URL'), address('MAIL_URL')].includes(new URL(url).origin);
}

/** Without the query, which may hold what is different each time. */
function path(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : url;
}

/** A mail as the catcher shows it. */
export interface Mail {
  id: string;
  to: string[] | string;
  subject: string;
  text: string;
}

/** Reads what arrived over SMTP. */
export class Mails {
  /** All mails to an address, oldest first. */
  async to(recipient: string): Promise<Mail[]> {
    const url = new URL('/api/mails', address('MAIL_URL'));
    url.searchParams.set('to', recipient);
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    if (!answer.ok) throw new Error(`The mail catcher answered ${answer.status}.`);
    return ((await answer.json()) as { mails: Mail[] }).mails;
  }

  /** Waits until a mail with such a subject is there; mails leave through jobs, so they take a moment. */
  async arrival(recipient: string, subject: RegExp): Promise<Mail> {
    let found: Mail | undefined;
    await expect
      .poll(
        async () => {
          found = (await this.to(recipient)).findLast((mail) => subject.test(mail.subject));
          return found !== undefined;
        },
        { message: `a mail to ${recipient} with a subject like ${subject}`, timeout: 15_000 },
      )
      .toBe(true);
    if (!found) throw new Error('unreachable: the poll has found it');
    return found;
  }

  /** The first link to the dashboard in a mail. */
  link(mail: Mail): string {
    const found = mail.text.split(/[\s<>"]+/).find((word) => word.startsWith(address('DASHBOARD_URL')));
    if (!found) throw new Error(`No link to the dashboard in the mail "${mail.subject}".`);
    return found;
  }
}

/** The rules of WCAG 2.2, levels A and AA. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

async function checkAccessibility(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    // Without motion no colour is halfway between two when it is read.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
    const told = violations.map(
      (violation) => `${violation.id} (${violation.help}): ${violation.nodes.map((node) => node.target.join(' ')).join(', ')}`,
    );
    expect(told, `accessibility of ${path(page.url())} in ${colorScheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}

const run = promisify(execFile);

/** With scripts off, Chromium reports what a page preloads for them: the module as blocked, the binary as not used. */
const WITHOUT_SCRIPTS = [/^failed GET \/pkg\/\S+\.js: csp$/, /^console warning: The resource \S+\.wasm was preloaded .* but not used/];

/** Chromium tells in its console that a sign-out cleared what it kept, as it was asked to. */
const CLEARED = /^console info: Clear-Site-Data header on/;

interface Fixtures {
  /** What the browser may or must complain about in this test. */
  complaints: Complaints;
  mails: Mails;
  /** Fails on any violation of WCAG 2.2 AA on the page, in both colour schemes. Without scripts axe cannot run. */
  accessible: (page: Page) => Promise<void>;
  /** Runs end2end/sdk/journey.mjs, which uses the real SDK with this key, and hands back what it printed. */
  sdk: (key: string, ...args: string[]) => Promise<string>;
}

export const test = base.extend<Fixtures>({
  complaints: [
    async ({ context, javaScriptEnabled }, use) => {
      const complaints = new Complaints();
      if (javaScriptEnabled === false) complaints.allow(...WITHOUT_SCRIPTS);
      complaints.allow(CLEARED);
      complaints.watch(context);
      await use(complaints);
      expect(complaints.verdict(), 'what the browser complained about').toEqual({ unexpected: [], absent: [] });
    },
    { auto: true },
  ],

  mails: async ({}, use) => {
    await use(new Mails());
  },

  accessible: async ({ javaScriptEnabled }, use) => {
    await use(async (page) => {
      if (javaScriptEnabled !== false) await checkAccessibility(page);
    });
  },

  sdk: async ({}, use) => {
    await use(async (key, ...args) => {
      // The SDK asks for Node.js 22, which npm brings along; `stand e2e` puts it first in PATH too.
      const { stdout } = await run('node_modules/node/bin/node', ['sdk/journey.mjs', ...args], {
        cwd: import.meta.dirname,
        env: { PATH: process.env.PATH, ISORUN_API_URL: address('SANDBOX_API_URL'), ISORUN_API_KEY: key },
        timeout: 45_000,
      });
      return stdout;
    });
  },
});

export { expect };
