/** Our own reports reach every server: what they carry gives way before they fail. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { composeDsn } from '../../src/protocol/dsn/compose.ts';
import { decodeBase64 } from '../../src/protocol/mime/base64.ts';
import { parseTree } from '../../src/protocol/mime/tree.ts';
import { startPeer } from '../support/peer.ts';
import { claimOf, deliveryHarness, type Letter } from './support/harness.ts';

const PLAIN = 'From: alice@example.com\r\nSubject: Hello\r\n\r\nthe body\r\n';
const UTF8_HEADER = 'From: alice@example.com\r\nSubject: Grüße\r\n\r\nthe bödy\r\n';
const LATIN1_HEADER = Buffer.from('From: alice@example.com\r\nSubject: Gr\xfc\xdfe\r\n\r\nthe body\r\n', 'latin1');
const SIGNED = `Subject: signed\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b; protocol="application/pgp-signature"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n`;
const NESTED = `Subject: forwarded\r\nContent-Type: message/rfc822\r\n\r\n${UTF8_HEADER}`;

/** A failure report with RET=FULL about such a message. */
function reportOn(text: string | Buffer, recipients = ['bob@remote.example']): Letter {
  const original = Buffer.from(text);
  const dsn = composeDsn({
    reportingMta: 'mx.postern.example',
    from: 'mailer-daemon@mx.postern.example',
    to: 'alice@example.com',
    arrivedAt: 0,
    recipients: recipients.map((finalRecipient) => ({ action: 'failed', finalRecipient, status: '5.1.1' })),
    returned: {
      kind: 'full',
      sizeBytes: original.length,
      body: original.some((octet) => octet > 127) ? '8BITMIME' : '7BIT',
      smtputf8: false,
      header: original.subarray(0, original.indexOf('\r\n\r\n') + 2),
    },
    date: 0,
    messageId: '<n1@mx.postern.example>',
    boundary: 'made-by-chance',
  });
  const content = dsn.segments.map((part) =>
    part.kind === 'bytes' ? part.bytes : original.subarray(part.start, part.end),
  );
  return { from: null, author: '@mx.postern.example', content: Buffer.concat(content), body: dsn.body };
}

async function sendTo(t: test.TestContext, extensions: readonly string[], letter: Letter) {
  const peer = await startPeer(t, { extensions });
  const { deliver } = deliveryHarness(t, { servers: { 'example.com': [{ port: peer.port }] } });
  const [result] = await deliver(claimOf(letter));
  const content = peer.messages[0]?.content ?? Buffer.alloc(0);
  const parts = peer.messages[0] ? parseTree(content).root.children : [];
  return { result: result!, content, last: parts[2], types: parts.map(({ type }) => type.value), peer };
}

for (const isStreamed of [false, true]) {
  const how = isStreamed ? ', streamed' : '';

  test(`a report on a message with a UTF-8 header carries it whole, in base64, to a 7-bit server${how}`, async (t) => {
    const { result, content, last } = await sendTo(t, ['PIPELINING'], { ...reportOn(UTF8_HEADER), isStreamed });
    assert.equal(result.kind, 'relayed');
    assert.deepEqual([last!.type.value, last!.encoding], ['message/global', 'base64']);
    const { bytes } = decodeBase64(content.subarray(last!.body.start, last!.body.end));
    assert.equal(Buffer.from(bytes).toString(), UTF8_HEADER);
    assert.ok(content.every((octet) => octet < 128));
  });

  for (const [what, original] of Object.entries({
    'a header in Latin-1': LATIN1_HEADER,
    'a signature over 8-bit text': SIGNED,
    'another message with a UTF-8 header': NESTED,
  })) {
    test(`a report on a message with ${what} was lost at a 7-bit server; now it carries the header${how}`, async (t) => {
      const { result, content, types } = await sendTo(t, [], { ...reportOn(original), isStreamed });
      assert.equal(result.kind, 'relayed');
      assert.deepEqual(types, ['text/plain', 'message/delivery-status', 'text/rfc822-headers']);
      assert.ok(content.every((octet) => octet < 128));
      assert.match(content.toString(), /^The header of your message is attached/m);
    });
  }

  test(`a report larger than the server takes carries the header, else nothing, and fails only then${how}`, async (t) => {
    const large = PLAIN + `${'x'.repeat(70)}\r\n`.repeat(300);
    const sizes: number[] = [];
    for (const [limit, expected] of [
      [30_000, ['text/plain', 'message/delivery-status', 'message/rfc822']],
      [20_000, ['text/plain', 'message/delivery-status', 'text/rfc822-headers']],
    ] as const) {
      const sent = await sendTo(t, [`SIZE ${limit}`], { ...reportOn(large), isStreamed });
      assert.deepEqual([sent.result.kind, sent.types], ['relayed', expected]);
      sizes.push(sent.content.length);
    }
    const bare = await sendTo(t, [`SIZE ${sizes[1]! - 1}`], { ...reportOn(large), isStreamed });
    assert.deepEqual([bare.result.kind, bare.types], ['relayed', ['text/plain', 'message/delivery-status']]);
    assert.match(bare.content.toString(), /^A report for mail programs is attached/m);
    const none = await sendTo(t, [`SIZE ${bare.content.length - 1}`], { ...reportOn(large), isStreamed });
    assert.deepEqual([none.result.kind, none.result.detail.status], ['failed', '5.3.4']);
    assert.ok(!none.peer.lines.some((line) => line.startsWith('MAIL')));
  });
}

for (const verb of ['MAIL', 'RCPT', 'CONTENT']) {
  for (const refusal of ['552 5.3.4 too big', '552 message too large', '550 5.2.3 too long for this mailbox']) {
    test(`a server that finds a report too large without having said so (${refusal} to ${verb}) gets less of it, twice at most`, async (t) => {
      let refused = 0;
      const taking = async (times: number) => {
        refused = 0;
        const peer = await startPeer(t, {
          extensions: ['PIPELINING', 'SIZE'],
          answer: (turn) => (turn.verb === verb && refused < times && refused++ >= 0 ? refusal : undefined),
        });
        const { deliver } = deliveryHarness(t, { servers: { 'example.com': [{ port: peer.port }] } });
        const [result] = await deliver(claimOf(reportOn(PLAIN)));
        return {
          result: result!,
          last: parseTree(peer.messages[0]?.content ?? Buffer.alloc(0)).root.children[2],
          peer,
        };
      };
      const once = await taking(1);
      assert.deepEqual([once.result.kind, once.last?.type.value], ['relayed', 'text/rfc822-headers']);
      const twice = await taking(2);
      assert.deepEqual([twice.result.kind, twice.last], ['relayed', undefined]);
      const never = await taking(9);
      assert.deepEqual([never.result.kind, never.result.detail.reply, refused], ['failed', refusal, 3]);
    });
  }
}

test('mail that others wrote is offered once to a server that finds it too large', async (t) => {
  const peer = await startPeer(t, { answer: ({ verb }) => (verb === 'MAIL' ? '552 5.3.4 too big' : undefined) });
  const { deliver } = deliveryHarness(t, { servers: { 'example.com': [{ port: peer.port }] } });
  assert.equal((await deliver(claimOf({ from: null, clientAddress: '192.0.2.1' })))[0]!.kind, 'failed');
  assert.equal(peer.lines.filter((line) => line.startsWith('MAIL')).length, 1);
});

test('a report about addresses beyond ASCII is 7-bit for a 7-bit server once it is shortened', async (t) => {
  const { result, content, types } = await sendTo(t, [], reportOn(SIGNED, ['jürgen@remote.example']));
  assert.equal(result.kind, 'relayed');
  assert.deepEqual(types, ['text/plain', 'message/global-delivery-status', 'text/rfc822-headers']);
  assert.ok(content.every((octet) => octet < 128));
});

test('a server that takes all of it gets all of it', async (t) => {
  const { content } = await sendTo(t, ['8BITMIME', 'SIZE 100000'], reportOn(SIGNED));
  assert.ok(content.includes(SIGNED));
});

test('what is not a report of ours is never shortened', async (t) => {
  const report = reportOn(SIGNED);
  for (const letter of [
    { ...report, author: undefined, clientAddress: '192.0.2.1' },
    { ...report, clientAddress: '192.0.2.1' },
    { ...report, from: 'alice@example.com' },
    { ...report, content: SIGNED },
  ]) {
    const { result } = await sendTo(t, [], letter);
    assert.deepEqual([result.kind, result.detail.status], ['failed', '5.6.3']);
  }
});
