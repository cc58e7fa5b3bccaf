/** What arrives: trace, edits and conversions, byte for byte; and what is refused for a peer that cannot take it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { HeaderEdit } from '../../src/model/content.ts';
import { OperationalError } from '../../src/model/errors.ts';
import { startPeer } from '../support/peer.ts';
import { brokenContent } from './support/content.ts';
import { addressOf, claimOf, deliveryHarness, type Letter } from './support/harness.ts';

const EVERYTHING = ['PIPELINING', 'SIZE 10000000', '8BITMIME', 'SMTPUTF8', 'DSN', 'CHUNKING', 'BINARYMIME'];

async function arrangement(t: test.TestContext, extensions: readonly string[], settings = {}) {
  const peer = await startPeer(t, { extensions });
  const harness = deliveryHarness(t, { servers: { 'example.com': [{ port: peer.port }] }, settings });
  const send = async (letter: Letter) => {
    const results = await harness.deliver(claimOf(letter));
    return { results, first: results[0]!, message: peer.messages.at(-1) };
  };
  return { ...harness, peer, send };
}

const line = fc.oneof(
  fc.constant(''),
  fc.constant('.'),
  fc.constant('..'),
  fc.string({ unit: 'grapheme-ascii', maxLength: 90 }),
);
const text = fc
  .array(
    line.map((each) => each.replace(/[\r\n]/g, ' ')),
    { maxLength: 30 },
  )
  .map((lines) => lines.map((each) => `${each}\r\n`).join(''));

for (const extensions of [[], ['PIPELINING'], EVERYTHING]) {
  test(`what arrives is trace, edits and content, byte for byte, at a peer offering ${extensions.length} extensions`, async (t) => {
    const { send } = await arrangement(t, extensions);
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.array(text, { maxLength: 2 }),
        fc.boolean(),
        fc.boolean(),
        async (body, above, isStreamed, edited) => {
          const fields = [
            'Received: from a\r\n',
            'Subject: old\r\n',
            'X-Spam: no\r\n',
            'received: from b\r\n folded\r\n',
          ];
          const edits: HeaderEdit[] = above.map((raw) => ({ kind: 'prepend', raw }));
          if (edited)
            edits.push(
              { kind: 'replace', name: 'SUBJECT', occurrence: 0, raw: 'Subject: new\r\n' },
              { kind: 'remove', name: 'Received', occurrence: 1 },
              { kind: 'remove', name: 'Absent', occurrence: 0 },
            );
          const kept = edited ? ['Received: from a\r\n', 'Subject: new\r\n', 'X-Spam: no\r\n'] : fields;
          const { message } = await send({
            content: `${fields.join('')}\r\n${body}`,
            trace: 'Received: here\r\n',
            edits,
            isStreamed,
          });
          const expected = `${[...above].reverse().join('')}Received: here\r\n${kept.join('')}\r\n${body}`;
          assert.equal(message!.content.toString('latin1'), expected);
        },
      ),
      { numRuns: 60 },
    );
  });
}

test('a large message streams through with every byte in place', async (t) => {
  const content = Buffer.from(
    `Subject: large\r\n\r\n${'.A line that begins with a dot and goes on for a while.\r\n'.repeat(50_000)}`,
  );
  for (const extensions of [[], EVERYTHING]) {
    const { send } = await arrangement(t, extensions);
    const { message } = await send({ content, isStreamed: true });
    assert.ok(message!.content.equals(content));
  }
});

test('content that cannot be read to its end is never delivered in part', async (t) => {
  for (const extensions of [['PIPELINING'], EVERYTHING]) {
    const { deliver, peer } = await arrangement(t, extensions);
    const claim = {
      ...claimOf(),
      content: brokenContent(Buffer.from('Subject: x\r\n\r\nhalf a message\r\n'.repeat(5000))),
    };
    const [result] = await deliver(claim);
    assert.equal(result!.kind, 'deferred');
    assert.equal(result!.detail.status, '4.3.0');
    assert.equal(peer.messages.length, 0);
  }
});

test('content that is missing or damaged is told to the queue as such', async (t) => {
  const { deliver } = await arrangement(t, ['PIPELINING']);
  const damaged = new OperationalError('content.corrupt', 'cannot read the content, as its hash must be as stored');
  const claim = { ...claimOf(), content: brokenContent(Buffer.from('Subject: x\r\n'), damaged) };
  assert.equal((await deliver(claim))[0]!.kind, 'unreadable');
  const edits: HeaderEdit[] = [{ kind: 'remove', name: 'Subject', occurrence: 0 }];
  assert.equal((await deliver({ ...claim, edits }))[0]!.kind, 'unreadable');
});

test('a bare LF or CR that got into content leaves by DATA as a line end, never bare', async (t) => {
  for (const isStreamed of [false, true]) {
    const { send } = await arrangement(t, ['PIPELINING']);
    const content = 'Subject: x\r\n\r\none\ntwo\rthree\r\r\n\n.\n.\r\nend\r';
    const { message } = await send({ content, isStreamed });
    assert.equal(message!.content.toString(), 'Subject: x\r\n\r\none\r\ntwo\r\nthree\r\n\r\n\r\n.\r\n.\r\nend\r\n');
  }
});

test('a message whose last line has no end gets one by DATA', async (t) => {
  const { send } = await arrangement(t, []);
  assert.equal(
    (await send({ content: 'Subject: x\r\n\r\nend' })).message!.content.toString(),
    'Subject: x\r\n\r\nend\r\n',
  );
});

const EIGHT_BIT =
  'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n';

test('8-bit text goes as it is where the peer offers 8BITMIME', async (t) => {
  const { send, peer } = await arrangement(t, ['8BITMIME']);
  const { message } = await send({ content: EIGHT_BIT, body: '8BITMIME' });
  assert.equal(message!.content.toString(), EIGHT_BIT);
  assert.ok(peer.lines.some((said) => said.endsWith('BODY=8BITMIME')));
});

test('8-bit text becomes quoted-printable for a 7-bit peer', async (t) => {
  for (const isStreamed of [false, true]) {
    const { send, peer } = await arrangement(t, ['PIPELINING', 'CHUNKING']);
    const { message } = await send({ content: EIGHT_BIT, body: '8BITMIME', isStreamed, trace: 'Received: here\r\n' });
    const arrived = message!.content.toString('latin1');
    assert.match(arrived, /^Received: here\r\n/);
    assert.match(arrived, /Content-Transfer-Encoding: quoted-printable/i);
    assert.match(arrived, /Gr=C3=BC=C3=9Fe/);
    assert.ok(!peer.lines.some((said) => said.includes('BODY=')));
  }
});

test('conversion and header edits go together', async (t) => {
  const { send } = await arrangement(t, []);
  const edits: HeaderEdit[] = [
    { kind: 'replace', name: 'MIME-Version', occurrence: 0, raw: 'MIME-Version: 1.0 (edited)\r\n' },
  ];
  const { message } = await send({ content: EIGHT_BIT, body: '8BITMIME', edits });
  assert.match(message!.content.toString(), /1\.0 \(edited\)\r\n[\s\S]*quoted-printable[\s\S]*Gr=C3=BC/i);
});

test('a message announced as 8-bit that is 7-bit goes unchanged to a 7-bit peer', async (t) => {
  const { send } = await arrangement(t, []);
  const content = 'Subject: plain\r\n\r\nplain\r\n';
  assert.equal((await send({ content, body: '8BITMIME' })).message!.content.toString(), content);
});

test('8-bit inside a signature fails for a 7-bit peer, since a change would break the signature', async (t) => {
  const { send, peer } = await arrangement(t, []);
  const content = `MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b; protocol="application/pgp-signature"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n`;
  const { first } = await send({ content, body: '8BITMIME' });
  assert.equal(first.kind, 'failed');
  assert.equal(first.detail.status, '5.6.3');
  assert.equal(peer.messages.length, 0);
});

const BINARY = Buffer.concat([
  Buffer.from(
    'MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n',
  ),
  Buffer.from([0, 10, 13, 255, 10]),
]);

test('binary content goes by BDAT as it is to a peer that offers BINARYMIME, else as base64', async (t) => {
  const able = await arrangement(t, EVERYTHING);
  const { message } = await able.send({ content: BINARY, body: 'BINARYMIME' });
  assert.ok(message!.content.equals(BINARY));
  assert.equal(message!.by, 'BDAT');
  const unable = await arrangement(t, ['8BITMIME', 'CHUNKING']);
  const converted = await unable.send({ content: BINARY, body: 'BINARYMIME' });
  assert.match(converted.message!.content.toString('latin1'), /base64\r\n\r\nAAoN\/wo=/);
});

const INTERNATIONAL = 'Subject: Grüße\r\n\r\nbody\r\n';

test('an international message goes to a peer with SMTPUTF8 and says so', async (t) => {
  const { send, peer } = await arrangement(t, EVERYTHING);
  const { first, message } = await send({
    from: 'jürgen@elsewhere.example',
    to: ['jörg@example.com'],
    content: INTERNATIONAL,
    body: '8BITMIME',
    smtputf8: true,
  });
  assert.equal(first.kind, 'relayed');
  assert.equal(message!.content.toString(), INTERNATIONAL);
  assert.ok(peer.lines.some((said) => said.startsWith('MAIL FROM:<jürgen@') && said.includes('SMTPUTF8')));
});

test('without SMTPUTF8 at the peer, an ASCII message goes plainly', async (t) => {
  const { send, peer } = await arrangement(t, ['8BITMIME']);
  assert.equal((await send({ smtputf8: true })).first.kind, 'relayed');
  assert.ok(!peer.lines.some((said) => said.includes('SMTPUTF8')));
});

test('without SMTPUTF8 at the peer, international headers fail with 5.6.9 and addresses with 5.6.7, each recipient alone', async (t) => {
  const { send, peer } = await arrangement(t, ['8BITMIME']);
  const header = await send({ content: INTERNATIONAL, smtputf8: true, body: '8BITMIME' });
  assert.deepEqual([header.first.kind, header.first.detail.status], ['failed', '5.6.9']);
  const sender = await send({ from: 'jürgen@elsewhere.example', smtputf8: true });
  assert.deepEqual([sender.first.kind, sender.first.detail.status], ['failed', '5.6.7']);
  const { results } = await send({ to: ['jörg@example.com', 'alice@example.com'], smtputf8: true });
  assert.deepEqual(results.map(({ kind, detail }) => `${kind} ${detail.status}`).sort(), [
    'failed 5.6.7',
    'relayed 2.0.0',
  ]);
  assert.equal(peer.messages.length, 1);
});

test('a message larger than the peer says it takes is not sent', async (t) => {
  const { send, peer } = await arrangement(t, ['SIZE 100']);
  const { first } = await send({ content: `Subject: x\r\n\r\n${'x'.repeat(200)}\r\n` });
  assert.deepEqual([first.kind, first.detail.status], ['failed', '5.3.4']);
  assert.ok(!peer.lines.some((said) => said.startsWith('MAIL')));
});

test('SIZE says what will be sent, and DSN parameters pass where the peer takes them over', async (t) => {
  const able = await arrangement(t, ['SIZE', 'DSN']);
  const to = [
    {
      address: addressOf('alice@example.com'),
      notify: ['success', 'failure'] as const,
      orcpt: { type: 'rfc822', address: 'al+ice@example.com' },
    },
  ];
  const letter: Letter = {
    to,
    envid: 'id=1',
    ret: 'headers',
    trace: 'X: y\r\n',
    content: 'Subject: x\r\n\r\nbody\r\n',
  };
  const { first } = await able.send(letter);
  assert.equal(first.kind === 'relayed' && first.dsn, true);
  assert.ok(able.peer.lines.includes('MAIL FROM:<bob@elsewhere.example> SIZE=26 RET=HDRS ENVID=id+3D1'));
  assert.ok(
    able.peer.lines.includes('RCPT TO:<alice@example.com> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;al+2Bice@example.com'),
  );
  const unable = await arrangement(t, []);
  const plain = await unable.send(letter);
  assert.equal(plain.first.kind === 'relayed' && plain.first.dsn, false);
  assert.ok(unable.peer.lines.includes('RCPT TO:<alice@example.com>'));
});

test('recipients go in transactions of at most a hundred, or of what the peer takes', async (t) => {
  const to = Array.from({ length: 250 }, (_, i) => `user${i}@example.com`);
  const counts = async (extensions: string[]) => {
    const { send, peer } = await arrangement(t, extensions);
    const { results } = await send({ to });
    assert.equal(results.filter(({ kind }) => kind === 'relayed').length, 250);
    assert.equal(new Set(results.map(({ row }) => row)).size, 250);
    assert.equal(peer.sessions(), 1);
    return peer.messages.map(({ rcpt }) => rcpt.length);
  };
  assert.deepEqual(await counts(['PIPELINING']), [100, 100, 50]);
  assert.deepEqual(await counts(['LIMITS RCPTMAX=120']), [120, 120, 10]);
});

test('a peer that has enough recipients gets the rest in the next transaction', async (t) => {
  const peer = await startPeer(t, {
    extensions: ['PIPELINING'],
    answer: ({ line: said }) =>
      /<user[2-9]@/.test(said) && peer.messages.length === 0 ? '452 4.5.3 too many' : undefined,
  });
  const { deliver } = deliveryHarness(t, { servers: { 'example.com': [{ port: peer.port }] } });
  const results = await deliver(claimOf({ to: Array.from({ length: 5 }, (_, i) => `user${i}@example.com`) }));
  assert.ok(results.every(({ kind }) => kind === 'relayed'));
  assert.deepEqual(
    peer.messages.map(({ rcpt }) => rcpt.length),
    [2, 3],
  );
});

test('a peer that takes one message a session is not asked for a second', async (t) => {
  const { send, peer } = await arrangement(t, ['LIMITS MAILMAX=1']);
  await send({});
  await send({});
  assert.equal(peer.sessions(), 2);
});
