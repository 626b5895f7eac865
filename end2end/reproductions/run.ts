// Faults that first users met, tried again on a running product: `make run` in one terminal, `make reproduce` in another.
// Prints a line for each and ends with 1 when one is back. What takes a crash, a clock or a look inside is kept by tests
// of its own; here is what can be done from outside.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { DASHBOARD, PASSWORD, Person, link, mailed, mails } from './person.ts';

const API = process.env.SANDBOX_API_URL ?? 'http://127.0.0.1:3100';
const someone = (domain = 'example.org') => `ada.${randomUUID().slice(0, 8)}@${domain}`;

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

async function customer(): Promise<{ ada: Person; email: string }> {
  const [ada, email] = [await Person.somewhere(), someone()];
  await ada.open(email);
  expect(await ada.isSignedIn(), 'an account could not be opened');
  return { ada, email };
}

const keysOf = async (person: Person) => (await person.get('/keys')).text.split('data-key="').length - 1;

/** What a program hears that sends these bytes and reads until the other side closes, or for two seconds. */
function spoken(bytes: string): Promise<string> {
  const { hostname, port } = new URL(DASHBOARD);
  return new Promise((done, failed) => {
    let heard = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.setTimeout(2_000, () => socket.destroy());
    socket.on('data', (data) => (heard += data));
    socket.on('close', () => done(heard));
    socket.on('error', failed);
  });
}

const attempts: Record<string, () => Promise<void>> = {
  'a stranger prepares nobody’s account': async () => {
    const [stranger, victim, email] = [await Person.somewhere(), await Person.somewhere(), someone()];
    await stranger.submit('/sign-up', 'account/sign-up', { email });
    await stranger.signIn(email);
    expect(!(await stranger.isSignedIn()), 'the stranger is signed in before the mail was read');
    await victim.open(email);
    await stranger.signIn(email, 'some other words here');
    expect(!(await stranger.isSignedIn()), 'the stranger is signed in');
    expect(await victim.isSignedIn(), 'the owner is not signed in');
  },
  'nothing tells whether an address is known': async () => {
    const [{ email }, unknown] = [await customer(), someone()];
    const ask = async (address: string) => {
      const { path, text } = await (await Person.somewhere()).submit('/sign-up', 'account/sign-up', { email: address });
      const said = text.split('<main')[1]!.split('</main>')[0]!.replace(/ value="[^"]*"/g, '').replaceAll(address, '');
      return `${path} ${said}`;
    };
    expect((await ask(email)) === (await ask(unknown)), 'the two answers differ');
  },
  'a mailed link names the address, and asks when somebody else is signed in': async () => {
    const [{ ada }, email] = [await customer(), someone()];
    await (await Person.somewhere()).submit('/sign-up', 'account/sign-up', { email });
    const page = await ada.get(new URL(link(await mailed(email, /Open your Isorun account/))).pathname);
    expect(page.text.includes(email) && page.text.includes('Sign out and open account'), 'it does not ask');
  },
  'guessing a password takes longer each time': async () => {
    const { email } = await customer();
    for (let guess = 0; guess < 6; guess += 1) await (await Person.somewhere()).signIn(email, `not it at all ${guess}`);
    const right = await (await Person.somewhere()).signIn(email);
    expect(right.text.includes('Too many tries'), 'the seventh try was checked');
  },
  'an address in another script is one person': async () => {
    const name = `ada.${randomUUID().slice(0, 8)}`;
    await (await Person.somewhere()).open(`${name}@xn--mller-kva.example`);
    for (const domain of ['müller.example', 'ＭÜＬＬＥＲ.example']) {
      await (await Person.somewhere()).submit('/sign-up', 'account/sign-up', { email: `${name}@${domain}` });
    }
    await mailed(`${name}@xn--mller-kva.example`, /have an Isorun account/);
    const subjects = (await mails(`${name}@xn--mller-kva.example`)).map((mail) => mail.subject);
    expect(subjects.filter((subject) => /^Open your/.test(subject)).length === 1, subjects.join(', '));
  },
  'a well-known password is refused': async () => {
    const person = await Person.somewhere();
    const { path } = await person.open(someone(), 'password1234567');
    expect(path === '/open-account', `it led to ${path}`);
  },
  'a password is one however its accents are typed': async () => {
    const [person, email] = [await Person.somewhere(), someone()];
    await person.open(email, 'drei stille Flüsse'.normalize('NFD'));
    const other = await Person.somewhere();
    await other.signIn(email, 'drei stille Flüsse'.normalize('NFC'));
    expect(await other.isSignedIn(), 'the composed form is refused');
  },
  '10,50 is no thousand dollars': async () => {
    const { ada } = await customer();
    for (const limit of ['10,50', ',5']) {
      const { text } = await ada.submit('/alerts', 'limit/set', { monthly: limit });
      expect(text.includes('id="errors"'), `${limit} was taken`);
    }
  },
  'a made-up cursor is the first page': async () => {
    const { ada } = await customer();
    for (const path of ['/keys', '/sandboxes', '/alerts', '/waste', '/credit', '/usage/intervals']) {
      for (const after of ['MCAA', '%00', 'LTk5OTk5OTk5OTk5OTk5OTk5OSB4', 'x'.repeat(500)]) {
        const { status } = await ada.get(`${path}?after=${after}`);
        expect(status < 500, `${path}?after=${after.slice(0, 30)} is ${status}`);
      }
    }
  },
  'an address that grows when it is encoded is refused in words': async () => {
    const { ada } = await customer();
    const { status } = await ada.submit('/alerts', 'webhook/set', { url: `https://example.org/${'ü'.repeat(200)}` });
    expect(status < 500, `it is ${status}`);
  },
  'a double click makes one key': async () => {
    const { ada } = await customer();
    const form = await ada.fill('/keys/new', 'key/create', { name: 'ci' });
    const both = await Promise.all([ada.post('key/create', form), ada.post('key/create', form)]);
    expect(both.every((page) => page.path === '/keys/created'), both.map((page) => page.path).join(', '));
    expect((await keysOf(ada)) === 1, `${await keysOf(ada)} keys`);
  },
  'a form of an old tab acts in no other account': async () => {
    const [{ ada }, eve] = [await customer(), await customer()];
    const form = await ada.fill('/keys/new', 'key/create', { name: 'ci' });
    await ada.submit('/overview', 'session/sign-out', {});
    await ada.signIn(eve.email);
    const { text } = await ada.post('key/create', form);
    expect(text.includes('Another account is signed in') && (await keysOf(ada)) === 0, 'it was done');
  },
  'a file that cannot hold what is asked says so': async () => {
    const { ada } = await customer();
    for (const asked of ['range=ever', 'range=own&from=2026-12-03&to=2026-12-01', 'range=own&from=2026-02-31&to=2026-03-01', 'colour=red']) {
      const { status } = await ada.get(`/usage.csv?${asked}`);
      expect(status === 400, `${asked} is ${status}`);
    }
  },
  'names show something and look like no other': async () => {
    const { ada } = await customer();
    for (const name of ['\u200b', '\u2060\u3164', 'a\u202eb']) {
      const { path } = await ada.submit('/keys/new', 'key/create', { name });
      expect(path === '/keys/new', `${escape(name)} was taken`);
    }
    await ada.submit('/keys/new', 'key/create', { name: 'deploy' });
    const { path } = await ada.submit('/keys/new', 'key/create', { name: 'dерlоу' });
    expect(path === '/keys/new', 'a look-alike was taken');
  },
  'one goes where one wanted to after a sign-in': async () => {
    const [{ email }, person] = [await customer(), await Person.somewhere()];
    await person.get('/usage?range=7d');
    expect((await person.signIn(email)).path === '/usage', 'it is forgotten');
  },
  'a trailing slash leads to the page': async () => {
    const answer = await (await Person.somewhere()).raw('/sign-in/?a=b');
    expect(answer.status() === 308 && answer.headers()['location'] === '/sign-in?a=b', `${answer.status()}`);
  },
  'a request needs one host': async () => {
    const host = new URL(DASHBOARD).host;
    for (const lines of ['', `host: ${host}\r\nhost: other.example\r\n`]) {
      expect((await spoken(`GET / HTTP/1.1\r\n${lines}\r\n`)).startsWith('HTTP/1.1 400'), 'it was answered');
    }
  },
  'too much at once closes the connection': async () => {
    const head = `POST /api/session/sign-in HTTP/1.1\r\nhost: ${new URL(DASHBOARD).host}\r\norigin: ${DASHBOARD}\r\n`;
    const heard = await spoken(`${head}content-type: application/x-www-form-urlencoded\r\ncontent-length: 99999999\r\n\r\n`);
    expect(/^HTTP\/1\.1 413/.test(heard) && /connection: close/i.test(heard), heard.slice(0, 60));
  },
  'pages are packed, and what shows a secret is not': async () => {
    const { ada } = await customer();
    const encoding = async (path: string) => (await ada.raw(path, { 'accept-encoding': 'br' })).headers()['content-encoding'];
    expect((await encoding('/overview')) === 'br', 'the overview is not packed');
    expect((await encoding('/alerts')) === undefined, 'the page of secrets is packed');
  },
  'pages describe themselves': async () => {
    const { text } = await (await Person.somewhere()).get('/');
    expect(/<meta name="description" content="[^"]{40,}/.test(text), 'no description');
  },
  'four webhook tests at once are one': async () => {
    let posts = 0;
    const receiver = createServer((_, response) => {
      posts += 1;
      response.end();
    });
    await new Promise<void>((ready) => receiver.listen(0, '127.0.0.1', ready));
    const address = receiver.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { ada } = await customer();
    await ada.submit('/alerts', 'webhook/set', { url: `http://127.0.0.1:${port}/hook` });
    const forms = await Promise.all([1, 2, 3, 4].map(() => ada.fill('/alerts', 'webhook/test', {})));
    await Promise.all(forms.map((form) => ada.post('webhook/test', form)));
    await new Promise((done) => setTimeout(done, 4_000));
    receiver.close();
    expect(posts === 1, `${posts} posts`);
  },
  'one poisoned event stops no metering': async () => {
    const { ada } = await customer();
    const poisoned = { account: randomUUID(), image: '\u0000', region: '\u0000' };
    const told = await fetch(`${API}/peer/feed/append`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(poisoned) });
    expect(told.ok, `the orchestrator answered ${told.status}`);
    const made = await ada.submit('/keys/new', 'key/create', { name: 'ci' });
    const key = made.text.match(/sk_live_\w+/)?.[0] ?? '';
    const start = async () =>
      fetch(`${API}/v1/runs`, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify({ image: 'node:22', timeout: 60 }) });
    for (let look = 0; look < 20 && !(await start()).ok; look += 1) await new Promise((done) => setTimeout(done, 250));
    for (let look = 0; look < 40; look += 1) {
      if ((await ada.get('/sandboxes')).text.includes('data-sandbox=')) return;
      await new Promise((done) => setTimeout(done, 250));
    }
    throw new Error('the sandbox is not metered');
  },
};

let back = 0;
for (const [what, attempt] of Object.entries(attempts)) {
  try {
    await attempt();
    console.log(`holds  ${what}`);
  } catch (error) {
    back += 1;
    console.log(`BACK   ${what}: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
  }
}
console.log(`${Object.keys(attempts).length - back} of ${Object.keys(attempts).length} hold; password of everybody made here: ${PASSWORD}`);
process.exitCode = back === 0 ? 0 : 1;
