import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { exportSPKI } from 'jose';
import { parseIssuer, tokenSettings } from '../../../../src/directory/sign-in/tokens/settings.ts';
import { createTokens, type TokenVerdict } from '../../../../src/directory/sign-in/tokens/tokens.ts';
import { createSettings } from '../../../../src/settings/registry.ts';
import { settingsMigrations } from '../../../../src/settings/schema.ts';
import { systemClock } from '../../../../src/world/clock.ts';
import { manualClock } from '../../../support/clock.ts';
import { memoryDatabase } from '../../../support/database.ts';
import { recordedEvents } from '../../../support/events.ts';
import { AUDIENCE, ISSUER_CERTIFICATE, issuerKey, startIssuer, type TestIssuer } from '../../../support/issuer.ts';

const ALICE = 'alice@example.com';
const MINUTE_MS = 60_000;

/** The issuer vouches for example.com; the clock is the test's, but for time-outs of sockets. */
async function open(t: TestContext, more: Readonly<Record<string, unknown>> = {}) {
  const still = manualClock();
  const issuer = await startIssuer(t, { now: still.now });
  const database = await memoryDatabase(t, ...settingsMigrations);
  const events = recordedEvents();
  const settings = await createSettings(database, Object.values(tokenSettings), { clock: still, events });
  const set = (values: Readonly<Record<string, unknown>>, domain?: string) =>
    settings.change(
      Object.entries(values).map(([key, value]) => ({ key, value, ...(domain && { owner: { domain } }) })),
      'test',
    );
  await set({ 'oauth.trust': ISSUER_CERTIFICATE, ...more });
  await set({ 'oauth.issuers': [`${issuer.url} ${AUDIENCE} other-client`] }, 'example.com');
  const resolveHost = async () => ({ kind: 'none', ttlSeconds: 60 }) as const;
  const clock = { ...still, after: systemClock.after };
  const tokens = createTokens({ settings, clock, events, resolveHost });
  /** All time-outs are the test's. */
  const patient = createTokens({ settings, clock: still, events, resolveHost });
  const is = async (token: string | Promise<string>): Promise<string> => outcome(await tokens.read(await token));
  return { issuer, tokens, patient, events, clock: still, set, is };
}

function outcome(verdict: TokenVerdict): string {
  if (verdict.kind === 'no') return verdict.check;
  return verdict.kind === 'yes' ? `yes ${verdict.address}` : verdict.kind;
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test('a token signs in whom it names, by the issuer of the domain, and its keys are fetched once', async (t) => {
  const { issuer, is } = await open(t);
  assert.equal(await is(issuer.token({ email: 'Alice@Example.COM' })), `yes ${ALICE}`);
  assert.equal(await is(issuer.token({ aud: ['unrelated', 'other-client'] })), `yes ${ALICE}`);
  assert.equal(await is(issuer.token({}, { typ: 'at+jwt' })), `yes ${ALICE}`);
  assert.deepEqual(issuer.asked, ['/.well-known/openid-configuration', '/keys']);
});

test('keys on elliptic curves and PSS signatures count like RSA', async (t) => {
  const { issuer, is } = await open(t);
  const keys = await Promise.all(['ES256', 'PS256', 'EdDSA'].map((alg) => issuerKey(`key-${alg}`, alg)));
  issuer.keys = keys.map(({ jwk }) => jwk);
  for (const key of keys) assert.equal(await is(issuer.token({}, {}, key)), `yes ${ALICE}`, key.alg);
});

test('the address is the first claim of the list that the token has, and email counts when it is verified', async (t) => {
  const { issuer, is, set } = await open(t, { 'oauth.addressClaims': ['email', 'preferred_username', 'upn'] });
  const without = { email: undefined, email_verified: undefined };
  assert.equal(await is(issuer.token({ ...without, preferred_username: ALICE })), `yes ${ALICE}`);
  assert.equal(await is(issuer.token({ ...without, upn: ALICE })), `yes ${ALICE}`);
  assert.equal(await is(issuer.token({ ...without, preferred_username: 'alice' })), 'address');
  assert.equal(await is(issuer.token(without)), 'address');
  assert.equal(await is(issuer.token({ email_verified: false, upn: ALICE })), 'address');
  assert.equal(await is(issuer.token({ email_verified: undefined })), 'address');
  assert.equal(await is(issuer.token({ email_verified: undefined, upn: 'al@example.com' })), 'yes al@example.com');
  await set({ 'oauth.verifiedEmail': false }, 'example.com');
  assert.equal(await is(issuer.token({ email_verified: undefined })), `yes ${ALICE}`);
});

test('scopes that are asked for must all be there, in either spelling', async (t) => {
  const { issuer, is, tokens } = await open(t, { 'oauth.scopes': ['mail.send', 'mail.read'] });
  assert.equal(await is(issuer.token()), 'scope');
  assert.equal(await is(issuer.token({ scope: 'mail.send' })), 'scope');
  assert.equal(await is(issuer.token({ scope: 'mail.send mail.read' })), `yes ${ALICE}`);
  assert.equal(await is(issuer.token({ scp: ['mail.send', 'mail.read'] })), `yes ${ALICE}`);
  assert.deepEqual(tokens.hint('example.com'), {
    configuration: `${issuer.url}/.well-known/openid-configuration`,
    scope: 'mail.send mail.read',
  });
});

test('times count with a minute’s leeway', async (t) => {
  const { issuer, is, clock } = await open(t);
  const now = clock.now() / 1000;
  assert.equal(await is(issuer.token({ exp: now - 30 })), `yes ${ALICE}`);
  assert.equal(await is(issuer.token({ nbf: now + 30 })), `yes ${ALICE}`);
});

test('an issuer with metadata by RFC 8414 only, behind a path, is found too', async (t) => {
  const { set, is, clock } = await open(t);
  const issuer = await startIssuer(t, { path: '/tenant', now: clock.now });
  await set({ 'oauth.issuers': [`${issuer.url} ${AUDIENCE}`] }, 'example.com');
  issuer.answer = (path) => {
    if (path === '/.well-known/oauth-authorization-server/tenant')
      return { status: 200, body: JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }) };
    return path.includes('openid') ? { status: 404, body: '' } : undefined;
  };
  assert.equal(await is(issuer.token()), `yes ${ALICE}`);
});

test('a new key is found at once, a withdrawn one is trusted for an hour at most', async (t) => {
  const { issuer, is, clock } = await open(t);
  const old = await issuer.token({ exp: clock.now() / 1000 + 86_400 });
  assert.equal(await is(old), `yes ${ALICE}`);
  const next = await issuerKey('next');
  issuer.keys = [next.jwk];
  await clock.advance(MINUTE_MS);
  assert.equal(await is(issuer.token({}, {}, next)), `yes ${ALICE}`);
  assert.equal(await is(old), 'key');
  issuer.keys = [];
  await clock.advance(60 * MINUTE_MS);
  assert.equal(await is(issuer.token({}, {}, next)), 'key');
});

test('an outage puts sign-ins off, is told once, and is asked about no oftener than every few seconds', async (t) => {
  const { issuer, is, events, clock } = await open(t);
  issuer.answer = () => ({ status: 503, body: '' });
  const token = await issuer.token({ exp: clock.now() / 1000 + 86_400 });
  for (let i = 0; i < 5; i++) assert.equal(await is(token), 'cannot-tell');
  assert.equal(issuer.asked.length, 1);
  await clock.advance(MINUTE_MS);
  assert.equal(await is(token), 'cannot-tell');
  assert.equal(issuer.asked.length, 2);
  assert.equal(events.count('token.issuer-down'), 1);
  issuer.answer = () => undefined;
  await clock.advance(MINUTE_MS);
  assert.equal(await is(token), `yes ${ALICE}`);
  assert.equal(events.count('token.issuer-recovered'), 1);
});

test('keys at hand serve through an outage for a day, and no longer', async (t) => {
  const { issuer, is, events, clock } = await open(t);
  const token = await issuer.token({ exp: clock.now() / 1000 + 10 * 86_400 });
  assert.equal(await is(token), `yes ${ALICE}`);
  issuer.answer = () => ({ status: 500, body: '' });
  await clock.advance(23 * 60 * MINUTE_MS);
  assert.equal(await is(token), `yes ${ALICE}`);
  assert.equal(await is(issuer.token({}, { kid: 'perhaps-new' })), 'cannot-tell');
  await clock.advance(60 * MINUTE_MS);
  assert.equal(await is(token), 'cannot-tell');
  assert.equal(events.count('token.issuer-down'), 1);
});

test('whatever an issuer says in place of metadata and keys is an outage, not a refusal', async (t) => {
  const { issuer, is, events, clock } = await open(t);
  const token = await issuer.token({ exp: clock.now() / 1000 + 86_400 });
  const metadata = (body: unknown) => (path: string) =>
    path === '/keys' ? undefined : { status: 200, body: JSON.stringify(body) };
  const answers: Readonly<Record<string, TestIssuer['answer']>> = {
    'another issuer': metadata({ issuer: 'https://evil.example', jwks_uri: `${issuer.url}/keys` }),
    'clear text': metadata({ issuer: issuer.url, jwks_uri: issuer.url.replace('https', 'http') }),
    'no keys': metadata({ issuer: issuer.url }),
    redirect: () => ({ status: 302, body: '' }),
    'no JSON': () => ({ status: 200, body: '<html>' }),
    list: () => ({ status: 200, body: '[]' }),
    'too long': () => ({ status: 200, body: `{"a":"${'x'.repeat(300_000)}"}` }),
    'odd keys': (path) => (path === '/keys' ? { status: 200, body: '{"keys":7}' } : undefined),
    'too many keys': (path) =>
      path === '/keys' ? { status: 200, body: JSON.stringify({ keys: Array(200).fill({}) }) } : undefined,
  };
  for (const [name, answer] of Object.entries(answers)) {
    issuer.answer = answer;
    await clock.advance(MINUTE_MS);
    assert.equal(await is(token), 'cannot-tell', name);
  }
  assert.equal(events.count('token.issuer-down'), 1);
  assert.ok(!issuer.asked.includes('/elsewhere'));
});

test('an issuer that hangs is waited for a bounded time, by all who need it together', async (t) => {
  const { issuer, patient, clock } = await open(t);
  issuer.answer = () => null;
  const token = await issuer.token();
  const reads = Promise.all(Array.from({ length: 20 }, () => patient.read(token)));
  while (issuer.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(5_000);
  assert.ok((await reads).every(({ kind }) => kind === 'cannot-tell'));
  assert.equal(issuer.asked.length, 1);
  assert.equal(clock.pending(), 0);
});

test('an issuer whose certificate nobody vouches for is not believed', async (t) => {
  const { issuer, is, set, events } = await open(t);
  await set({ 'oauth.trust': '' });
  assert.equal(await is(issuer.token()), 'cannot-tell');
  assert.match(String(events.last('token.issuer-down')?.reason), /self.signed|certificate/i);
});

test('attack: alg none, in any spelling, with and without a signature', async (t) => {
  const { issuer, is } = await open(t);
  const [, payload, signature] = (await issuer.token()).split('.');
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, ['RS256'], 'HS512', 'A128KW', 'dir'])
    for (const end of ['', signature])
      assert.match(await is(`${part({ alg, typ: 'JWT' })}.${payload}.${end}`), /^(?:algorithm|form)$/, String(alg));
  assert.deepEqual(issuer.asked, []);
});

test('attack: HS256 signed with the RSA public key', async (t) => {
  const { issuer, is } = await open(t);
  const [, payload] = (await issuer.token()).split('.');
  const said = `${part({ alg: 'HS256', kid: 'first', typ: 'JWT' })}.${payload}`;
  for (const secret of [await exportSPKI(issuer.key.publicKey), issuer.key.jwk.n!, JSON.stringify(issuer.key.jwk)])
    assert.equal(await is(`${said}.${createHmac('sha256', secret).update(said).digest('base64url')}`), 'algorithm');
});

test('attack: a claim is changed behind the signature, or the signature is another’s', async (t) => {
  const { issuer, is } = await open(t);
  const [header, payload, signature] = (await issuer.token()).split('.') as [string, string, string];
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  assert.equal(await is(`${header}.${part({ ...claims, email: 'boss@example.com' })}.${signature}`), 'signature');
  const mine = await issuerKey('first');
  assert.equal(await is(issuer.token({}, {}, mine)), 'signature');
});

test('attack: a key of my own, brought along in the header', async (t) => {
  const { issuer, is, clock } = await open(t);
  const mine = await issuerKey('first');
  const evil = await startIssuer(t, { now: clock.now });
  evil.keys = [mine.jwk];
  const headers = [
    { jku: `${evil.url}/keys` },
    { x5u: `${evil.url}/keys` },
    { jwk: mine.jwk },
    { x5c: ['MIIB'] },
    { kid: `${evil.url}/keys` },
  ];
  for (const header of headers)
    assert.match(await is(issuer.token({}, header as never, mine)), /^(?:signature|key)$/, JSON.stringify(header));
  assert.deepEqual(evil.asked, []);
});

test('attack: path traversal, a query and a null byte in kid', async (t) => {
  const { issuer, is, clock } = await open(t);
  await clock.advance(MINUTE_MS);
  for (const kid of [
    '../../../../dev/null',
    '/etc/passwd',
    "first' OR '1'='1",
    'first\0',
    '__proto__',
    'x'.repeat(2_000),
  ])
    assert.equal(await is(issuer.token({}, { kid })), 'key', kid.slice(0, 30));
  for (const kid of [7, {}, null, ['first']])
    assert.match(await is(issuer.token({}, { kid } as never)), /^(?:key|form)$/, String(kid));
  assert.ok(issuer.asked.every((path) => path === '/keys' || path === '/.well-known/openid-configuration'));
});

test('attack: a flood of unknown kids does not make us fetch per attempt', async (t) => {
  const { issuer, is, clock } = await open(t);
  assert.equal(await is(issuer.token()), `yes ${ALICE}`);
  await clock.advance(2 * MINUTE_MS);
  const flood = await Promise.all(Array.from({ length: 50 }, (_, i) => issuer.token({}, { kid: `guess-${i}` })));
  const answers = await Promise.all(flood.map(is));
  assert.ok(answers.every((answer) => answer === 'key'));
  assert.equal(issuer.asked.length, 4, 'metadata and keys, twice');
  assert.equal(await is(issuer.token()), `yes ${ALICE}`);
});

test('attack: a token of an issuer that nobody named, which would be asked for its keys', async (t) => {
  const { is, clock } = await open(t);
  const evil = await startIssuer(t, { now: clock.now });
  assert.equal(await is(evil.token()), 'issuer');
  assert.equal(await is(evil.token({ iss: ['https://127.0.0.1'] })), 'issuer');
  assert.equal(await is(evil.token({ iss: undefined })), 'issuer');
  assert.deepEqual(evil.asked, []);
});

test('attack: another tenant’s issuer vouches for a user of this domain', async (t) => {
  const { issuer, is, set, clock } = await open(t);
  const tenant = await startIssuer(t, { now: clock.now });
  await set({ 'oauth.issuers': [`${tenant.url} ${AUDIENCE}`] }, 'tenant.example');
  assert.equal(await is(tenant.token({ email: 'bob@tenant.example' })), 'yes bob@tenant.example');
  assert.equal(await is(tenant.token({ email: ALICE })), 'issuer');
  assert.equal(await is(issuer.token({ email: 'bob@tenant.example' })), 'issuer');
  assert.equal(await is(issuer.token({ email: 'bob@elsewhere.example' })), 'issuer');
  // Its own keys, under our issuer's name.
  assert.match(await is(tenant.token({ iss: issuer.url })), /^(?:key|signature)$/);
  // The one whom all domains trust is not the one of a domain that has its own.
  await set({ 'oauth.issuers': [`${tenant.url} ${AUDIENCE}`] });
  assert.equal(await is(tenant.token({ email: ALICE })), 'issuer');
});

test('attack: a token for another audience, for none, and one of another issuer’s audience', async (t) => {
  const { issuer, is, set, clock } = await open(t);
  for (const aud of ['another-app', undefined, '', [], 7, AUDIENCE.toUpperCase()])
    assert.equal(await is(issuer.token({ aud })), 'audience', String(aud));
  const second = await startIssuer(t, { now: clock.now });
  await set({ 'oauth.issuers': [`${issuer.url} ${AUDIENCE}`, `${second.url} second-client`] }, 'example.com');
  assert.equal(await is(second.token({ aud: 'second-client' })), `yes ${ALICE}`);
  assert.equal(await is(second.token({ aud: AUDIENCE })), 'audience');
});

test('attack: an expired token, one of the future, and one that never ends', async (t) => {
  const { issuer, is, clock } = await open(t);
  const now = clock.now() / 1000;
  for (const claims of [{ exp: now - 61 }, { nbf: now + 61 }, { exp: undefined }, { exp: 'never' }, { exp: null }])
    assert.equal(await is(issuer.token(claims)), 'time', JSON.stringify(claims));
});

test('attack: what the issuer signed for another purpose', async (t) => {
  const { issuer, is } = await open(t);
  for (const typ of ['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'JWE'])
    assert.equal(await is(issuer.token({}, { typ })), 'type');
  assert.equal(
    await is(issuer.token({}, { crit: ['exp-bound'], 'exp-bound': 1 } as never).catch(() => 'x.y.z')),
    'form',
  );
});

test('attack: a giant token, and what is no token at all', async (t) => {
  const { issuer, tokens } = await open(t);
  const giant = `${part({ alg: 'RS256' })}.${part({ a: 'x'.repeat(20_000) })}.AAAA`;
  assert.equal(outcome(await tokens.read(giant)), 'form');
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc
          .array(fc.json(), { maxLength: 4 })
          .map((all) => all.map((json) => Buffer.from(json).toString('base64url')).join('.')),
      ),
      async (text) => {
        assert.equal((await tokens.read(text)).kind, 'no');
      },
    ),
    { numRuns: 300 },
  );
  assert.deepEqual(issuer.asked, []);
});

test('a line of oauth.issuers is an https URL as tokens spell it, and audiences', () => {
  assert.deepEqual(parseIssuer(' https://issuer.example/t  a  b '), {
    url: 'https://issuer.example/t',
    audiences: ['a', 'b'],
  });
  for (const wrong of [
    '',
    'https://issuer.example',
    'http://issuer.example a',
    'https://u@issuer.example a',
    'https://issuer.example/?x a',
    'https://issuer.example/# a',
    'issuer.example a',
    'https:// a',
  ])
    assert.equal(parseIssuer(wrong), undefined, wrong);
});

test('an attacker names himself by a claim that he can change: by default only a verified email counts', async (t) => {
  const { issuer, is } = await open(t);
  const without = { email: undefined, email_verified: undefined };
  for (const claim of ['preferred_username', 'upn', 'sub', 'unique_name'])
    assert.equal(await is(issuer.token({ ...without, [claim]: ALICE })), 'address', claim);
  assert.equal(await is(issuer.token({ email_verified: undefined, upn: ALICE })), 'address');
  assert.equal(await is(issuer.token({ email_verified: false })), 'address');
});
