import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SaslVerdict } from '../../src/wire/sasl/types.ts';
import { manualClock } from '../support/clock.ts';
import { dialogue } from '../support/dialogue.ts';
import { NOBODY, startReceiver, type TestReceiverOptions } from '../support/receive/services.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const oauth = (token: string): string =>
  base64(`n,a=alice@example.com,\x01host=mx\x01port=587\x01auth=${token && `Bearer ${token}`}\x01\x01`);
const xoauth2 = (token: string): string => base64(`user=alice@example.com\x01auth=Bearer ${token}\x01\x01`);
/** RFC 7628 3.2.3. */
const DUMMY = base64('\x01');

const CONFIGURATION = 'https://issuer.example/.well-known/openid-configuration';

function listen(t: TestContext, options: TestReceiverOptions = {}) {
  const answers: Readonly<Record<string, SaslVerdict>> = {
    good: { kind: 'yes', account: 'alice@example.com' },
    unreachable: { kind: 'cannot-tell', reason: 'the issuer is down' },
    narrow: { kind: 'no', reason: 'wrong', token: { status: 'insufficient_scope', scope: 'mail' } },
  };
  return startReceiver(t, {
    profile: 'submission',
    settings: { 'smtp.authFailureFloorMs': 0 },
    credentials: {
      ...NOBODY,
      offers: () => ({ scram: false, bearer: true, cramMd5: false, external: false }),
      bearer: async (_, token) =>
        answers[token] ?? {
          kind: 'no',
          reason: 'wrong',
          token: { status: 'invalid_token', scope: 'mail', configuration: CONFIGURATION },
        },
    },
    ...options,
  });
}

const secured = ({ port }: { port: number }, lines: string) =>
  dialogue(
    { port },
    `
    S: 220
    C: EHLO client.example
    S: 250
    C: STARTTLS
    S: 220
    -- TLS
    C: EHLO client.example
    S: 250 .. OAUTHBEARER XOAUTH2
    ${lines}
  `,
  );

test('a user signs in by a token, in both forms, at once or when asked', async (t) => {
  const node = await listen(t);
  for (const said of [
    `C: AUTH OAUTHBEARER ${oauth('good')}`,
    `C: AUTH XOAUTH2 ${xoauth2('good')}`,
    `C: AUTH OAUTHBEARER\nS: 334\nC: ${oauth('good')}`,
  ])
    (await secured(node, `${said}\nS: 235 2.7.0`)).close();
  assert.equal(node.events.count('smtp.auth.succeeded'), 3);
});

test('a refused token gets the reason as JSON, and 535 once the client has said its dummy', async (t) => {
  const node = await listen(t);
  const told = base64(
    JSON.stringify({ status: 'invalid_token', scope: 'mail', 'openid-configuration': CONFIGURATION }),
  );
  const narrow = base64(JSON.stringify({ status: 'insufficient_scope', scope: 'mail' }));
  const old = base64(JSON.stringify({ status: '401', schemes: 'bearer', scope: 'mail' }));
  for (const said of [
    `C: AUTH OAUTHBEARER ${oauth('bad')}\nS: 334 .. ${told}\nC: ${DUMMY}`,
    `C: AUTH OAUTHBEARER ${oauth('')}\nS: 334 .. ${told}\nC: ${DUMMY}`,
    `C: AUTH OAUTHBEARER ${oauth('narrow')}\nS: 334 .. ${narrow}\nC: ${DUMMY}`,
    `C: AUTH XOAUTH2 ${xoauth2('bad')}\nS: 334 .. ${old}\nC: `,
    `C: AUTH OAUTHBEARER ${oauth('bad')}\nS: 334\nC: *`,
  ])
    (await secured(node, `${said}\nS: 535 5.7.8\nC: NOOP\nS: 250`)).close();
  assert.equal(node.events.count('smtp.auth.failed'), 5);
});

test('an issuer that cannot be reached is nobody’s fault: 454 at once, and no failure is counted', async (t) => {
  const node = await listen(t);
  const auth = `C: AUTH OAUTHBEARER ${oauth('unreachable')}\nS: 454 4.7.0\n`;
  (await secured(node, `${auth.repeat(6)}C: AUTH OAUTHBEARER ${oauth('good')}\nS: 235`)).close();
});

test('attack: a guesser goes away, cancels or says more than its dummy in place of hearing 535: it counts', async (t) => {
  const node = await listen(t, { settings: { 'smtp.authFailureFloorMs': 0, 'smtp.maxAuthFailures': 3 } });
  const guess = `C: AUTH OAUTHBEARER ${oauth('bad')}\nS: 334`;
  await secured(
    node,
    `${guess}\nC: *\nS: 535\n${guess}\nC: ${oauth('good')}\nS: 535\n${guess}\nC: ${'A'.repeat(40_000)}\nS: 421\n-- END`,
  );
  const gone = await secured(node, guess);
  gone.close();
  assert.equal(node.events.count('smtp.auth.failed'), 4);
});

test('attack: the time until the challenge tells nothing either: it comes at the floor', async (t) => {
  const clock = manualClock();
  const node = await listen(t, { clock, settings: { 'smtp.authFailureFloorMs': 1500 } });
  const client = await secured(node, `C~ AUTH OAUTHBEARER ${oauth('bad')}`);
  await client.say('\r\n');
  while (node.events.count('smtp.auth.failed') === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(client.unread, []);
  await clock.advance(1500);
  assert.equal((await client.hear()).code, 334);
  client.close();
});
