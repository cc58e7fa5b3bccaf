import assert from 'node:assert/strict';
import { createSign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { bodyHashes } from '../../../../src/protocol/dkim/body-hashes.ts';
import { relaxedField } from '../../../../src/protocol/dkim/canonical.ts';
import { AUTHENTICATION_LIMITS } from '../../../../src/screen/checks/origin/limits.ts';
import { readWithCrLf, suiteFolder } from '../../../protocol/mime/suites.ts';
import { manualClock } from '../../../support/clock.ts';
import { rsaKey, sign } from './keys.ts';
import { RFC_KEYS, RFC6376, RFC8463 } from './rfc-examples.ts';
import { signed, verify } from './signed.ts';
import { type TableRecords, tableResolver, txt } from './table-resolver.ts';

const LETTER =
  'From: Bob <bob@example.org>\r\nTo: alice@example.com\r\nSubject: hello\r\nDate: Sun, 4 Jan 2026 00:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\nOne line.\r\nAnother  line. \r\n\r\n\r\n';

const key = rsaKey('example.org', 'one');
const zone: Record<string, TableRecords> = { [key.name]: { TXT: [txt(key.record)] } };

const results = async (message: string, records: Record<string, TableRecords> = zone, clock = manualClock()) => {
  const { dkim } = await verify(signed(message), tableResolver(records), { clock });
  return dkim.signatures.map(({ result }) => result);
};
const only = async (message: string, records: Record<string, TableRecords> = zone, clock = manualClock()) => {
  const { dkim } = await verify(signed(message), tableResolver(records), { clock });
  assert.equal(dkim.signatures.length, 1);
  return dkim.signatures[0]!;
};

test('the examples of RFC 8463 and RFC 6376 verify', async () => {
  const { dkim } = await verify(signed(RFC8463), tableResolver(RFC_KEYS));
  assert.deepEqual(
    dkim.signatures.map(({ domain, selector, algorithm, result }) => [domain, selector, algorithm, result]),
    [
      ['football.example.com', 'brisbane', 'ed25519-sha256', 'pass'],
      ['football.example.com', 'test', 'rsa-sha256', 'pass'],
    ],
  );
  assert.deepEqual(await results(RFC6376, { ...RFC_KEYS }), ['pass']);
});

test('a body is hashed the same at every split of its chunks', async () => {
  for (const canonicalization of ['simple/simple', 'relaxed/relaxed']) {
    const message = await sign(LETTER, key, { canonicalization });
    for (let chunk = 1; chunk < 90; chunk++) {
      const { dkim } = await verify(signed(message, chunk), tableResolver(zone));
      assert.equal(dkim.signatures[0]?.result, 'pass', `${canonicalization} in chunks of ${chunk}`);
    }
  }
});

const suite = suiteFolder('dkim/dkimpy');

test('the samples of dkimpy verify, and its bad keys do not', { skip: suite.skip }, async () => {
  const file = (name: string): string => readFileSync(join(suite.folder, name), 'utf8');
  const message = readWithCrLf(join(suite.folder, 'rfc6376.signed.msg')).toString('latin1');
  assert.deepEqual(await results(message, RFC_KEYS), ['pass', 'pass']);
  const ed25519 = readWithCrLf(join(suite.folder, 'ed25519test.msg')).toString('latin1');
  const unsigned = await results(ed25519, {});
  assert.deepEqual(unsigned, []);
  const own = {
    ...key,
    privateKey: file('test.private'),
    name: 'test._domainkey.example.com',
    domain: 'example.com',
    selector: 'test',
  };
  const letter = readWithCrLf(join(suite.folder, 'test.message')).toString('latin1');
  const signedLetter = await sign(letter, own);
  const withKey = (name: string) => results(signedLetter, { [own.name]: { TXT: [txt(file(name).trim())] } });
  assert.deepEqual(await withKey('test.txt'), ['pass']);
  for (const bad of ['badk.txt', 'badversion.txt', 'test_bad.txt', 'test_tlsrpt.txt'])
    assert.notDeepEqual(await withKey(bad), ['pass'], bad);
});

test('a changed body or field fails, and is not mistaken for our trouble', async () => {
  const message = await sign(LETTER, key);
  assert.deepEqual(await results(message.replace('One line', 'Two lines')), ['fail']);
  assert.deepEqual(await results(message.replace('hello', 'hullo')), ['fail']);
});

test('name servers that do not answer are a temporary result, a key that is gone is not', async () => {
  const message = await sign(LETTER, key);
  for (const fails of ['timeout', 'servfail', 'refused', 'malformed'] as const)
    assert.deepEqual(await results(message, { [key.name]: { fails } }), ['temperror'], fails);
  assert.deepEqual(await results(message, {}), ['neutral']);
  assert.equal((await only(message, { [key.name]: { TXT: [txt('v=DKIM1; p=')] } })).result, 'neutral');
});

test('a key in many strings, and one that was rotated since, are what they are', async () => {
  const message = await sign(LETTER, key);
  const strings = key.record.match(/.{1,50}/gs) ?? [];
  assert.deepEqual(await results(message, { [key.name]: { TXT: [txt(...strings)] } }), ['pass']);
  const next = rsaKey('example.org', 'one');
  assert.deepEqual(await results(message, { [key.name]: { TXT: [txt(next.record)] } }), ['fail']);
  assert.deepEqual(await results(message, { [key.name]: { TXT: [txt('x'.repeat(255).repeat(200))] } }), ['neutral']);
});

test('a key of less than the smallest length signs nothing', async () => {
  const small = rsaKey('example.org', 'small', 1024);
  const message = await sign(LETTER, small);
  const resolver = tableResolver({ [small.name]: { TXT: [txt(small.record)] } });
  assert.equal((await verify(signed(message), resolver)).dkim.signatures[0]?.result, 'pass');
  const strict = await verify(signed(message), resolver, { minimumKeyBits: 2048 });
  assert.equal(strict.dkim.signatures[0]?.result, 'policy');
});

test('an attacker appends behind l= and signs nothing by it', async () => {
  const message = await sign(LETTER, key, { maxBodyLength: 9 });
  const kept = await only(message);
  assert.ok(kept.flags.includes('body-length'));
  const appended = await only(`${message}<a href="https://attacker.example">win</a>\r\n`);
  assert.equal(appended.result, 'policy');
  assert.ok(appended.flags.includes('body-added'));
});

test('an attacker writes l= beyond the body, so that what is appended later would be covered: it fails', async () => {
  const hashes = bodyHashes([{ how: 'relaxed' }]);
  hashes.push(Buffer.from(LETTER.slice(LETTER.indexOf('\r\n\r\n') + 4)));
  const draft = `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=one; h=from; l=100000; bh=${hashes.end()[0]!.hash}; b=`;
  const covered = `${relaxedField('From: Bob <bob@example.org>')}\r\n${relaxedField(draft)}`;
  const signature = createSign('sha256').update(covered).sign(key.privateKey, 'base64');
  const beyond = await only(`${draft}${signature}\r\n${LETTER}`);
  assert.deepEqual([beyond.result, beyond.detail], ['fail', 'l= is longer than the body']);
  const length = 'One line.\r\nAnother line.\r\n'.length;
  assert.equal((await only(await sign(LETTER, key, { maxBodyLength: length }))).result, 'pass', 'all of it is signed');
});

test('an attacker adds a second Subject to a signed message, and it is flagged', async () => {
  const message = await sign(LETTER, key);
  const plain = await only(message);
  assert.equal(plain.result, 'pass');
  assert.ok(plain.flags.includes('not-over-signed'));
  const replayed = await only(`Subject: you have won\r\n${message}`);
  assert.equal(replayed.result, 'pass');
  assert.ok(replayed.flags.includes('field-added'));
});

test('clocks may differ by minutes, not by days', async () => {
  const at = Date.UTC(2026, 0, 5);
  const expires = new Date(at);
  const message = await sign(LETTER, key, { expires });
  const within = manualClock(at + AUTHENTICATION_LIMITS.clockSkewMs - 1000);
  const beyond = manualClock(at + AUTHENTICATION_LIMITS.clockSkewMs + 1000);
  assert.deepEqual(await results(message, zone, within), ['pass']);
  assert.deepEqual(await results(message, zone, beyond), ['neutral']);
  const signedAt = (ms: number) => sign(LETTER, key, { signTime: new Date(ms) });
  const slightly = await only(await signedAt(at + AUTHENTICATION_LIMITS.clockSkewMs - 1000), zone, manualClock(at));
  assert.deepEqual([slightly.result, slightly.flags.includes('signed-ahead')], ['pass', false]);
  const ahead = await only(await signedAt(at + AUTHENTICATION_LIMITS.clockSkewMs + 2000), zone, manualClock(at));
  assert.deepEqual([ahead.result, ahead.flags.includes('signed-ahead')], ['fail', true]);
});

test('an attacker signs a hundred times: ten are read, and the rest is told', async () => {
  const one = (await sign(LETTER, key)).slice(0, -LETTER.length);
  const many = one.repeat(100) + LETTER;
  const resolver = tableResolver(zone);
  const { dkim } = await verify(signed(many), resolver);
  assert.equal(dkim.signatures.length, AUTHENTICATION_LIMITS.signatures);
  assert.equal(dkim.unread, 90);
  assert.equal(resolver.asked.length, 1);
});

test('an attacker folds a header into fifty thousand lines: nothing is verified, and at once', async () => {
  const message = `X-Long: a\r\n${' b\r\n'.repeat(50_000)}${await sign(LETTER, key)}`;
  const { dkim } = await verify(signed(message), tableResolver(zone));
  assert.deepEqual([dkim.signatures.length, dkim.unread], [0, 1]);
});

test('an attacker writes h= of thirty thousand names: such a signature is not read', async () => {
  const message = `DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=one; bh=x; b=x; h=${'from:'.repeat(6000)}to\r\n${LETTER}`;
  const { dkim } = await verify(signed(message), tableResolver(zone));
  assert.deepEqual([dkim.signatures.length, dkim.unread], [0, 1]);
});

test('a message without signature asks nobody and loads nothing', async () => {
  const resolver = tableResolver(zone);
  const { dkim, arc } = await verify(signed(LETTER), resolver);
  assert.deepEqual([dkim.signatures.length, arc.result, resolver.asked.length], [0, 'none', 0]);
});

test('over hundreds of changes to signed messages the verifier lets nothing pass that mailauth, as a witness, does not', async () => {
  const { dkimVerify } = await import('mailauth/lib/dkim/verify.js');
  const body = LETTER.slice(LETTER.indexOf('\r\n\r\n') + 4);
  const messages = await Promise.all(
    ['simple/simple', 'relaxed/relaxed', 'simple/relaxed', 'relaxed/simple'].flatMap((canonicalization) => [
      sign(LETTER, key, { canonicalization }),
      sign(LETTER, key, { canonicalization, headerList: 'from:from:subject:subject:x-none' }),
      sign(LETTER.slice(0, -body.length), key, { canonicalization }),
      sign(LETTER, key, { canonicalization, maxBodyLength: 24 }),
    ]),
  );
  const pieces = [
    ' ',
    '\t',
    '\r\n',
    '\r\n ',
    'x',
    ';',
    '=',
    ':',
    'b=',
    'Subject: x\r\n',
    'no field\r\n',
    '\r',
    '\u00e9',
  ];
  const resolver = tableResolver(zone);
  const witness = async (name: string) => {
    const answer = await resolver.resolve(name, 'TXT');
    if (answer.kind !== 'found') throw Object.assign(new Error('none'), { code: 'ENOTFOUND' });
    return answer.records.map((strings) => strings.map((text) => Buffer.from(text).toString('latin1')));
  };
  let passes = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...messages),
      fc.array(fc.tuple(fc.nat(1200), fc.constantFrom(...pieces), fc.boolean()), { maxLength: 2 }),
      async (message, changes) => {
        let text = message;
        for (const [at, piece, isReplaced] of changes) {
          const place = 1 + (at % text.length);
          text = text.slice(0, place) + piece + text.slice(place + (isReplaced ? piece.length : 0));
        }
        const options = { resolver: witness, strict: true, curTime: new Date(manualClock().now()) };
        const seen = await dkimVerify(Buffer.from(text, 'latin1'), options as Parameters<typeof dkimVerify>[1]);
        const expected = (seen.results as { status: { result: string; underSized?: number } }[]).filter(
          ({ status }) => status.result === 'pass' && !status.underSized,
        ).length;
        const got = (await results(text)).filter((result) => result === 'pass').length;
        passes += got;
        // mailauth reads bare CRs, and lines that are no fields, more leniently.
        assert.ok(got <= expected, JSON.stringify(text));
        if (changes.length === 0) assert.equal(got, expected);
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(passes > 40, `${passes} pass`);
});
