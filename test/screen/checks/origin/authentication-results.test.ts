import assert from 'node:assert/strict';
import test from 'node:test';
import { rsaKey, sign } from './keys.ts';
import { LETTER, sendFrom } from './origin.ts';

const key = rsaKey('remote.example', 'one');
const RECORDS = {
  'remote.example': { MX: [[1, 'mx.remote.example']], TXT: ['v=spf1 ip4:198.51.100.7 -all'] },
  '7.100.51.198.in-addr.arpa': { PTR: ['client.remote.example'] },
  'client.remote.example': { A: ['198.51.100.7'] },
  [key.name]: { TXT: [key.record.match(/.{1,200}/g) ?? []] },
  '_dmarc.remote.example': { TXT: ['v=DMARC1; p=reject'] },
  'default._bimi.remote.example': { TXT: ['v=BIMI1; l=https://remote.example/logo.svg; a='] },
} as const;

test('what was found is written above the message, in one name', async (t) => {
  const sent = await sendFrom(t, { records: RECORDS, message: await sign(LETTER, key) });
  assert.equal(sent.outcome, 'accept');
  const [spf, results] = sent.edits.map((edit) => (edit.kind === 'prepend' ? edit.raw.replaceAll(/\r\n\t/g, ' ') : ''));
  assert.match(spf!, /^Received-SPF: pass \(.*\) client-ip=198\.51\.100\.7; envelope-from=bob@remote\.example;/);
  assert.match(results!, /^Authentication-Results: mx\.postern\.example; spf=pass smtp\.mailfrom=remote\.example;/);
  for (const word of [
    /dkim=pass header\.d=remote\.example header\.s=one header\.a=rsa-sha256 header\.b=/,
    /dmarc=pass policy\.dmarc=reject header\.from=remote\.example/,
    /iprev=pass \(client\.remote\.example\) policy\.iprev=198\.51\.100\.7/,
    /bimi=pass header\.d=remote\.example header\.selector=default/,
  ])
    assert.match(results!, word);
});

test('what may be wrong with a valid signature stands beside its pass', async (t) => {
  const added = `Subject: another\r\n${await sign(LETTER, key)}`;
  const { edits } = await sendFrom(t, { records: RECORDS, message: added });
  const written = edits.map((edit) => (edit.kind === 'prepend' ? edit.raw.replaceAll(/\r\n\t/g, ' ') : '')).join('');
  assert.match(written, /dkim=pass \(From, To, Subject or Date was added to what is signed\) header\.d=remote/);
});

test('a signature without tags gives no empty values', async (t) => {
  const { edits } = await sendFrom(t, { records: RECORDS, message: `DKIM-Signature: v=1; a=; b=;; d=\r\n${LETTER}` });
  for (const edit of edits) if (edit.kind === 'prepend') assert.doesNotMatch(edit.raw, /=""/);
});

test('an attacker writes results in our name: they are removed, those of others stay', async (t) => {
  const forged = [
    'Authentication-Results: mx.postern.example; dmarc=pass header.from=bank.example\r\n',
    'Authentication-Results: mx.other.example; spf=pass\r\n',
    'Authentication-Results: (mx) MX.Postern.Example/1; dkim=pass\r\n',
    'Received-SPF: pass (x) receiver=mx.postern.example; client-ip=192.0.2.1;\r\n',
  ].join('');
  const { edits } = await sendFrom(t, { records: RECORDS, message: forged + LETTER });
  assert.deepEqual(
    edits.filter(({ kind }) => kind === 'remove'),
    [
      { kind: 'remove', name: 'authentication-results', occurrence: 0 },
      { kind: 'remove', name: 'authentication-results', occurrence: 2 },
      { kind: 'remove', name: 'received-spf', occurrence: 0 },
    ],
  );
});

test('a name of strangers never breaks out of its field', async (t) => {
  const { edits } = await sendFrom(t, { records: RECORDS, helo: 'evil.example";x=y' });
  for (const edit of edits)
    if (edit.kind === 'prepend') assert.match(edit.raw, /^[\w-]+: [^\r\n]*(\r\n\t[^\r\n]*)*\r\n$/);
});

test('the copies of all recipients share one list of edits', async (t) => {
  const { message } = await sendFrom(t, { records: RECORDS, to: ['alice@example.com', 'postmaster@example.com'] });
  assert.ok(message?.kind === 'commit');
  assert.equal(message.edits[0], message.edits[1]);
});
