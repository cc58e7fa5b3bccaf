/** What mail costs in look-ups, and what becomes of it when the node has none. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { rsaKey, sign } from './keys.ts';
import { CLIENT, LETTER, type Sending, sendFrom } from './origin.ts';

const PTR = '7.100.51.198.in-addr.arpa';
const A = { A: [CLIENT] };

/** A record as providers publish it: includes, a and mx, and a name server's worth of names behind them. */
const ORDINARY: NonNullable<Sending['records']> = {
  'remote.example': {
    TXT: ['v=spf1 include:one.example include:two.example include:three.example a mx -all'],
    A: ['192.0.2.9'],
    MX: [1, 2, 3, 4, 5].map((n) => [n, `mx${n}.remote.example`] as const),
  },
  'one.example': { TXT: ['v=spf1 ip4:192.0.2.0/28 a:a1.example a:a2.example -all'] },
  'two.example': { TXT: ['v=spf1 include:more.example -all'] },
  'more.example': { TXT: ['v=spf1 ip4:192.0.2.16/28 -all'] },
  'three.example': { TXT: ['v=spf1 ip4:192.0.2.32/28 -all'] },
  'a1.example': { A: ['192.0.2.1'] },
  'a2.example': { A: ['192.0.2.1'] },
  ...Object.fromEntries([1, 2, 3, 4].map((n) => [`mx${n}.remote.example`, { A: ['192.0.2.9'] }] as const)),
  'mx5.remote.example': A,
  'client.remote.example': { ...A, TXT: ['v=spf1 include:one.example include:two.example a mx -all'] },
  [PTR]: { PTR: Array.from({ length: 10 }, (_, n) => `p${n}.remote.example`) },
  'p9.remote.example': A,
};

test('MAIL and RCPT of an ordinary record cost at most 40 questions, whoever greets', async (t) => {
  for (const helo of ['client.remote.example', 'remote.example', 'nowhere.example', 'two.example']) {
    const sent = await sendFrom(t, { records: ORDINARY, helo });
    assert.equal(sent.outcome, 'accept');
    assert.equal((sent.evidence['spf'] as unknown as { mail: { result: string } }).mail.result, 'pass');
    const asked = sent.zone.queries.filter(({ name }) => !name.startsWith('_dmarc.'));
    assert.ok(asked.length <= 40, `${asked.length} questions with HELO ${helo}`);
  }
});

/** As much as RFC 7208 allows: ten terms of ten exchangers. */
function large(domain: string): NonNullable<Sending['records']> {
  const ten = Array.from({ length: 10 }, (_, n) => n);
  return {
    [domain]: { MX: [[1, 'mx']], TXT: [`v=spf1 ${ten.map((n) => `mx:m${n}.${domain}`).join(' ')} -all`] },
    ...Object.fromEntries(
      ten.map((n) => [`m${n}.${domain}`, { MX: ten.map((m) => [m, `h${n}-${m}.${domain}`] as const) }]),
    ),
    ...Object.fromEntries(ten.flatMap((n) => ten.map((m) => [`h${n}-${m}.${domain}`, { A: ['192.0.2.1'] }]))),
  };
}

test('an attacker publishes the largest record: it is asked to the limits of RFC 7208, and HELO is left out', async (t) => {
  const records = { ...large('remote.example'), ...large('client.example') };
  const sent = await sendFrom(t, { records, helo: 'client.example' });
  assert.equal(sent.outcome, '550 5.7.23');
  assert.ok(sent.zone.queries.length <= 125, `${sent.zone.queries.length} questions`);
  // Where MAIL passes, HELO decides nothing, and its record is not read to its end.
  const passes = { ...records, 'remote.example': { MX: [[1, 'mx'] as const], TXT: ['v=spf1 +all'] } };
  const recorded = await sendFrom(t, { records: passes, helo: 'client.example' });
  assert.equal(recorded.outcome, 'accept');
  assert.equal(recorded.evidence['spf']?.['helloIdentity'], undefined);
  assert.ok(recorded.zone.queries.length <= 40, `${recorded.zone.queries.length} questions`);
  const decides = await sendFrom(t, {
    records: passes,
    helo: 'client.example',
    settings: { 'spf.heloAction': 'refuse' },
  });
  assert.equal(decides.outcome, '550 5.7.23');
});

test('an attacker names no recipient who would be accepted: nobody is asked', async (t) => {
  const moves: readonly Sending[] = [
    { to: [] },
    { to: ['nobody@example.com'] },
    { to: ['victim@elsewhere.example', 'out%elsewhere.example@example.com'] },
    { to: ['nobody@example.com'], lists: [{ list: 'allow', kind: 'host', value: '*.example' }] },
    { to: ['victim@elsewhere.example'], lists: [{ list: 'allow', kind: 'address', value: '*@remote.example' }] },
    { to: ['alice@example.com'], lists: [{ list: 'block', kind: 'ip', value: '198.51.100.0/24' }] },
    { to: ['alice@example.com'], lists: [{ list: 'block', kind: 'address', value: '*@remote.example' }] },
  ];
  for (const move of moves) {
    const { zone, first } = await sendFrom(t, { records: ORDINARY, ...move });
    assert.deepEqual(zone.queries, [], JSON.stringify(move));
    assert.notEqual(first?.accepted, true);
  }
});

test('a recipient whom a proven sender could reach is not refused before the sender is asked about', async (t) => {
  const lists = [{ list: 'allow', kind: 'address', value: 'bob@remote.example', owner: 'example.com' }] as const;
  const blocked = [...lists, { list: 'block', kind: 'ip', value: CLIENT }] as const;
  assert.equal((await sendFrom(t, { records: ORDINARY, lists: blocked })).outcome, 'accept');
});

const key = rsaKey('remote.example', 'one');
const signed = await sign(LETTER, key);

test('whichever look-up the node is short of, mail that passes otherwise waits, also where DNS trouble is accepted', async (t) => {
  const records = {
    ...ORDINARY,
    [key.name]: { TXT: [key.record.match(/.{1,200}/g) ?? []] },
    '_dmarc.remote.example': { TXT: ['v=DMARC1; p=reject'] },
  };
  const send = (name: string, more: Sending = {}) =>
    sendFrom(t, { records, message: signed, shortOf: (asked) => asked === name, ...more });
  assert.equal((await send('none')).outcome, 'accept');
  for (const name of [PTR, 'p3.remote.example', 'remote.example', 'mx2.remote.example', 'client.remote.example']) {
    const sent = await send(name);
    assert.equal(sent.outcome, '451 4.3.2', name);
    assert.equal(sent.message, undefined);
  }
  for (const name of [key.name, '_dmarc.remote.example']) {
    const sent = await send(name);
    assert.equal(sent.first?.accepted, true);
    assert.equal(sent.outcome, '451 4.3.2', name);
  }
  // Nor does a setting for the trouble of others change the answer.
  const defers = { settings: { 'authentication.dnsTrouble': 'defer' } };
  assert.equal((await send('remote.example', defers)).outcome, '451 4.3.2');
});

test('an attacker forges From of a p=reject domain while the node is short: never accepted', async (t) => {
  const records = {
    'evil.example': { MX: [[1, 'mx.evil.example'] as const], TXT: ['v=spf1 +all'] },
    'bank.test': { TXT: ['v=spf1 -all'] },
    '_dmarc.bank.test': { TXT: ['v=DMARC1; p=reject'] },
  };
  const message = LETTER.replace('bob@remote.example', 'boss@bank.test');
  const send = (name: string) =>
    sendFrom(t, { records, message, from: 'x@evil.example', shortOf: (asked) => asked === name });
  assert.equal((await send('none')).outcome, '550 5.7.1');
  for (const name of ['_dmarc.bank.test', 'bank.test', '_dmarc.test'])
    assert.match((await send(name)).outcome, /^(451|550) /, name);
});

/** Fields of a chain that nobody made; each set names keys of its own. */
function arcSets(count: number): string {
  const sets = Array.from({ length: count }, (_, n) => count - n).map((i) => {
    const tags = `i=${i}; a=rsa-sha256; d=d${i}.evil.example; t=1767484800; b=AAAA`;
    return (
      `ARC-Seal: ${tags}; s=s${i}; cv=${i === 1 ? 'none' : 'pass'}\r\n` +
      `ARC-Message-Signature: ${tags}; c=relaxed/relaxed; s=m${i}; h=from; bh=AAAA\r\n` +
      `ARC-Authentication-Results: i=${i}; evil.example; dmarc=pass\r\n`
    );
  });
  return sets.join('');
}

function signatures(count: number, domain: string): string {
  return Array.from(
    { length: count },
    (_, n) =>
      `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=${domain}; s=k${n}; t=1767484800; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n`,
  ).join('');
}

test('an attacker brings so many seals and signatures that no question is left for the policy: p=reject holds', async (t) => {
  const records = {
    'evil.example': { MX: [[1, 'mx.evil.example'] as const], TXT: ['v=spf1 +all'] },
    'bank.test': { TXT: ['v=spf1 -all'] },
    '_dmarc.bank.test': { TXT: ['v=DMARC1; p=reject'] },
  };
  const forged = LETTER.replace('bob@remote.example', 'boss@bank.test');
  for (const fields of [arcSets(50) + signatures(10, 'bank.test'), signatures(10, 'bank.test') + arcSets(50)]) {
    const sent = await sendFrom(t, { records, message: fields + forged, from: 'x@evil.example' });
    assert.equal(sent.outcome, '550 5.7.1', JSON.stringify(sent.evidence['dmarc']));
  }
});
