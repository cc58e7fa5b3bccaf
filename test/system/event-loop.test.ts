/**
 * Messages made to hold the event loop, titled by the attacker's move, and what every other client sees of them:
 * the longest answer to a NOOP of a second client, beside that of an honest message of the same size in the
 * same run. And messages of very many parts, which must arrive where the next host is 7-bit.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startSink } from '../../src/cli/demo/sink.ts';
import { SmtpConversation, send } from './support/client.ts';
import { type RunningNode, startNode } from './support/node.ts';

/** Of a header at most 256 kB are read. */
const HEADER_BYTES = 248_000;
/** Below the longest line of a header, so that it is folded, not refused. */
const LINE_CHARACTERS = 900;
/** An honest header of that size takes some milliseconds; the first attack took a thousand times as long. */
const WORSE_AT_MOST = 15;
const TRIES = 3;
/** Commands of a session that bring no message are counted. */
const NOOPS_A_SESSION = 80;

/** `unit` again and again behind `before`, folded. */
function folded(name: string, before: string, unit: string): string {
  const line = unit.repeat(Math.floor(LINE_CHARACTERS / unit.length));
  return `${name}: ${before}${`${line}\r\n `.repeat(Math.floor(HEADER_BYTES / (line.length + 3)))}\r\n`;
}

/** As many fields as a header may have. */
function repeated(field: string): string {
  return `${field}\r\n`.repeat(Math.min(1990, Math.floor(HEADER_BYTES / (field.length + 2))));
}

const AUTHOR = 'From: <bob@elsewhere.example>\r\n';
const LISTS = [',', 'a,', '[],', '.,', '(', '"', '<', 'g:;', '\\', '=?a?q?', '@a,', '>', ' . '];
const OPENERS = ['(', '"', '=?a?q? ', '=?', ';', '; a=b', '<', '\\', '.', '[', '('.concat('\\')];
const FIELDS = [
  'Subject',
  'Received',
  'Authentication-Results',
  'Received-SPF',
  'DKIM-Signature',
  'ARC-Seal',
  'ARC-Message-Signature',
  'ARC-Authentication-Results',
  'List-Id',
  'List-Unsubscribe',
  'Content-Type',
  'Content-Disposition',
  'Message-ID',
  'BIMI-Selector',
  'Date',
];

const MOVES: Readonly<Record<string, readonly string[]>> = {
  'a From field of a source route without end': LISTS.map((unit) => folded('From', '<@', unit)),
  'a From field of names, groups and comments without end': LISTS.map((unit) => folded('From', 'a', unit)),
  'lists of addresses without end in To, Cc, Reply-To and Sender': ['To', 'Cc', 'Reply-To', 'Sender'].flatMap((name) =>
    LISTS.map((unit) => AUTHOR + folded(name, '<@', unit)),
  ),
  'openers without an end in every field that is read': FIELDS.flatMap((name) =>
    OPENERS.map((unit) => AUTHOR + folded(name, 'a', unit)),
  ),
  'a name of marks that stand on one letter': [
    `From: =?utf-8?b?${Buffer.from(`a${'\u0323\u0301'.repeat(15_000)}`).toString('base64')}?= <bob@elsewhere.example>\r\n`,
    `From: "${'\u0323\u0301'.repeat(8_000)}" <bob@elsewhere.example>\r\n`,
  ],
  'as many fields as a header may have, each to be removed': [
    AUTHOR + repeated('Authentication-Results: mx.postern.example; dkim=pass'),
    AUTHOR + repeated('Received-SPF: pass receiver=mx.postern.example'),
    AUTHOR + repeated('DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=b; h=from; bh=AAAA; b=AAAA'),
    AUTHOR + repeated('A: b'),
  ],
};

async function organisation(t: TestContext, extensions?: readonly string[]) {
  const sink = await startSink({ ...(extensions && { extensions }) });
  t.after(() => sink.close());
  const node = await startNode(t, {
    setup: [
      ['domain', 'add', 'example.com', '--server', `${sink.host}:${sink.port}`],
      ['user', 'add', 'alice@example.com'],
    ],
  });
  return { sink, node };
}

/** The longest that a second client waits for the answer to NOOP while the message is taken, in milliseconds. */
async function longestWait(node: RunningNode, header: string): Promise<number> {
  const other = await SmtpConversation.open(node.port('mx'));
  await other.reply();
  let isOver = false;
  const sent = send(node.port('mx'), {
    from: '',
    to: ['postmaster@example.com'],
    content: `${header}\r\nbody\r\n`,
  }).finally(() => {
    isOver = true;
  });
  let longestMs = 0;
  for (let i = 0; !isOver && i < NOOPS_A_SESSION; i++) {
    const askedAt = performance.now();
    other.write('NOOP\r\n');
    await other.reply();
    longestMs = Math.max(longestMs, performance.now() - askedAt);
  }
  await sent;
  other.socket.destroy();
  return longestMs;
}

/** Other load on the machine only ever adds to a wait. */
async function leastOf(tries: number, node: RunningNode, header: string, enough = 0): Promise<number> {
  let leastMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < tries && leastMs > enough; i++) leastMs = Math.min(leastMs, await longestWait(node, header));
  return leastMs;
}

const HONEST = AUTHOR + folded('To', '', 'Alice Example <alice@example.com>, ').replace(/, \r\n \r\n$/, '\r\n');

for (const [move, headers] of Object.entries(MOVES)) {
  test(`${move} does not make other clients wait`, async (t) => {
    const { node } = await organisation(t);
    await longestWait(node, HONEST);
    let honestMs = 0;
    for (let i = 0; i < TRIES; i++) honestMs = Math.max(honestMs, await longestWait(node, HONEST));
    for (const header of headers) {
      const waitMs = await leastOf(TRIES, node, header, honestMs * WORSE_AT_MOST);
      assert.ok(
        waitMs <= honestMs * WORSE_AT_MOST,
        `${JSON.stringify(header.slice(0, 90))}: ${waitMs.toFixed(0)} ms, and ${honestMs.toFixed(0)} ms for an honest message`,
      );
    }
  });
}

/** Parts of 8-bit text, so deep in multiparts. */
function partsOf(count: number, depth: number): string {
  let header = 'From: <bob@elsewhere.example>\r\nSubject: parts\r\nMIME-Version: 1.0\r\n';
  let end = '';
  for (let level = 0; level < depth; level++) {
    header += `${level === 0 ? '' : `--b${level - 1}e\r\n`}Content-Type: multipart/mixed; boundary=b${level}e\r\n\r\n`;
    end = `--b${level}e--\r\n${end}`;
  }
  return header + part(depth, '8bit', 'Gr\u00c3\u00bc\u00c3\u009fe').repeat(count - depth) + end;
}

function part(depth: number, encoding: string, body: string): string {
  return `--b${depth - 1}e\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}\r\n`;
}

for (const [what, count, depth] of [
  ['5,000 parts, 49 deep', 5_000, 49],
  ['100,000 parts', 100_000, 1],
] as const) {
  test(`a message of ${what} arrives at a 7-bit host, each part as it was`, async (t) => {
    const { node, sink } = await organisation(t, ['PIPELINING', 'SIZE 104857600']);
    const content = partsOf(count, depth);
    const sent = await send(node.port('mx'), {
      from: 'bob@elsewhere.example',
      to: ['alice@example.com'],
      content: Buffer.from(content, 'latin1'),
      mailParameters: 'BODY=8BITMIME',
    });
    assert.equal(sent.final.code, 250, sent.final.lines.join());
    const { content: arrived } = await sink.next(() => true);
    const text = arrived.toString('latin1');
    const expected = content.replaceAll(
      part(depth, '8bit', 'Gr\u00c3\u00bc\u00c3\u009fe'),
      part(depth, 'quoted-printable', 'Gr=C3=BC=C3=9Fe'),
    );
    assert.ok(text.endsWith(expected.slice(expected.indexOf('Subject:'))), 'the parts are what was sent');
  });
}
