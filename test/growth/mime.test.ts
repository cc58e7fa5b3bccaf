/** Readers of messages: nothing that a stranger writes in header or body costs more time an octet for being longer. */
import { createBase64Encoder, decodeBase64 } from '../../src/protocol/mime/base64.ts';
import { matchBoundary, overlap } from '../../src/protocol/mime/boundary.ts';
import { decodeCharset } from '../../src/protocol/mime/charset.ts';
import { disguisedFields } from '../../src/protocol/mime/disguised-fields.ts';
import { decodeUnstructured } from '../../src/protocol/mime/encoded-words.ts';
import { scanFields } from '../../src/protocol/mime/fields.ts';
import { createHeaderEnd } from '../../src/protocol/mime/header-end.ts';
import { inspectHeader } from '../../src/protocol/mime/inspect-header.ts';
import { MIME_LIMITS } from '../../src/protocol/mime/limits.ts';
import { createLineSplitter } from '../../src/protocol/mime/line-splitter.ts';
import { lineCursor, nextLine } from '../../src/protocol/mime/lines.ts';
import { parseParameterised } from '../../src/protocol/mime/parameterised.ts';
import { readPartHeader } from '../../src/protocol/mime/part-header.ts';
import {
  createQuotedPrintableEncoder,
  decodeQuotedPrintable,
  encodeQuotedPrintable,
} from '../../src/protocol/mime/quoted-printable.ts';
import { createRewriter } from '../../src/protocol/mime/rewrite.ts';
import { toSevenBit } from '../../src/protocol/mime/seven-bit.ts';
import { binaryBytes, binaryString, fieldValue, readable, unfold } from '../../src/protocol/mime/text.ts';
import { parseTree } from '../../src/protocol/mime/tree.ts';
import { createTreeBuilder } from '../../src/protocol/mime/tree-builder.ts';
import type { Segment } from '../../src/protocol/mime/types.ts';
import { nextField, walkHeader } from '../../src/protocol/mime/walk-header.ts';
import { writeMailbox } from '../../src/protocol/mime/write-mailbox.ts';
import type { Pump } from '../support/growth.ts';
import { octets, of, row, testGrowth, text } from '../support/growth-table.ts';
import { CHUNK, CONTENT, HEADER } from './limits.ts';

const HEADERS = [
  octets('A:\r\n', HEADER),
  octets('A: b\r\n', HEADER),
  octets(' \r\n', HEADER, 'From: a\r\n'),
  octets('\t,\r\n', HEADER, 'To: a\r\n'),
  octets('no field\r\n', HEADER),
  octets(' ', HEADER, 'A', ':'),
  octets('x', HEADER),
  octets('\n', HEADER, 'A: b'),
  octets('\r', HEADER, 'A: b'),
  octets('Subject: =?a?q?\r\n', HEADER),
  octets('Subject: x\r\nTo: y\r\nDate: z\r\n', HEADER),
  octets(' =?utf-8?q?=\r\n', HEADER, 'Subject:\r\n'),
  octets('Authentication-Results: (((\r\n', HEADER),
  octets('Received: from a\r\n (((\r\n', HEADER),
  octets('\xff', HEADER, 'Subject: '),
  octets('Message-ID: <\xc3\xbc@x>\r\n', HEADER),
  octets('List-Id: <a>\r\nBIMI-Selector: x\r\nReceived-SPF: y\r\n', HEADER),
];

const PART_HEADERS = [
  octets('Content-Type: text/plain;\r\n', HEADER),
  octets(' a=b;\r\n', HEADER, 'Content-Type: multipart/mixed;\r\n'),
  octets(' name*0="=?a?q?";\r\n', HEADER, 'Content-Type: text/plain;\r\n'),
  octets(' (', HEADER, 'Content-Disposition: attachment; filename='),
  octets('=?a?q?', HEADER, 'Content-Disposition: attachment; filename="', '"\r\n'),
  octets('"', HEADER, 'Content-Type: text/plain; a=', '\r\n'),
  octets(' ', HEADER, 'Content-Transfer-Encoding: 8bit', 'x\r\n'),
  octets('Content-Id: <a>\r\nMIME-Version: 1\r\n', HEADER),
];

const PARAMETERS = [
  text(';', HEADER, 'text/plain'),
  text('; ', HEADER, 'text/plain', 'x'),
  text(' ', HEADER, 'text/plain;', 'x'),
  text('(', HEADER, 'text/plain;'),
  text('()', HEADER, 'text/plain; a=b '),
  text('\\', HEADER, 'text/plain; a="'),
  text('"', HEADER, 'text/plain; a='),
  text('a"', HEADER, 'text/plain; '),
  text('a=b;', HEADER, 'text/plain; '),
  text('=', HEADER, 'text/plain; a'),
  text('a*1=x;', HEADER, 'text/plain; a*0=y;'),
  text('*', HEADER, 'text/plain; a', '=x'),
  text('x', HEADER, 'text/plain; ', '*0=x'),
  text("'", HEADER, 'text/plain; a*=', '%41'),
  text('%', HEADER, "text/plain; a*=utf-8''"),
  text('%4', HEADER, "text/plain; a*=utf-8''"),
  text('%e4', HEADER, "text/plain; a*=gb18030''"),
  text('/', HEADER),
  text(' \r\n\t', HEADER, 'text/plain;', 'x'),
  text('\xe4', HEADER, 'text/plain; name="', '"'),
];

const ENCODED = [
  text('=?', HEADER),
  text('=?a?q?', HEADER),
  text('?', HEADER, '=?a?q?'.repeat(400)),
  text('a', HEADER, '=?'.repeat(400)),
  text('=?a?q? ', HEADER),
  text('=?a?x?b?=', HEADER),
  text('=?a?q??=', HEADER),
  text('=?a?q??= =?b?q??=', HEADER),
  text('=?a?b?/?= ', HEADER),
  text('=?utf-8?q?=4?=', HEADER),
  text('=?nonsense?b?QUJD?=', HEADER),
  text('=?gb18030?b?gTCBMIEw?= ', HEADER),
  text('A', HEADER, '=?utf-8?b?', '?='),
  text('=', HEADER, '=?utf-8?q?', '?='),
  text(' ', HEADER, '=?a?q?b?=', 'x'),
  text('\xc3\xbc', HEADER, '=?'),
  text('\x00', HEADER, '=?a?q?x?='),
];

const BODIES = [
  octets('=', CONTENT),
  octets('= ', CONTENT),
  octets(' ', CONTENT, '=', 'x'),
  octets(' ', CONTENT),
  octets('=  \t ', CONTENT),
  octets('=4', CONTENT),
  octets('=\r\n', CONTENT),
  octets('\r', CONTENT),
  octets('\n', CONTENT),
  octets('-\n', CONTENT),
  octets('\xff', CONTENT),
  octets('a', CONTENT),
  octets('A===', CONTENT),
  octets('====', CONTENT),
];

/** Multiparts in multiparts, and lines that nearly are the delimiter of each. */
function nested(depth: number, line: string, boundary = (level: number): string => `b${level}`): string {
  let header = '';
  for (let level = 0; level < depth; level++)
    header += `${level === 0 ? '' : `--${boundary(level - 1)}\r\n`}Content-Type: multipart/mixed; boundary="${boundary(level)}"\r\n\r\n`;
  return `${header}--${boundary(depth - 1)}\r\n\r\n${line}`;
}
const LONG = (level: number): string => `${'x'.repeat(200)}${level}`;

const TREES = [
  octets('--b0\r\n\r\n', CHUNK, nested(1, '')),
  octets('--b48\r\n\r\n', CHUNK, nested(49, '')),
  octets('--b0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xbc\r\n', CONTENT, nested(1, '')),
  octets('--b48\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xbc\r\n', CONTENT, nested(49, '')),
  octets('--b\r\n', CONTENT, nested(49, '')),
  octets(`--${'x'.repeat(200)}\r\n`, CONTENT, nested(49, '', LONG)),
  octets(`--${'x'.repeat(200)}49\r\n`, CONTENT, nested(49, '', LONG)),
  octets('-', CONTENT, nested(49, '--')),
  octets('--', CONTENT, nested(2, '\r\n')),
  octets('--b0--\r\n', CONTENT, nested(1, '')),
  octets('--b0 x\r\n', CONTENT, nested(1, '')),
  octets('Content-Type: message/rfc822\r\n\r\n', CONTENT),
  octets(
    '--b0\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n',
    CONTENT,
    nested(1, ''),
  ),
  octets('--b0\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n', CONTENT, nested(1, '')),
  octets('\n', CONTENT),
  octets('\r', CONTENT),
  octets('A: b\n', CONTENT),
];

function push(builder: { push(chunk: Buffer): void }, content: Buffer): void {
  for (let at = 0; at < content.length; at += CHUNK) builder.push(content.subarray(at, at + CHUNK));
}

/** Octets one by one, as a network may bring them. */
function dribble(consume: (chunk: Buffer) => unknown, content: Buffer): void {
  for (let at = 0; at < content.length; at++) consume(content.subarray(at, at + 1));
}

const SEGMENTS: Pump<{ readonly content: Buffer; readonly segments: readonly Segment[] }> = {
  name: 'many short segments of every kind',
  largest: CHUNK,
  input(size) {
    const segments: Segment[] = [];
    for (let at = 0; at + 8 <= size; at += 8) {
      segments.push({ kind: 'original', start: at, end: at + 3 });
      segments.push({ kind: 'encoded', start: at + 3, end: at + 6, encoding: at % 16 ? 'base64' : 'quoted-printable' });
      segments.push({ kind: 'bytes', bytes: Buffer.from('x') });
    }
    return { content: Buffer.alloc(size, 0xe4), segments };
  },
};

const textFor = (pumps: readonly Pump<Buffer>[]): readonly Pump<string>[] =>
  pumps.map((pump) => of(pump, (bytes) => bytes.toString('latin1')));

testGrowth({
  'protocol/mime/base64.ts decodeBase64': row(decodeBase64, ...BODIES),
  'protocol/mime/base64.ts createBase64Encoder': row(
    (content: Buffer) => {
      const encoder = createBase64Encoder();
      dribble(encoder.push, content.subarray(0, 1024));
      push(encoder, content);
      return encoder.end();
    },
    octets('\xff', CHUNK),
  ),
  'protocol/mime/boundary.ts matchBoundary': row(
    (line: Buffer) => matchBoundary(line, Buffer.from('b')),
    octets(' ', MIME_LIMITS.boundaryBytes, '--b'),
    octets('-', MIME_LIMITS.boundaryBytes, '--b'),
  ),
  'protocol/mime/boundary.ts overlap': row(
    (line: Buffer) => overlap(line, line),
    octets('x', MIME_LIMITS.boundaryBytes),
  ),
  'protocol/mime/charset.ts decodeCharset': row(
    (bytes: Buffer) =>
      ['utf-8', 'utf-16le', 'iso-2022-jp', 'gb18030', 'big5', 'nonsense'].map((name) => decodeCharset(bytes, name)),
    octets('\x1b$B', HEADER),
    octets('\x81', HEADER),
    octets('\xff', HEADER),
  ),
  'protocol/mime/disguised-fields.ts disguisedFields': row(
    (bytes: Buffer) => disguisedFields(bytes, bytes.length, new Set(['from', 'sender'])),
    octets('\xef\xbb\xbfFrom: a\r\n', HEADER),
    octets('\xef\xbb\xbfFrom:\r\n ', HEADER),
    octets('\x01From', HEADER),
    octets('\r\n', HEADER),
    octets(' ', HEADER, '\x01From:'),
    octets(':', HEADER),
  ),
  'protocol/mime/encoded-words.ts decodeUnstructured': row(
    (value: string) => decodeUnstructured(value, MIME_LIMITS.subjectCharacters),
    ...ENCODED,
  ),
  'protocol/mime/fields.ts scanFields': row((bytes: Buffer) => scanFields(bytes), ...HEADERS),
  'protocol/mime/header-end.ts createHeaderEnd': row(
    (bytes: Buffer) => {
      dribble(createHeaderEnd().push, bytes);
      return createHeaderEnd().push(bytes);
    },
    octets('A: b\r\n', HEADER),
    octets('\r', 60_000),
    octets(' \n', HEADER, 'A: b\n'),
  ),
  'protocol/mime/inspect-header.ts inspectHeader': row((bytes: Buffer) => inspectHeader(bytes), ...HEADERS),
  'protocol/mime/line-splitter.ts createLineSplitter': row(
    (content: Buffer) => {
      const splitter = createLineSplitter({ bytes() {}, line() {} });
      push(splitter, content);
      dribble(splitter.push, content.subarray(0, content.length / 4));
      return splitter.end();
    },
    octets('\n', CONTENT),
    octets('--\r\n', CONTENT),
    octets('\r', CONTENT, '--'),
    octets('-', CONTENT),
  ),
  'protocol/mime/lines.ts nextLine': row(
    (bytes: Buffer) => {
      const cursor = lineCursor(0);
      while (nextLine(bytes, cursor, bytes.length));
    },
    octets('\n', HEADER),
    octets('\r', HEADER),
    octets('a\r\n', HEADER),
  ),
  'protocol/mime/parameterised.ts parseParameterised': row(parseParameterised, ...PARAMETERS),
  'protocol/mime/part-header.ts readPartHeader': row(
    (bytes: Buffer) => readPartHeader(bytes, 0, 'text/plain'),
    ...PART_HEADERS,
    ...HEADERS,
  ),
  'protocol/mime/quoted-printable.ts decodeQuotedPrintable': row(decodeQuotedPrintable, ...BODIES),
  'protocol/mime/quoted-printable.ts encodeQuotedPrintable': row(encodeQuotedPrintable, ...BODIES),
  'protocol/mime/quoted-printable.ts createQuotedPrintableEncoder': row(
    (content: Buffer) => {
      const encoder = createQuotedPrintableEncoder();
      push(encoder, content);
      return encoder.end();
    },
    ...BODIES,
  ),
  'protocol/mime/rewrite.ts createRewriter': row(({ content, segments }: ReturnType<(typeof SEGMENTS)['input']>) => {
    const rewriter = createRewriter(segments);
    for (let at = 0; at < content.length; at += 1024) rewriter.push(content.subarray(at, at + 1024));
    return rewriter.end();
  }, SEGMENTS),
  'protocol/mime/seven-bit.ts toSevenBit': row(toSevenBit, ...TREES.map((pump) => of(pump, parseTree))),
  'protocol/mime/text.ts binaryString': row((bytes: Buffer) => binaryString(bytes), octets('\xff', HEADER)),
  'protocol/mime/text.ts binaryBytes': row(binaryBytes, text('\xff', HEADER)),
  'protocol/mime/text.ts readable': row(
    readable,
    text('\xc3\xbc', HEADER),
    text('a', HEADER, '', '\xff'),
    text('\xf0\x9f', HEADER),
  ),
  'protocol/mime/text.ts unfold': row(unfold, text('\r\n ', HEADER), text('\r', HEADER), text('\n', HEADER)),
  'protocol/mime/text.ts fieldValue': row(
    (bytes: Buffer) => fieldValue(bytes, { valueStart: 0, end: bytes.length }),
    octets(' ', HEADER),
    octets('\r\n ', HEADER, 'x', 'x'),
    octets('\r', HEADER, 'x\n', 'x'),
  ),
  'protocol/mime/tree.ts parseTree': row(parseTree, ...TREES),
  'protocol/mime/tree-builder.ts createTreeBuilder': row(
    (content: Buffer) => {
      const builder = createTreeBuilder();
      dribble(builder.push, content.subarray(0, content.length / 4));
      push(builder, content);
      return builder.end();
    },
    ...TREES,
  ),
  'protocol/mime/walk-header.ts walkHeader': row(
    (bytes: Buffer) => {
      const walk = walkHeader(0, bytes.length);
      while (nextField(bytes, walk));
    },
    ...HEADERS,
  ),
  'protocol/mime/write-mailbox.ts writeMailbox': row(
    (name: string) => writeMailbox(name, 'a@b.example'),
    ...textFor([octets('"', HEADER), octets('\\', HEADER), octets('\xfc', HEADER), octets('\x00', HEADER)]),
  ),
});
