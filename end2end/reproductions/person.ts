// Somebody with a browser and without scripts: a cookie jar, pages, and forms that are filled in as they stand on their page.
import { type APIRequestContext, type APIResponse, request } from '@playwright/test';

export const DASHBOARD = process.env.DASHBOARD_URL ?? 'http://127.0.0.1:3000';
const MAIL = process.env.MAIL_URL ?? 'http://127.0.0.1:3080';
/** A password that the rules accept. */
export const PASSWORD = 'three quiet rivers meet';

/** What came back: the page one ended on. */
export interface Answer {
  status: number;
  path: string;
  text: string;
}

export class Person {
  readonly #context: APIRequestContext;

  private constructor(context: APIRequestContext) {
    this.#context = context;
  }

  static async somewhere(): Promise<Person> {
    const extraHTTPHeaders = { origin: DASHBOARD, 'sec-fetch-site': 'same-origin' };
    return new Person(await request.newContext({ baseURL: DASHBOARD, extraHTTPHeaders, timeout: 20_000 }));
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return answer(await this.#context.get(path, { headers }));
  }

  /** The answer itself, without following where it leads. */
  async raw(path: string, headers: Record<string, string> = {}): Promise<APIResponse> {
    return this.#context.get(path, { headers, maxRedirects: 0 });
  }

  /** What a form on a page sends, its hidden fields included. */
  async fill(page: string, endpoint: string, typed: Record<string, string>): Promise<Record<string, string>> {
    const { text } = await this.get(page);
    const form = text.split('<form').find((part) => part.includes(`action="/api/${endpoint}"`));
    if (!form) throw new Error(`${page} has no form for ${endpoint}`);
    const fields: Record<string, string> = {};
    for (const [input] of form.split('</form>')[0]!.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
      fields[attribute(input, 'name')] = attribute(input, 'value');
    }
    return { ...fields, ...typed };
  }

  async post(endpoint: string, form: Record<string, string>): Promise<Answer> {
    return answer(await this.#context.post(`/api/${endpoint}`, { form }));
  }

  async submit(page: string, endpoint: string, typed: Record<string, string>): Promise<Answer> {
    return this.post(endpoint, await this.fill(page, endpoint, typed));
  }

  async signIn(email: string, password = PASSWORD): Promise<Answer> {
    return this.submit('/sign-in', 'session/sign-in', { email, password });
  }

  /** Asks for an account, follows the link of the mail, and opens it. */
  async open(email: string, password = PASSWORD): Promise<Answer> {
    await this.submit('/sign-up', 'account/sign-up', { email });
    await this.get(new URL(link(await mailed(email, /Open your Isorun account/))).pathname);
    const consents = { terms: 'yes', aup: 'yes', dpa: 'yes', export_statement: 'yes' };
    return this.submit('/open-account', 'account/open', { password, country: 'NL', ...consents });
  }

  /** True when pages of an account open. */
  async isSignedIn(): Promise<boolean> {
    return (await this.get('/overview')).path === '/overview';
  }
}

async function answer(response: APIResponse): Promise<Answer> {
  return { status: response.status(), path: new URL(response.url()).pathname, text: await response.text() };
}

function attribute(tag: string, name: string): string {
  const value = tag.match(new RegExp(` ${name}="([^"]*)"`))?.[1] ?? '';
  return value.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

interface Mail {
  subject: string;
  text: string;
}

/** Mails to an address, oldest first. */
export async function mails(to: string): Promise<Mail[]> {
  const answer = await fetch(`${MAIL}/api/mails?to=${encodeURIComponent(to)}`, { signal: AbortSignal.timeout(5_000) });
  return ((await answer.json()) as { mails: Mail[] }).mails;
}

/** Waits for a mail; they leave through jobs. */
export async function mailed(to: string, subject: RegExp): Promise<Mail> {
  for (let look = 0; look < 60; look += 1) {
    const found = (await mails(to)).findLast((mail) => subject.test(mail.subject));
    if (found) return found;
    await new Promise((done) => setTimeout(done, 250));
  }
  throw new Error(`no mail to ${to} with a subject like ${subject}`);
}

/** The first link to the dashboard in a mail. */
export function link(mail: Mail): string {
  const found = mail.text.split(/[\s<>"]+/).find((word) => word.startsWith(DASHBOARD));
  if (!found) throw new Error(`no link in the mail "${mail.subject}"`);
  return found;
}
