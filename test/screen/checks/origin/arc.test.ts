import assert from 'node:assert/strict';
import test from 'node:test';
import type { ArcEvidence, DmarcEvidence } from '../../../../src/screen/checks/origin/types.ts';
import { rsaKey, type StrangersKey, sign } from './keys.ts';
import { LETTER, type Sending, sendFrom } from './origin.ts';

const sealer = rsaKey('forwarder.example', 'arc');
const stranger = rsaKey('stranger.example', 'arc');

const PASSED = 'dmarc=pass header.from=remote.example';

/** One more ARC set on top, which says that DMARC passed. */
async function seal(
  message: string,
  key: StrangersKey,
  cv: 'none' | 'pass' = 'none',
  results = PASSED,
): Promise<string> {
  const { sealMessage } = await import('mailauth/lib/arc/index.js');
  const headers = await sealMessage(Buffer.from(message, 'latin1'), {
    signingDomain: key.domain,
    selector: key.selector,
    privateKey: key.privateKey,
    algorithm: 'rsa-sha256',
    cv,
    authResults: `mx.${key.domain}; ${results}`,
    signTime: new Date(Date.UTC(2026, 0, 4)),
  } as Parameters<typeof sealMessage>[1]);
  return headers.toString('latin1') + message;
}

const strings = (text: string): string[] => text.match(/.{1,200}/g) ?? [];
const forwarded = (message: string, more: Sending = {}): Sending => ({
  from: 'srs@forwarder.example',
  message,
  ...more,
  records: {
    'forwarder.example': { MX: [[1, 'mx.forwarder.example']] },
    [sealer.name]: { TXT: [strings(sealer.record)] },
    [stranger.name]: { TXT: [strings(stranger.record)] },
    '_dmarc.remote.example': { TXT: ['v=DMARC1; p=reject'] },
    ...more.records,
  },
});

const trusting = { 'arc.trustedSealers': ['forwarder.example'] };
const evidence = (sent: { evidence: Readonly<Record<string, unknown>> }) => sent.evidence['arc'] as ArcEvidence;

test('a chain of sealers that are trusted explains a DMARC failure, and the report says so', async (t) => {
  const message = await seal(LETTER, sealer);
  const trusted = await sendFrom(t, forwarded(message, { settings: trusting }));
  assert.deepEqual(
    [trusted.outcome, evidence(trusted).result, evidence(trusted).sealers],
    ['accept', 'pass', ['forwarder.example']],
  );
  assert.deepEqual((trusted.evidence['dmarc'] as unknown as DmarcEvidence).applied, {
    disposition: 'none',
    reasons: [{ type: 'trusted_forwarder', comment: 'arc=pass as.d=forwarder.example' }],
  });
  assert.equal((await sendFrom(t, forwarded(message))).outcome, 'hold user', 'nobody is trusted by default');
});

test('an attacker invents the first set, and a trusted forwarder seals over it: nothing is explained', async (t) => {
  const message = await seal(await seal(LETTER, stranger), sealer, 'pass');
  const sent = await sendFrom(t, forwarded(message, { settings: trusting }));
  assert.deepEqual(evidence(sent).sealers, ['forwarder.example', 'stranger.example']);
  assert.equal(sent.outcome, 'hold user');
});

test('an attacker has a trusted forwarder seal a pass of his own domain, or several results: nothing is explained', async (t) => {
  const said: readonly (readonly [results: string, outcome: string])[] = [
    ['dmarc=pass header.from=evil.example', 'hold user'],
    ['dmarc=fail header.from=remote.example; dmarc=pass header.from=evil.example', 'hold user'],
    ['dmarc=pass header.from=evil.example; dmarc=pass header.from=remote.example', 'hold user'],
    ['dmarc=pass header.from=evil.example header.from=remote.example', 'hold user'],
    ['dmarc=pass; dmarc=fail', 'hold user'],
    ['dmarc=pass header.from="remote.example.evil.example"', 'hold user'],
    ['spf=pass smtp.mailfrom="x; dmarc=pass header.from=remote.example"@evil.example', 'hold user'],
    ['spf=pass (; dmarc=pass header.from=remote.example)', 'hold user'],
    ['dmarc=pass', 'accept'],
    ['dmarc=pass (p=reject) header.from=Remote.Example.', 'accept'],
    ['DMARC/1 = pass header . from = bob@remote.example', 'accept'],
    ['dmarc=pass header.from=remote.example; dmarc=pass header.from="remote.example"', 'accept'],
  ];
  for (const [results, outcome] of said) {
    const sent = await sendFrom(t, forwarded(await seal(LETTER, sealer, 'none', results), { settings: trusting }));
    assert.equal(evidence(sent).result, 'pass', results);
    assert.equal(sent.outcome, outcome, results);
  }
});

test('a broken chain is as if there were none, and a key that cannot be told is temporary', async (t) => {
  const message = await seal(LETTER, sealer);
  const broken = await sendFrom(t, forwarded(message.replace('Hello.', 'Goodbye.'), { settings: trusting }));
  assert.deepEqual([broken.outcome, evidence(broken).result], ['hold user', 'fail']);
  const records = { [sealer.name]: { fault: 'SERVFAIL' } } as const;
  const untold = await sendFrom(t, forwarded(message, { settings: trusting, records }));
  assert.deepEqual([untold.outcome, evidence(untold).result], ['accept', 'temperror']);
  const deferring = { ...trusting, 'authentication.dnsTrouble': 'defer' };
  assert.equal((await sendFrom(t, forwarded(message, { settings: deferring, records }))).outcome, '451 4.4.3');
  assert.equal(
    (await sendFrom(t, forwarded(message, { records }))).outcome,
    'hold user',
    'nobody is trusted by default',
  );
});

test('where DKIM and DMARC are off, a signed message without a chain is not verified and asks for no key', async (t) => {
  const settings = { 'dkim.enabled': false, 'dmarc.enabled': false };
  const key = rsaKey('remote.example', 'one');
  const { zone } = await sendFrom(t, { message: await sign(LETTER, key), settings });
  assert.ok(!zone.queries.some(({ name }) => name === key.name));
});

test('an attacker has a trusted forwarder seal a pass of one author, and names two who asked for rejection', async (t) => {
  const text = LETTER.replace('bob@remote.example', 'bob@remote.example, boss@bank.example');
  const records = { '_dmarc.bank.example': { TXT: ['v=DMARC1; p=reject'] } };
  for (const results of [PASSED, 'dmarc=pass']) {
    const message = await seal(text, sealer, 'none', results);
    const sent = await sendFrom(t, forwarded(message, { settings: trusting, records }));
    assert.equal(sent.outcome, 'hold user', results);
  }
});
