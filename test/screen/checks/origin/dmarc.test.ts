import assert from 'node:assert/strict';
import test from 'node:test';
import type { DmarcEvidence } from '../../../../src/screen/checks/origin/types.ts';
import { defineCheck } from '../../../../src/screen/engine/check.ts';
import { rsaKey, sign } from './keys.ts';
import { type Sending, sendFrom } from './origin.ts';

const key = rsaKey('remote.example', 'one');
const listKey = rsaKey('lists.example', 'one');

const letter = (from: string, extra = ''): string =>
  `${extra}From: ${from}\r\nTo: alice@example.com\r\nSubject: hello\r\nDate: Sun, 4 Jan 2026 00:00:00 +0000\r\nMessage-ID: <1@remote.example>\r\n\r\nHello.\r\n`;

/** Mail in somebody's name, by a sender of its own who passes SPF. */
const FORGED: Sending = {
  from: 'eve@attacker.example',
  message: letter('Boss <boss@remote.example>'),
  records: {
    'attacker.example': { MX: [[1, 'mx.attacker.example']], TXT: ['v=spf1 +all'] },
    [key.name]: { TXT: [key.record.match(/.{1,200}/g) ?? []] },
    [listKey.name]: { TXT: [listKey.record.match(/.{1,200}/g) ?? []] },
  },
};

const forged = (policy: string, more: Sending = {}): Sending => ({
  ...FORGED,
  ...more,
  records: { ...FORGED.records, '_dmarc.remote.example': { TXT: [policy] }, ...more.records },
});

const evidenceOf = (sent: { evidence: Readonly<Record<string, unknown>> }) => sent.evidence['dmarc'] as DmarcEvidence;

const suspicious = defineCheck({
  id: 'lookAlike',
  stage: 'message',
  guide: 'a check that finds something',
  exempt: [],
  protects: false,
  suspects: true,
  codes: { found: 'it looks like another' },
  settings: {},
  observe: () => ({}),
  judge: () => [{ code: 'found', action: 'accept' }] as const,
});

test('psd=n ends the walk, psd=y names the domain below, np is for names that do not exist', async (t) => {
  const of = async (from: string, records: Sending['records']) =>
    evidenceOf(await sendFrom(t, { ...FORGED, message: letter(from), records: { ...FORGED.records, ...records } }));
  const bank = { '_dmarc.bank': { TXT: ['v=DMARC1; p=reject; psd=y'] } };
  assert.deepEqual(
    [(await of('a@branch.bank', bank)).policy, (await of('a@branch.bank', bank)).record?.domain],
    ['reject', 'bank'],
  );
  const own = {
    '_dmarc.sub.remote.example': { TXT: ['v=DMARC1; p=none; psd=n'] },
    '_dmarc.remote.example': { TXT: ['v=DMARC1; p=reject'] },
  };
  assert.equal((await of('a@x.sub.remote.example', own)).record?.domain, 'sub.remote.example');
  const np = {
    '_dmarc.remote.example': {
      TXT: ['v=DMARC1; p=none; sp=quarantine; np=reject; pct=0; ri=60; rf=afrf; rua=mailto:d@remote.example!10m'],
    },
  };
  assert.equal((await of('a@nowhere.remote.example', np)).policy, 'reject');
  const there = await of('a@there.remote.example', { ...np, 'there.remote.example': { A: ['192.0.2.1'] } });
  assert.deepEqual([there.policy, there.record?.rua], ['quarantine', ['mailto:d@remote.example']]);
});

test('p=reject alone holds for the user; a second finding refuses', async (t) => {
  const reject = 'v=DMARC1; p=reject';
  const alone = await sendFrom(t, forged(reject));
  assert.equal(alone.outcome, 'hold user');
  assert.deepEqual(evidenceOf(alone).applied, {
    disposition: 'quarantine',
    reasons: [{ type: 'local_policy', comment: 'no second finding agrees' }],
  });
  const denied = await sendFrom(t, forged(reject, { records: { 'remote.example': { TXT: ['v=spf1 -all'] } } }));
  assert.equal(denied.outcome, '550 5.7.1');
  assert.deepEqual(evidenceOf(denied).applied, { disposition: 'reject', reasons: [] });
  assert.equal((await sendFrom(t, forged(reject, { extraChecks: [suspicious] }))).outcome, '550 5.7.1');
  assert.equal((await sendFrom(t, forged(reject, { settings: { 'dmarc.onReject': 'refuse' } }))).outcome, '550 5.7.1');
});

test('each policy has its own action, and t=y asks for one step less', async (t) => {
  const outcome = async (policy: string, settings = {}) => (await sendFrom(t, forged(policy, { settings }))).outcome;
  assert.equal(await outcome('v=DMARC1; p=none'), 'accept');
  assert.equal(await outcome('v=DMARC1; p=quarantine'), 'hold user');
  assert.equal(await outcome('v=DMARC1; p=quarantine', { 'dmarc.onQuarantine': 'score' }), 'accept');
  assert.equal(await outcome('v=DMARC1; p=quarantine', { 'dmarc.onQuarantine': 'refuse' }), '550 5.7.1');
  assert.equal(await outcome('v=DMARC1; p=quarantine; t=y'), 'accept');
  const test = await sendFrom(t, forged('v=DMARC1; p=reject; t=y'));
  assert.equal(test.outcome, 'hold user');
  assert.deepEqual(evidenceOf(test).applied?.reasons, [{ type: 'policy_test_mode' }]);
});

test('tag marks the subject of the copy, and the policy that failed', async (t) => {
  const { edits, outcome } = await sendFrom(t, forged('v=DMARC1; p=reject', { settings: { 'dmarc.onReject': 'tag' } }));
  assert.equal(outcome, 'accept');
  assert.deepEqual(
    edits.filter((edit) => edit.kind !== 'prepend' || edit.raw.startsWith('X-DMARC')),
    [
      { kind: 'prepend', raw: 'X-DMARC-Fail-Policy: reject\r\n' },
      { kind: 'replace', name: 'subject', occurrence: 0, raw: 'Subject: *** FRAUD *** hello\r\n' },
    ],
  );
});

test('a list that proves its name explains a failure, even where something else speaks against it', async (t) => {
  const message = await sign(
    letter('Boss <boss@remote.example>', 'List-Id: Friends <friends.lists.example>\r\n'),
    listKey,
  );
  const listed = await sendFrom(t, forged('v=DMARC1; p=reject', { message, extraChecks: [suspicious] }));
  assert.equal(listed.outcome, 'hold user');
  assert.deepEqual(evidenceOf(listed).applied?.reasons, [{ type: 'mailing_list', comment: 'friends.lists.example' }]);
  const claimed = letter('Boss <boss@remote.example>', 'List-Id: Friends <friends.lists.example>\r\n');
  assert.equal(
    (await sendFrom(t, forged('v=DMARC1; p=reject', { message: claimed, extraChecks: [suspicious] }))).outcome,
    '550 5.7.1',
  );
});

test('no author, too many domains, two From fields: there is nothing to validate, and it is said', async (t) => {
  for (const [from, outcome] of [
    ['undisclosed', 'accept'],
    ['Cron Daemon <root>', 'accept'],
    ['boss@remote.example, root@[192.0.2.1]', 'hold user'],
    ['a@a.example, b@b.example, c@c.example, d@d.example, e@e.example, f@f.example', 'hold user'],
    ['boss@remote.example@other.example', 'hold user'],
    ['boss@[192.0.2.1]', 'hold user'],
  ] as const) {
    const sent = await sendFrom(t, {
      ...FORGED,
      message: letter(from),
      settings: { 'dmarc.unclearAuthor': 'quarantine' },
    });
    assert.equal(sent.outcome, outcome, from);
    assert.equal(evidenceOf(sent).result, 'permerror', from);
    assert.ok(sent.codes.includes('dmarc no-single-author'), from);
  }
  const refused = await sendFrom(t, {
    ...FORGED,
    message: letter('boss@[192.0.2.1]'),
    settings: { 'dmarc.unclearAuthor': 'refuse' },
  });
  assert.equal(refused.outcome, '550 5.7.1');
});

for (const [move, from] of [
  ['hides a zero-width space in it', 'boss@rem\u200bote.example'],
  ['hides a soft hyphen in it', 'boss@rem\u00adote.example'],
  ['hides a joiner in it', 'boss@rem\u200dote.example'],
  ['writes a full-width letter', 'boss@\uff52emote.example'],
  ['writes a mathematical letter', 'Boss <boss@\u{1d42b}emote.example>'],
  ['puts spaces around its dots', 'boss @ remote . example'],
  ['folds it behind a dot', 'boss@remote.\r\n example'],
  ['puts a comment before a dot', 'boss@remote(c).example'],
  ['ends it in a dot', 'boss@remote.example.'],
] as const) {
  test(`a forger writes the author domain so that it looks like another: he ${move}`, async (t) => {
    const message = Buffer.from(letter(from)).toString('latin1');
    const sent = await sendFrom(t, forged('v=DMARC1; p=reject', { message, settings: { 'dmarc.onReject': 'refuse' } }));
    assert.deepEqual([sent.outcome, evidenceOf(sent).headerFrom], ['550 5.7.1', 'remote.example']);
  });
}

for (const [move, domain] of [
  ['encodes it', '=?utf-8?q?remote.example?='],
  ['puts a NUL behind it', 'remote.example\0'],
  ['puts a control character into it', 'rem\x08ote.example'],
  ['puts an octet into it that is no UTF-8', 'remote\xff.example'],
  ['doubles its dot', 'remote..example'],
  ['puts a dot before it', '.remote.example'],
  ['ends it in two dots', 'remote.example..'],
  ['puts it in brackets', '[remote.example]'],
  ['puts it in quotes', '"remote.example"'],
  ['puts an address behind it', 'remote.example@attacker.example'],
  ['gives an address literal', '[198.51.100.7]'],
  ['makes a label too long', `${'a'.repeat(64)}.remote.example`],
  ['makes it too long', `${'abcdefgh.'.repeat(30)}remote.example`],
] as const) {
  test(`a forger writes an author domain that cannot be one: he ${move}`, async (t) => {
    const settings = { 'dmarc.unclearAuthor': 'refuse' };
    const sent = await sendFrom(t, { ...FORGED, message: letter(`boss@${domain}`), settings });
    assert.deepEqual([sent.outcome, evidenceOf(sent).result], ['550 5.7.1', 'permerror']);
    assert.equal(evidenceOf(sent).detail, 'an address of the From field has no domain that can be read');
  });
}

test('a forger signs in the name that his disguise is for those who do not map, and is not aligned', async (t) => {
  const own = rsaKey('xn--remote-4x0c.example', 'one');
  const message = await sign(Buffer.from(letter('boss@rem\u200bote.example')).toString('latin1'), own);
  const records = { [own.name]: { TXT: [own.record.match(/.{1,200}/g) ?? []] } };
  const sent = await sendFrom(t, forged('v=DMARC1; p=reject', { message, records }));
  assert.equal(evidenceOf(sent).dkim[0]?.result, 'pass');
  assert.deepEqual([evidenceOf(sent).result, evidenceOf(sent).dkim[0]?.aligned], ['fail', false]);
});

test('an author domain in letters of its own passes by the A-labels that signed', async (t) => {
  const own = rsaKey('xn--mller-kva.example', 'one');
  const message = await sign(Buffer.from(letter('boss@M\u00fcller.example')).toString('latin1'), own);
  const records: Sending['records'] = {
    ...FORGED.records,
    [own.name]: { TXT: [own.record.match(/.{1,200}/g) ?? []] },
    '_dmarc.xn--mller-kva.example': { TXT: ['v=DMARC1; p=reject'] },
  };
  const sent = await sendFrom(t, { ...FORGED, message, records });
  assert.deepEqual([sent.outcome, evidenceOf(sent).result], ['accept', 'pass']);
});

test('a policy that cannot be told now is no reason to refuse', async (t) => {
  const failing: Sending = {
    ...FORGED,
    records: { ...FORGED.records, '_dmarc.remote.example': { fault: 'SERVFAIL' } },
  };
  const accepted = await sendFrom(t, failing);
  assert.deepEqual([accepted.outcome, evidenceOf(accepted).result], ['accept', 'temperror']);
  assert.equal(
    (await sendFrom(t, { ...failing, settings: { 'authentication.dnsTrouble': 'defer' } })).outcome,
    '451 4.4.3',
  );
});

test('a signature of the author domain whose key cannot be told now is no failure', async (t) => {
  const message = await sign(letter('Bob <bob@remote.example>'), key);
  const records = { [key.name]: { fault: 'SERVFAIL' }, 'remote.example': { TXT: ['v=spf1 -all'] } } as const;
  const untold = await sendFrom(t, forged('v=DMARC1; p=reject', { message, records }));
  assert.deepEqual([untold.outcome, evidenceOf(untold).result], ['accept', 'temperror']);
});

test('an attacker brings a signature of its own that nobody can look up, and gains nothing', async (t) => {
  const own = rsaKey('attacker.example', 'broken');
  const message = await sign(letter('Boss <boss@remote.example>'), own);
  const records = { [own.name]: { fault: 'SERVFAIL' }, 'remote.example': { TXT: ['v=spf1 -all'] } } as const;
  assert.equal((await sendFrom(t, forged('v=DMARC1; p=reject', { message, records }))).outcome, '550 5.7.1');
});

test('who is authenticated or a mail server of the domain is not verified, and nothing is asked', async (t) => {
  const settings = { 'senderMatchesLogin.envelope': false, 'senderMatchesLogin.from': false };
  const sent = await sendFrom(t, { ...FORGED, settings, account: 'alice@example.com' });
  assert.deepEqual(sent.evidence['dmarc'], { made: false, why: 'authenticated' });
  assert.deepEqual(sent.edits, []);
});

/** Eve passes SPF as attacker.example, which asks for rejection itself; so does remote.example, which did not send. */
const beside = (from: string, more: Sending = {}): Sending =>
  forged('v=DMARC1; p=reject', {
    ...more,
    message: letter(from),
    records: { '_dmarc.attacker.example': { TXT: ['v=DMARC1; p=reject'] }, ...more.records },
  });

test('a forger names an author who passes beside the forged one: the one who does not decides', async (t) => {
  for (const from of [
    'eve@attacker.example, boss@remote.example',
    'boss@remote.example, eve@attacker.example',
    'boss@remote.example <eve@attacker.example>',
    'Boss: boss@remote.example, eve@attacker.example;',
    '=?utf-8?q?boss=40remote.example?=, eve@attacker.example',
  ]) {
    const sent = await sendFrom(t, beside(from));
    assert.deepEqual([sent.outcome, evidenceOf(sent).headerFrom], ['hold user', 'remote.example'], from);
    assert.deepEqual(evidenceOf(sent).failing, ['remote.example'], from);
  }
  const own = await sendFrom(t, beside('Eve, Inc. <eve@attacker.example>'));
  assert.deepEqual([own.outcome, evidenceOf(own).result], ['accept', 'pass']);
});

test('a list that rewrites From to its own address and keeps the name of the author passes', async (t) => {
  const sent = await sendFrom(t, beside('"boss@remote.example via Group" <eve@attacker.example>'));
  assert.deepEqual([sent.outcome, evidenceOf(sent).result], ['accept', 'pass']);
});

test('an allowed author who is proven exempts no forged author beside it', async (t) => {
  const lists = [{ list: 'allow', kind: 'address', value: 'eve@attacker.example' }] as const;
  const from = 'bounce@attacker.example';
  const alone = await sendFrom(t, { ...beside('eve@attacker.example', { lists }), from });
  assert.ok(JSON.stringify(alone.evidence['recipients']).includes('allowListed'));
  const both = await sendFrom(t, { ...beside('eve@attacker.example, boss@remote.example', { lists }), from });
  assert.equal(both.outcome, 'hold user');
});
