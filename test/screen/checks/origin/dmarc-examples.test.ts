/** The examples of RFC 9989, as they stand in its sections 4.10 and B. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { DmarcEvidence } from '../../../../src/screen/checks/origin/types.ts';
import { rsaKey, sign } from './keys.ts';
import { sendFrom } from './origin.ts';

interface Example {
  readonly author: string;
  /** Passes SPF; absent: somebody else's that does not. */
  readonly mailFrom?: string;
  /** Whose signature passes. */
  readonly signedBy?: string;
  /** DMARC records by domain. */
  readonly policies: Readonly<Record<string, string>>;
}

/** The examples have strangers write as a domain that is ours in these tests. */
const ANYBODY = { 'relay.onlyDomainServers': false, 'relay.senderMustExist': false };

async function evaluate(t: TestContext, { author, mailFrom, signedBy, policies }: Example) {
  const letter = `From: sender@${author}\r\nTo: alice@example.com\r\nSubject: here's a sample\r\nDate: Sun, 4 Jan 2026 00:00:00 +0000\r\nMessage-ID: <1@${author}>\r\n\r\nHello.\r\n`;
  const key = signedBy === undefined ? undefined : rsaKey(signedBy, 'one');
  const records = Object.fromEntries([
    ...Object.entries(policies).map(([domain, record]) => [`_dmarc.${domain}`, { TXT: [record] }]),
    ...(mailFrom === undefined ? [] : [[mailFrom, { TXT: ['v=spf1 +all'], MX: [[1, 'mx.example.com']] }]]),
    ...(key ? [[key.name, { TXT: [key.record.match(/.{1,200}/g) ?? []] }]] : []),
  ]);
  const { evidence, zone } = await sendFrom(t, {
    records,
    settings: ANYBODY,
    from: `sender@${mailFrom ?? 'remote.example'}`,
    message: key ? await sign(letter, key) : letter,
  });
  const walked = zone.queries.flatMap(({ name }) => (name.startsWith('_dmarc.') ? [name.slice('_dmarc.'.length)] : []));
  return { ...(evidence['dmarc'] as DmarcEvidence), walked };
}

const RELAXED = { 'example.com': 'v=DMARC1; p=none' };
const STRICT = { 'example.com': 'v=DMARC1; p=none; aspf=s; adkim=s' };

test('B.1.1: SPF aligns strictly by one domain, relaxedly by one organization, and not by another', async (t) => {
  const aligned = async (mailFrom: string, author: string, policies: Example['policies']) =>
    (await evaluate(t, { mailFrom, author, policies })).spfAligned;
  assert.equal(await aligned('example.com', 'example.com', STRICT), true, 'example 1');
  assert.equal(await aligned('child.example.com', 'example.com', RELAXED), true, 'example 2');
  assert.equal(await aligned('child.example.com', 'example.com', STRICT), false, 'example 2, which is not strict');
  assert.equal(await aligned('example.net', 'child.example.com', RELAXED), false, 'example 3');
});

test('B.1.2: DKIM aligns strictly by one domain, relaxedly by one organization, and not by another', async (t) => {
  const aligned = async (signedBy: string, author: string, policies: Example['policies']) =>
    (await evaluate(t, { signedBy, author, policies })).dkimAligned;
  assert.equal(await aligned('example.com', 'example.com', STRICT), true, 'example 1');
  assert.equal(await aligned('example.com', 'child.example.com', RELAXED), true, 'example 2');
  assert.equal(await aligned('example.com', 'child.example.com', STRICT), false, 'example 2, which is not strict');
  assert.equal(await aligned('example.net', 'child.example.com', RELAXED), false, 'example 3');
});

test('B.3.1: identifiers of one organization pass, whatever policy is asked for', async (t) => {
  const { spfAligned, dkimAligned, result } = await evaluate(t, {
    author: 'example.com',
    mailFrom: 'mail.example.com',
    signedBy: 'example.com',
    policies: { 'example.com': 'v=DMARC1; p=reject; aspf=r; rua=mailto:dmarc-feedback@example.com' },
  });
  assert.deepEqual([spfAligned, dkimAligned, result], [true, true, 'pass']);
});

test('4.10: a deep domain costs eight queries, and no public suffix list', async (t) => {
  const { walked } = await evaluate(t, { author: 'a.b.c.d.e.f.g.h.i.j.mail.example.com', policies: {} });
  assert.deepEqual(walked, [
    'a.b.c.d.e.f.g.h.i.j.mail.example.com',
    'g.h.i.j.mail.example.com',
    'h.i.j.mail.example.com',
    'i.j.mail.example.com',
    'j.mail.example.com',
    'mail.example.com',
    'example.com',
    'com',
  ]);
});

const BOTH = { ...RELAXED, 'signing.example.com': 'v=DMARC1; p=none' };

test('B.4.1: the record with the fewest labels names the organization', async (t) => {
  const found = await evaluate(t, {
    author: 'example.com',
    mailFrom: 'example.com',
    signedBy: 'signing.example.com',
    policies: BOTH,
  });
  assert.deepEqual([found.spfAligned, found.dkimAligned, found.record?.domain], [true, true, 'example.com']);
});

test('B.4.2: a deep author domain finds the policy of its organization, and aligns with it', async (t) => {
  const found = await evaluate(t, {
    author: 'a.b.c.d.e.f.g.h.i.j.k.example.com',
    mailFrom: 'example.com',
    signedBy: 'signing.example.com',
    policies: BOTH,
  });
  assert.deepEqual([found.spfAligned, found.dkimAligned, found.record?.domain], [true, true, 'example.com']);
});

test('B.4.3: below a public suffix domain each name is an organization of its own', async (t) => {
  const found = await evaluate(t, {
    author: 'giant.bank.example',
    mailFrom: 'mail.giant.bank.example',
    signedBy: 'mail.mega.bank.example',
    policies: { 'bank.example': 'v=DMARC1; p=reject; psd=y', 'giant.bank.example': 'v=DMARC1; p=quarantine' },
  });
  assert.deepEqual([found.spfAligned, found.dkimAligned, found.record?.domain], [true, false, 'giant.bank.example']);
});

test('4.10.2: the organization of a.mail.example.com is what its records say', async (t) => {
  /** Whether the domains are one organization: relaxed alignment of SPF with the author. */
  const together = async (mailFrom: string, policies: Example['policies']) =>
    (await evaluate(t, { author: 'a.mail.example.com', mailFrom, policies })).spfAligned;
  const policy = 'v=DMARC1; p=none';
  const two = { 'mail.example.com': policy, 'example.com': policy };
  assert.equal(await together('example.com', two), true, 'example.com, as it has the fewest labels');
  const own = { 'mail.example.com': `${policy}; psd=n`, 'example.com': policy };
  assert.equal(await together('mail.example.com', own), true, 'mail.example.com, as it says so');
  assert.equal(await together('example.com', own), false, 'and then not example.com');
  const suffix = { com: `${policy}; psd=y` };
  assert.equal(await together('example.com', suffix), true, 'example.com, which is below the suffix');
  assert.equal(await together('example.net', { ...suffix, net: `${policy}; psd=y` }), false, 'and no other');
});
