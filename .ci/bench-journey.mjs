// Brings a dashboard to the state that bench.sh measures: one user with a confirmed address, a key, and sandboxes
// that have run. Goes through the same forms as a person without scripts. Prints {cookie, key} as JSON.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const { DASHBOARD_URL, MAIL_URL, SANDBOX_API_URL } = process.env;
const cookies = new Map();
const email = `bench-${randomBytes(4).toString('hex')}@example.com`;

async function ask(path, form) {
  const answer = await fetch(new URL(path, DASHBOARD_URL), {
    method: form ? 'POST' : 'GET',
    redirect: 'manual',
    headers: { accept: 'text/html', origin: DASHBOARD_URL, cookie: cookie() },
    body: form && new URLSearchParams(form),
  });
  for (const line of answer.headers.getSetCookie()) {
    const [name, value] = line.split(';')[0].split(/=(.*)/s);
    if (value) cookies.set(name, value);
    else cookies.delete(name);
  }
  const location = answer.headers.get('location');
  if (location) return ask(location);
  if (!answer.ok) throw new Error(`${form ? 'POST' : 'GET'} ${path} answered ${answer.status}`);
  return answer.text();
}

function cookie() {
  return [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
}

async function mailTo(address) {
  for (let attempt = 0; attempt < 100; attempt++) {
    const answer = await fetch(`${MAIL_URL}/api/mails?to=${encodeURIComponent(address)}`);
    const { mails } = await answer.json();
    if (mails.length > 0) return mails[0];
    await sleep(100);
  }
  throw new Error('the confirmation mail did not arrive within 10 s');
}

const password = randomBytes(16).toString('base64url');
const consent = { terms: 'yes', aup: 'yes', dpa: 'yes', export_statement: 'yes' };
await ask('/api/account/sign-up', { email, password, country: 'NL', ...consent });
const link = (await mailTo(email)).text.split(/[\s<>"]+/).find((word) => word.startsWith(DASHBOARD_URL));
await ask(link);
await ask('/api/account/verify-email', {});
const page = await ask('/api/key/create', { name: 'bench' });
const key = page.match(/sk_live_[A-Za-z0-9_]+/)?.[0];
if (!key) throw new Error('no key on the page that shows it');

const env = { PATH: process.env.PATH, ISORUN_API_URL: SANDBOX_API_URL, ISORUN_API_KEY: key };
// The key reaches the orchestrator through a job.
await sleep(1_000);
for (const step of ['lifecycle', 'lifecycle', 'create', 'create', 'create']) {
  execFileSync(process.execPath, ['sdk/journey.mjs', step], { cwd: 'end2end', env });
}
console.log(JSON.stringify({ cookie: cookie(), key }));
