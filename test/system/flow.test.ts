import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSink } from '../../src/cli/demo/sink.ts';
import { startPeer } from '../support/peer.ts';
import { letter, send } from './support/client.ts';
import { eventually, type RunningNode, startNode } from './support/node.ts';

/** example.com with two mailboxes, whose mail server is the sink on 127.0.0.2. */
async function organisation(
  t: Parameters<typeof startNode>[0],
  sink: { host: string; port: number },
): Promise<RunningNode> {
  return startNode(t, {
    setup: [
      ['domain', 'add', 'example.com', '--server', `${sink.host}:${sink.port}`],
      ['user', 'add', 'alice@example.com'],
      ['user', 'add', 'carol@example.com'],
    ],
  });
}

type QueueRow = {
  id: string;
  messageId: string;
  from: string;
  to: string;
  state: string;
  class: string | null;
  due: string | null;
  attempts: number;
  lastReply: string | null;
};
const queueOf = async (node: RunningNode): Promise<QueueRow[]> =>
  JSON.parse(await node.cli(['queue', 'list', '--json']));
type LogRow = {
  id: string;
  messageId: string;
  time: string;
  direction: string;
  from: string;
  to: string[];
  subject: string | null;
  disposition: string;
  recipients: { state: string | null }[];
};
const logOf = async (node: RunningNode, ...filter: string[]): Promise<LogRow[]> =>
  JSON.parse(await node.cli(['log', 'search', '--json', ...filter]));

test("a message from outside reaches the domain's mail server as sent, below one Received line and what was verified, and the log tells its way", async (t) => {
  const sink = await startSink();
  t.after(() => sink.close());
  const node = await organisation(t, sink);
  const content = letter({ subject: 'first light', body: 'Line one.\r\n.a dotted line\r\n\r\nLast.\r\n' });
  const sent = await send(node.port('mx'), { from: 'bob@elsewhere.example', to: ['alice@example.com'], content });
  assert.equal(sent.final.code, 250);
  const id = /queued as (\S+)/.exec(sent.final.lines[0]!)?.[1];
  assert.ok(id, `an id in ${sent.final.lines[0]}`);
  const arrived = await sink.next(() => true);
  assert.equal(arrived.from, 'bob@elsewhere.example');
  assert.deepEqual(arrived.to, ['alice@example.com']);
  const text = arrived.content.toString('latin1');
  assert.ok(text.endsWith(content), 'the content is byte-identical');
  assert.match(
    text.slice(0, -content.length),
    /^Authentication-Results: mx\.postern\.example;.*\r\nReceived-SPF: .*\r\nReceived: from client\.example .*by mx\.postern\.example .*id .*\r\n$/s,
  );
  assert.ok(text.slice(0, -content.length).includes(id));

  const [row] = await eventually(
    async () =>
      (await logOf(node)).filter((r) => r.recipients[0]?.state === 'relayed').length > 0 ? logOf(node) : undefined,
    'the log row',
  );
  assert.equal(row!.id, id);
  assert.deepEqual(
    [row!.from, row!.to, row!.subject, row!.direction],
    ['bob@elsewhere.example', ['alice@example.com'], 'first light', 'inbound'],
  );
  assert.deepEqual(await queueOf(node), []);
  const shown = await node.cli(['log', 'show', id]);
  for (const expected of ['RCPT TO:<alice@example.com>', `${sink.host}`, '250 2.0.0 ok'])
    assert.ok(shown.includes(expected), `${expected} in:\n${shown}`);
});

test('the log did not tell which hosts had refused a message, nor that it went in clear after a failed handshake', async (t) => {
  const host = '127.0.0.2';
  const busy = await startPeer(t, {
    host,
    answer: ({ verb }) => (verb === 'CONNECT' ? '554 5.3.2 go away' : undefined),
  });
  const broken = await startPeer(t, { host, tls: 'broken' });
  const servers = [busy, broken].flatMap(({ port }) => ['--server', `${host}:${port}`]);
  const node = await startNode(t, {
    setup: [
      ['domain', 'add', 'example.com', ...servers],
      ['user', 'add', 'alice@example.com'],
    ],
  });
  const sent = await send(node.port('mx'), {
    from: 'bob@elsewhere.example',
    to: ['alice@example.com'],
    content: letter(),
  });
  const id = /queued as (\S+)/.exec(sent.final.lines[0]!)![1]!;
  const shown = await eventually(async () => {
    const text = await node.cli(['log', 'show', id]);
    return text.includes('relayed at') ? text : undefined;
  }, 'the end of the message in the log');
  assert.match(
    shown,
    /relayed at 127\.0\.0\.2 .*\n {4}before, 127\.0\.0\.2 .*: 554 5\.3\.2 go away\n {4}before, 127\.0\.0\.2 .*: TLS failed: /,
  );
  const { changes } = JSON.parse(await node.cli(['log', 'show', id, '--json']));
  assert.deepEqual(
    changes.map(({ state, earlier }: { state: string; earlier: object[] }) => [state, earlier.length]),
    [['relayed', 2]],
  );
});

const STRANGERS = [
  ['a stranger writing to a stranger', 'dave@other.example'],
  ['a percent hack', 'dave%other.example@example.com'],
  ['a bang path', 'other.example!dave@example.com'],
  ['a quoted at sign', '"dave@other.example"@example.com'],
  ['a source route', '@example.com:dave@other.example'],
] as const;

test('every way of relaying for strangers is refused 550 5.7.1 and leaves a journal row', async (t) => {
  const sink = await startSink();
  t.after(() => sink.close());
  const node = await organisation(t, sink);
  for (const [move, to] of STRANGERS) {
    const sent = await send(node.port('mx'), { from: 'bob@elsewhere.example', to: [to], content: letter() });
    assert.match(sent.final.lines[0] ?? '', /^550 5\.7\.1 /, move);
  }
  const rows = await eventually(async () => {
    const found = await logOf(node);
    return found.length === STRANGERS.length ? found : undefined;
  }, 'a journal row for each');
  assert.ok(rows.every((row) => row.disposition === 'refuse'));
  assert.deepEqual(sink.messages, []);
});

test('a spoofed local sender does not open the relay', async (t) => {
  const sink = await startSink();
  t.after(() => sink.close());
  const node = await organisation(t, sink);
  const sent = await send(node.port('mx'), {
    from: 'alice@example.com',
    to: ['dave@other.example'],
    content: letter(),
  });
  assert.match(sent.final.lines[0]!, /^550 5\.7\.1 /);
});

test("the domain's own mail server may send out, through the smart host, also with a null reverse-path", async (t) => {
  const sink = await startSink();
  const world = await startSink({ host: '127.0.0.4' });
  t.after(() => Promise.all([sink.close(), world.close()]));
  const node = await organisation(t, sink);
  await node.cli(['settings', 'set', 'delivery.smartHost', `127.0.0.4:${world.port}`]);
  for (const from of ['alice@example.com', '']) {
    const sent = await send(node.port('mx'), {
      from,
      to: ['dave@other.example'],
      content: letter(),
      localAddress: '127.0.0.2',
    });
    assert.equal(sent.final.code, 250, sent.final.lines.join());
    assert.deepEqual((await world.next((message) => message.from === from)).to, ['dave@other.example']);
  }
  const foreign = await send(node.port('mx'), {
    from: 'eve@elsewhere.example',
    to: ['dave@other.example'],
    content: letter(),
    localAddress: '127.0.0.2',
  });
  assert.match(foreign.final.lines[0]!, /^550 5\.7\.1 /, 'trusted for its own domains only');
});

test('an unknown recipient is refused 550 5.1.1 while the known one in the same message gets it', async (t) => {
  const sink = await startSink();
  t.after(() => sink.close());
  const node = await organisation(t, sink);
  const sent = await send(node.port('mx'), {
    from: 'bob@elsewhere.example',
    to: ['nobody@example.com', 'alice@example.com'],
    content: letter(),
  });
  assert.match(sent.recipients[0]!.lines[0]!, /^550 5\.1\.1 /);
  assert.equal(sent.final.code, 250);
  assert.deepEqual((await sink.next(() => true)).to, ['alice@example.com']);
});

test('two recipients with different fates: one is relayed, the other waits and arrives after retry --all', async (t) => {
  let busy = true;
  const sink = await startSink({
    onRecipient: (address) => (address.startsWith('carol') && busy ? '451 4.2.0 mailbox busy' : undefined),
  });
  t.after(() => sink.close());
  const node = await organisation(t, sink);
  await send(node.port('mx'), {
    from: 'bob@elsewhere.example',
    to: ['alice@example.com', 'carol@example.com'],
    content: letter(),
  });
  await sink.next((message) => message.to.includes('alice@example.com'));
  const [row] = await eventually(async () => {
    const rows = await queueOf(node);
    return rows.length === 1 && rows[0]!.attempts === 1 ? rows : undefined;
  }, 'the deferred row');
  assert.deepEqual([row!.from, row!.to, row!.state], ['bob@elsewhere.example', 'carol@example.com', 'queued']);
  assert.match(row!.lastReply!, /451 4\.2\.0 mailbox busy/);
  busy = false;
  await node.cli(['queue', 'retry', '--all']);
  await sink.next((message) => message.to.includes('carol@example.com'));
  await eventually(async () => (await queueOf(node)).length === 0 || undefined, 'an empty queue');
});

test("a recipient refused by the domain's server comes back to the sender as a notification, the null reverse-path gets none", async (t) => {
  const world = await startSink({ host: '127.0.0.4' });
  const sink = await startSink({ onRecipient: () => '550 5.2.1 mailbox disabled' });
  t.after(() => Promise.all([sink.close(), world.close()]));
  const node = await organisation(t, sink);
  await node.cli(['settings', 'set', 'delivery.smartHost', `127.0.0.4:${world.port}`]);
  await send(node.port('mx'), { from: '', to: ['alice@example.com'], content: letter({ subject: 'from null' }) });
  await send(node.port('mx'), { from: 'bob@elsewhere.example', to: ['alice@example.com'], content: letter() });
  const notice = await world.next(() => true);
  assert.equal(notice.from, '');
  assert.deepEqual(notice.to, ['bob@elsewhere.example']);
  const text = notice.content.toString('utf8');
  for (const part of [
    'multipart/report',
    'message/delivery-status',
    'Action: failed',
    'Status: 5.2.1',
    '550 5.2.1 mailbox disabled',
    'alice@example.com',
  ]) {
    assert.ok(text.includes(part), `${part} in:\n${text}`);
  }
  await eventually(async () => (await queueOf(node)).length === 0 || undefined, 'an empty queue');
  assert.equal(world.messages.length, 1);
});

test("a failure report was lost where the sender's own server is 7-bit or takes only small messages", async (t) => {
  const own = await startSink({ extensions: ['PIPELINING', 'SIZE 20000'] });
  const world = await startSink({ host: '127.0.0.4', onRecipient: () => '550 5.1.1 nobody here' });
  t.after(() => Promise.all([own.close(), world.close()]));
  const node = await organisation(t, own);
  await node.cli(['settings', 'set', 'delivery.smartHost', `127.0.0.4:${world.port}`]);
  const eightBit = 'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n';
  const originals: Readonly<Record<string, string>> = {
    'utf-8': `From: <alice@example.com>\r\nSubject: Grüße utf-8\r\n\r\nbody\r\n`,
    signed: `From: <alice@example.com>\r\nSubject: signed\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b; protocol="application/pgp-signature"\r\n\r\n--b\r\n${eightBit}--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n`,
    large: `From: <alice@example.com>\r\nSubject: large\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(264)}`,
  };
  for (const [envid, content] of Object.entries(originals)) {
    const letter = { from: 'alice@example.com', to: ['bob@elsewhere.example'], localAddress: '127.0.0.2', content };
    const sent = await send(node.port('mx'), { ...letter, mailParameters: `RET=FULL ENVID=${envid}` });
    assert.equal(sent.final.code, 250, sent.final.lines.join());
  }
  for (const [envid, type] of [
    ['utf-8', 'message/global'],
    ['signed', 'text/rfc822-headers'],
    ['large', 'text/rfc822-headers'],
  ] as const) {
    const report = await own.next(({ content }) => content.includes(`Original-Envelope-Id: ${envid}`));
    assert.deepEqual([report.from, report.to], ['', ['alice@example.com']]);
    assert.ok(report.content.includes(`Content-Type: ${type}\r\n`));
    assert.ok(report.content.every((octet) => octet < 128));
  }
});

test('an oversized message is refused at MAIL by its announced size, and at the end of data without', async (t) => {
  const sink = await startSink();
  t.after(() => sink.close());
  const node = await organisation(t, sink);
  await node.cli(['settings', 'set', 'smtp.maxMessageBytes', '100000']);
  const announced = await send(node.port('mx'), {
    from: 'bob@elsewhere.example',
    to: ['alice@example.com'],
    content: letter(),
    mailParameters: 'SIZE=200000',
  });
  assert.match(announced.final.lines[0]!, /^552 5\.3\.4 /);
  const silent = await send(node.port('mx'), {
    from: 'bob@elsewhere.example',
    to: ['alice@example.com'],
    content: letter({ body: 'x'.repeat(70).concat('\r\n').repeat(3000) }),
  });
  assert.match(silent.final.lines[0]!, /^552 5\.3\.4 /);
  assert.deepEqual(sink.messages, []);
});

test('a message going in circles, without From or with two From fields is refused with the reason', async (t) => {
  const sink = await startSink();
  t.after(() => sink.close());
  const node = await organisation(t, sink);
  const cases: [string, RegExp][] = [
    [`${'Received: from a by b; Sun, 22 Nov 2026 12:00:00 +0000\r\n'.repeat(120)}${letter()}`, /^554 5\.4\.6 /],
    ['Subject: no sender\r\n\r\nbody\r\n', /^55\d 5\.\d\.\d+ /],
    [`From: <eve@elsewhere.example>\r\n${letter()}`, /^55\d 5\.\d\.\d+ /],
  ];
  for (const [content, reply] of cases) {
    const sent = await send(node.port('mx'), { from: 'bob@elsewhere.example', to: ['alice@example.com'], content });
    assert.match(sent.final.lines[0]!, reply);
  }
});

test('postmaster is accepted with and without a domain, and abuse too, though no such accounts exist', async (t) => {
  const sink = await startSink();
  t.after(() => sink.close());
  const node = await organisation(t, sink);
  for (const to of ['postmaster@example.com', 'abuse@example.com', 'PostMaster']) {
    const sent = await send(node.port('mx'), { from: 'bob@elsewhere.example', to: [to], content: letter() });
    assert.equal(sent.final.code, 250, `${to}: ${sent.final.lines[0]}`);
  }
});
