/** SMTP call forward against a scripted peer, Microsoft 365 against an HTTP server in its place. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { createAsker } from '../../../src/directory/sources/asker.ts';
import type { VerificationSource } from '../../../src/directory/sources/contract.ts';
import { defineSource, type GivenOptions, type SmtpOptions } from '../../../src/directory/sources/definition.ts';
import { WAITING } from '../../../src/directory/sources/limits.ts';
import { microsoftSource } from '../../../src/directory/sources/microsoft-365.ts';
import { readRcpt, smtpSource } from '../../../src/directory/sources/smtp-call-forward.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { selfSigned } from '../../../src/world/self-signed.ts';
import { type Authority, createAuthority } from '../../support/authority.ts';
import { manualClock } from '../../support/clock.ts';
import { recordedEvents } from '../../support/events.ts';
import { type PeerOptions, SILENCE, startPeer } from '../../support/peer.ts';
import { address, question, services } from '../support/questions.ts';

async function peerSource(t: TestContext, peer: PeerOptions, given: GivenOptions = {}, secret?: string) {
  const started = await startPeer(t, peer);
  const { options } = defineSource('smtp', { host: '127.0.0.1', port: started.port, ...given }, secret !== undefined);
  return { peer: started, source: smtpSource(options as SmtpOptions, secret, services()) };
}

test('call forward asks for a user and sends no mail', async (t) => {
  const { peer, source } = await peerSource(t, {});
  assert.deepEqual(await source.verify(question('alice@example.com')), { kind: 'yes' });
  assert.deepEqual(
    peer.lines,
    ['EHLO mx.postern.example', 'MAIL FROM:<>', 'RCPT TO:<alice@example.com>', 'RSET', 'QUIT'].slice(
      0,
      peer.lines.length,
    ),
  );
  assert.ok(!peer.lines.includes('DATA'));
});

test('only a refusal that is about the user is a no', () => {
  const answer = (code: number, enhanced: string | undefined, text = 'x') =>
    readRcpt({ code, ...(enhanced && { enhanced }), text }).kind;
  assert.equal(answer(550, '5.1.1'), 'no');
  assert.equal(answer(551, undefined), 'no');
  assert.equal(answer(553, '5.1.3'), 'no');
  assert.equal(answer(550, '5.4.1', 'Recipient address rejected: Access denied'), 'no');
  assert.equal(answer(550, '5.4.1', 'Relay Access Denied'), 'cannot-tell');
  assert.equal(answer(554, '5.7.1', 'Relay access denied'), 'cannot-tell');
  assert.equal(answer(550, undefined, 'Relaying denied'), 'cannot-tell');
  assert.equal(answer(550, '5.7.606', 'banned sending IP'), 'cannot-tell');
  assert.equal(answer(530, '5.7.0', 'Authentication required'), 'cannot-tell');
  assert.equal(answer(550, '5.1.8', 'bad sender'), 'cannot-tell');
  assert.equal(answer(252, '2.1.5'), 'cannot-tell');
  assert.equal(answer(451, '4.3.0'), 'cannot-tell');
  assert.equal(answer(421, '4.3.2'), 'cannot-tell');
  assert.equal(answer(450, '4.2.0', 'Greylisted'), 'cannot-tell');
  assert.equal(answer(452, '4.5.3', 'too many recipients'), 'cannot-tell');
  assert.deepEqual(readRcpt({ code: 552, enhanced: '5.2.2', text: 'full' }), { kind: 'yes', unavailable: 'full' });
});

test('a server that refuses the null sender makes nobody disappear', async (t) => {
  const answer: PeerOptions['answer'] = ({ verb }) => (verb === 'MAIL' ? '550 5.1.1 no' : undefined);
  const { source } = await peerSource(t, { answer });
  assert.equal((await source.verify(question('alice@example.com'))).kind, 'cannot-tell');
});

test('an address beyond ASCII is not asked for where the server takes none', async (t) => {
  const { source } = await peerSource(t, {});
  assert.equal((await source.verify(question('zoë@example.com'))).kind, 'cannot-tell');
  const able = await peerSource(t, { extensions: ['SMTPUTF8', '8BITMIME'] });
  assert.equal((await able.source.verify(question('zoë@example.com'))).kind, 'yes');
});

test('our password is said inside TLS to the right server only, and in no dialogue', async (t) => {
  const pair = await selfSigned('127.0.0.1', systemClock);
  const tls = { cert: pair.certificate, key: pair.key };
  const answer: PeerOptions['answer'] = ({ verb }) => (verb === 'AUTH' ? '235 2.7.0 welcome' : undefined);
  const given = { tls: 'required', user: 'gateway', trust: pair.certificate };
  const { peer, source } = await peerSource(t, { tls, answer, extensions: ['AUTH PLAIN'] }, given, 'our-secret');
  const asked = question('alice@example.com');
  assert.deepEqual(await source.verify(asked), { kind: 'yes' });
  assert.ok(peer.lines.some((line) => line.startsWith('AUTH PLAIN ')));
  assert.ok(asked.dialogue.lines.includes('> AUTH PLAIN (hidden)'));
  const other = await peerSource(t, { tls, answer }, { ...given, trust: '' }, 'our-secret');
  await assert.rejects(other.source.verify(question('alice@example.com')));
  assert.ok(!other.peer.lines.some((line) => line.startsWith('AUTH')));
});

test('call forward speaks TLS from the first octet to a server that the organisation’s own authority signed', async (t) => {
  const authority = await createAuthority();
  const pairOf = async (issuer: Authority, options?: { endedMs: number }): Promise<PeerOptions> => {
    const pair = await issuer.issue('127.0.0.1', options);
    return { implicitTls: { cert: pair.certificate, key: pair.key } };
  };
  const given = { tls: 'implicit', trust: authority.certificate };
  const verify = async (peer: PeerOptions) => {
    const { peer: started, source } = await peerSource(t, peer, given);
    return source.verify(question('alice@example.com')).then(
      ({ kind }) => kind,
      () => `${started.lines.length} lines heard`,
    );
  };
  assert.equal(await verify(await pairOf(authority)), 'yes');
  assert.equal(await verify(await pairOf(await createAuthority())), '0 lines heard', 'the attacker in the middle');
  assert.equal(await verify(await pairOf(authority, { endedMs: 60_000 })), '0 lines heard', 'an old certificate');
  const { options } = defineSource('smtp', { host: 'mail.example.com', tls: 'implicit' }, false);
  assert.equal((options as SmtpOptions).port, 465);
});

test('a user signs in through the server: 535 is no, anything else cannot tell', async (t) => {
  for (const [reply, kind] of [
    ['235 2.7.0 ok', 'yes'],
    ['535 5.7.8 wrong', 'no'],
    ['454 4.7.0 later', 'cannot-tell'],
    ['534 5.7.9 too weak', 'cannot-tell'],
  ] as const) {
    const answer: PeerOptions['answer'] = ({ verb }) => (verb === 'AUTH' ? reply : undefined);
    const { source } = await peerSource(t, { answer, extensions: ['AUTH PLAIN'] });
    assert.equal((await source.authenticate!(question('alice@example.com'), 'secret')).kind, kind);
  }
});

test('a tarpit is left after its time, told of once, and then left in peace', async (t) => {
  const { peer, source } = await peerSource(t, { answer: ({ verb }) => (verb === 'RCPT' ? SILENCE : undefined) });
  const clock = manualClock();
  const events = recordedEvents();
  const asker = createAsker(1, 'smtp', source, { clock, events });
  for (let i = 1; i <= 3; i++) {
    const answer = asker.verify(address('alice@example.com'));
    while (peer.lines.filter((line) => line.startsWith('RCPT')).length < i)
      await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(10_000);
    assert.equal((await answer).kind, 'cannot-tell');
  }
  assert.equal((await asker.verify(address('alice@example.com'))).kind, 'cannot-tell');
  assert.equal(peer.sessions(), 3);
  assert.equal(events.count('verification.source-down'), 1);
});

test('questions beyond what a source takes at once wait, and those beyond the bound are put off', async () => {
  const answers: (() => void)[] = [];
  const source: VerificationSource = {
    verify: () => new Promise((resolve) => answers.push(() => resolve({ kind: 'yes' }))),
    close() {},
  };
  const asker = createAsker(1, 'smtp', source, { clock: manualClock(), events: recordedEvents() });
  const asked = Array.from({ length: 2_020 }, () => asker.verify(address('a@example.com')));
  assert.equal((await asker.verify(address('a@example.com'))).kind, 'cannot-tell');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(answers.length, 20);
  while (answers.length > 0) {
    for (const answer of answers.splice(0)) answer();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok((await Promise.all(asked)).every(({ kind }) => kind === 'yes'));
});

test('an attacker who harvests addresses from one site waits behind himself: others have the next turns, and his newest places', async () => {
  const answers: (() => void)[] = [];
  const source: VerificationSource = {
    verify: () => new Promise((resolve) => answers.push(() => resolve({ kind: 'no' }))),
    close() {},
  };
  const asker = createAsker(1, 'smtp', source, { clock: manualClock(), events: recordedEvents() });
  const order: string[] = [];
  const ask = (who: string, site: string): Promise<string> =>
    asker.verify(address(`${who}@example.com`), undefined, site).then(({ kind }) => {
      order.push(`${who} ${kind}`);
      return kind;
    });
  const harvest = Array.from({ length: 20 + WAITING }, () => ask('guess', '192.0.2.0/24'));
  const honest = [ask('alice', '198.51.100.0/24'), ask('bob', '2001:db8:7::/48')];
  await new Promise((resolve) => setImmediate(resolve));
  // The line was full: two of the harvest left it.
  assert.deepEqual(order, ['guess cannot-tell', 'guess cannot-tell']);
  while (answers.length > 0) {
    for (const answer of answers.splice(0)) answer();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(await Promise.all(honest), ['no', 'no']);
  assert.equal((await Promise.all(harvest)).filter((kind) => kind === 'no').length, 20 + WAITING - 2);
  const turnOf = (who: string): number => order.indexOf(`${who} no`);
  assert.ok(turnOf('alice') <= 2 + 20 + 3 && turnOf('bob') <= 2 + 20 + 3, `${turnOf('alice')}, ${turnOf('bob')}`);
});

type Handler = (request: IncomingMessage & { readonly form: URLSearchParams }, response: ServerResponse) => void;

async function graph(
  t: TestContext,
  handle: Handler,
  clock = systemClock,
  cloud: 'global' | 'us-gov' | 'us-dod' | 'china' = 'global',
) {
  const paths: string[] = [];
  const hosts: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    paths.push(decodeURIComponent(request.url!));
    handle(Object.assign(request, { form: new URLSearchParams(body) }), response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const base = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const options = { tenant: 'tenant', clientId: 'app', cloud } as const;
  const source = microsoftSource(options, 'app-secret', {
    ...services(clock),
    microsoft(origin) {
      hosts.push(origin);
      return base;
    },
  });
  return { source, paths, hosts };
}

const say = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
};
const isToken = ({ url }: IncomingMessage): boolean => url!.endsWith('/token');
const TOKEN = { access_token: 'token', expires_in: 3600 };

test('Graph confirms a user by any address, and one token serves many questions', async (t) => {
  const alice = {
    displayName: 'Alice',
    mail: 'alice@example.com',
    proxyAddresses: ['SMTP:alice@example.com', 'smtp:al@example.com'],
  };
  const { source, paths } = await graph(t, (request, response) => {
    if (isToken(request)) return say(response, 200, TOKEN);
    const found = decodeURIComponent(request.url!).includes("'smtp:al@example.com'") ? [alice] : [];
    say(response, 200, { value: found });
  });
  const asked = question('al@example.com');
  assert.deepEqual(await source.verify(asked), {
    kind: 'yes',
    primary: 'alice@example.com',
    aliases: ['al@example.com'],
    displayName: 'Alice',
  });
  assert.deepEqual(await source.verify(question("o'brien@example.com")), { kind: 'no' });
  assert.equal(paths.filter((path) => path.endsWith('/token')).length, 1);
  assert.ok(paths.some((path) => path.startsWith('/v1.0/groups') && path.includes("mail eq 'o''brien@example.com'")));
  assert.ok(!asked.dialogue.lines.join().includes('app-secret'));
});

test('each national cloud is asked at its own hosts, for a token that is good for it alone', async (t) => {
  for (const [cloud, login, api] of [
    ['global', 'https://login.microsoftonline.com', 'https://graph.microsoft.com'],
    ['us-gov', 'https://login.microsoftonline.us', 'https://graph.microsoft.us'],
    ['us-dod', 'https://login.microsoftonline.us', 'https://dod-graph.microsoft.us'],
    ['china', 'https://login.chinacloudapi.cn', 'https://microsoftgraph.chinacloudapi.cn'],
  ] as const) {
    const scopes: (string | null)[] = [];
    const answering: Handler = (request, response) => {
      if (isToken(request)) scopes.push(request.form.get('scope'));
      say(response, 200, isToken(request) ? TOKEN : { value: [] });
    };
    const { source, hosts } = await graph(t, answering, systemClock, cloud);
    assert.deepEqual(await source.verify(question('nobody@example.com')), { kind: 'no' });
    assert.deepEqual(new Set(hosts), new Set([login, api]), cloud);
    assert.deepEqual(scopes, [`${api}/.default`]);
  }
});

test('an expired secret makes nobody disappear, and says so', async (t) => {
  const { source } = await graph(t, (_, response) =>
    say(response, 401, {
      error: 'invalid_client',
      error_description: 'AADSTS7000222: The provided client secret keys are expired.',
    }),
  );
  await assert.rejects(source.verify(question('alice@example.com')), /AADSTS7000222/);
});

test('Graph asks for patience, and gets it', async (t) => {
  const clock = manualClock();
  let asked = 0;
  const { source } = await graph(
    t,
    (request, response) => {
      if (isToken(request)) return say(response, 200, TOKEN);
      asked++;
      say(response, 429, {}, { 'retry-after': '30' });
    },
    clock,
  );
  assert.equal((await source.verify(question('alice@example.com'))).kind, 'cannot-tell');
  assert.equal((await source.verify(question('alice@example.com'))).kind, 'cannot-tell');
  assert.equal(asked, 1);
  await clock.advance(30_001);
  await source.verify(question('alice@example.com'));
  assert.equal(asked, 2);
});

test('an endless answer of Graph is not read to its end', async (t) => {
  const { source } = await graph(t, (request, response) => {
    if (isToken(request)) return say(response, 200, TOKEN);
    response.writeHead(200).end('x'.repeat(1024 * 1024));
  });
  await assert.rejects(source.verify(question('alice@example.com')), /too long/);
});

test('a sign-in at Microsoft: a wrong password is no, a second factor cannot be told', async (t) => {
  const { source } = await graph(t, (request, response) => {
    const { form } = request;
    if (!isToken(request)) return say(response, 200, { value: [{ proxyAddresses: ['SMTP:alice@example.com'] }] });
    if (form.get('password') === 'right' || !form.has('password')) return say(response, 200, TOKEN);
    const code = form.get('password') === 'factor' ? 50076 : form.get('password') === 'wrong' ? 50126 : 90033;
    say(response, 400, { error: 'invalid_grant', error_codes: [code], error_description: `AADSTS${code}: x` });
  });
  const ask = (password: string) => source.authenticate!(question('al@example.com'), password);
  const kind = async (password: string) => (await ask(password)).kind;
  assert.deepEqual(await ask('right'), { kind: 'yes', primary: 'alice@example.com' });
  assert.equal(await kind('wrong'), 'no');
  assert.equal(await kind('factor'), 'cannot-tell');
  assert.equal(await kind('outage'), 'cannot-tell');
});
