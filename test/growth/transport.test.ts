/** What comes by the wire, from the DNS, and in a message that may hold reports, whatever is in it. */

import { withEdits } from '../../src/deliver/edits.ts';
import { subjectWords } from '../../src/journal/terms.ts';
import type { HeaderEdit } from '../../src/model/content.ts';
import type { Segment } from '../../src/protocol/mime/types.ts';
import { packingOf } from '../../src/report/incoming/unpack.ts';
import { createDataEncoder, encodeWhole } from '../../src/wire/client/content.ts';
import { InputBuffer } from '../../src/wire/framing.ts';
import { canonicalAddress, networkOf, networkSet } from '../../src/wire/network.ts';
import { mixCase } from '../../src/world/resolver/exchange.ts';
import { readAnswer } from '../../src/world/resolver/read-answer.ts';
import { parseResolvConf } from '../../src/world/resolver/servers.ts';
import {
  answersQuery,
  decodeData,
  decodeMessage,
  denialSeconds,
  encodeQuestion,
} from '../../src/world/resolver/wire.ts';
import type { Pump } from '../support/growth.ts';
import { octets, row, testGrowth, text } from '../support/growth-table.ts';
import { CHUNK, CONTENT, HEADER, LINE } from './limits.ts';

const QUESTION = encodeQuestion('a.example', 'A')!;

/** A message by TCP (RFC 1035 4.2.2): `records` of any form behind the question. */
function answer(name: string, record: (at: number) => Buffer): Pump<Buffer> {
  return {
    name,
    largest: 65_000,
    input(size) {
      const head = Buffer.alloc(12);
      head.writeUInt16BE(7, 0);
      head.writeUInt16BE(0x8180, 2);
      head.writeUInt16BE(1, 4);
      const records: Buffer[] = [];
      for (let at = 12 + QUESTION.length; at < size; at += records.at(-1)!.length) records.push(record(at));
      head.writeUInt16BE(records.length, 6);
      return Buffer.concat([head, QUESTION, ...records]);
    },
  };
}
/** Owner name, type, class, TTL, data. */
const rr = (owner: readonly number[], type: number, data: readonly number[]): Buffer =>
  Buffer.from([...owner, 0, type, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length & 255, ...data]);
const to = (at: number): readonly number[] => [0xc0 | (at >> 8), at & 255];
const ANSWERS = [
  answer('addresses', () => rr(to(12), 1, [192, 0, 2, 1])),
  answer('aliases of one name', () => rr(to(12), 5, [1, 98, 0])),
  answer('a chain of pointers', (at) =>
    rr(to(at < 12 + QUESTION.length + 20 || at > 0x3fff ? 12 : at - 14), 1, [1, 2]),
  ),
  answer('pointers to the longest name', (at) =>
    rr(
      at === 12 + QUESTION.length
        ? [
            ...Array(3)
              .fill([63, ...Array(63).fill(1)])
              .flat(),
            0,
          ]
        : to(12 + QUESTION.length),
      1,
      [1, 1, 1, 1],
    ),
  ),
  answer('exchanges whose names have no end', () => rr(to(12), 15, [192, 0, 2, 1])),
  answer('strings', () => rr(to(12), 16, Array(200).fill(0))),
  answer('authorities', () => rr(to(12), 6, Array(22).fill(0))),
];

function readAll(bytes: Buffer): void {
  const message = decodeMessage(bytes);
  if (!message) return;
  for (const type of ['A', 'CNAME', 'TXT', 'MX', 'TLSA', 'PTR'] as const) {
    readAnswer('a.example', type, message);
    for (const record of message.answers) decodeData(message, record, type);
  }
  for (const record of message.authorities) denialSeconds(message, record);
}

const CONTENTS = [
  octets('\r\n.', CHUNK),
  octets('.', CHUNK),
  octets('\r', CHUNK),
  octets('\n', CHUNK),
  octets('\n.', CHUNK),
  octets('\r.\n', CHUNK),
];

const EDITS: Pump<{ header: Buffer; segments: readonly Segment[]; edits: readonly HeaderEdit[] }> = {
  name: 'as many edits as there are fields, of a message in as many segments',
  largest: 2000,
  input(count) {
    const header = Buffer.from('A: b\r\n'.repeat(count));
    const segments: Segment[] = [];
    for (let at = 0; at < header.length * 2; at += 6) segments.push({ kind: 'original', start: at, end: at + 6 });
    const edits = Array.from({ length: count }, (_, i): HeaderEdit => ({ kind: 'remove', name: 'A', occurrence: i }));
    return { header, segments, edits };
  },
};

testGrowth({
  'report/incoming/unpack.ts packingOf': row(packingOf, octets('\x1f\x8b', CONTENT)),
  'world/resolver/wire.ts answersQuery': row((bytes: Buffer) => answersQuery(bytes, 7, QUESTION, false), ...ANSWERS),
  'world/resolver/wire.ts decodeMessage': row(
    decodeMessage,
    ...ANSWERS,
    octets('\xc0\x0c', 65_000),
    octets('\0', 65_000),
  ),
  'world/resolver/wire.ts decodeData': row(readAll, ...ANSWERS),
  'world/resolver/wire.ts encodeQuestion': row(
    (name: string) => encodeQuestion(name, 'A'),
    text('.', HEADER),
    text('a', HEADER),
    text('a.', HEADER),
  ),
  'world/resolver/read-answer.ts readAnswer': row(readAll, ...ANSWERS),
  'world/resolver/exchange.ts mixCase': row((question: Uint8Array) => mixCase(question, { below: () => 1 } as never), {
    name: 'a name',
    largest: 240,
    input: (size) => encodeQuestion('a.'.repeat(size / 2).slice(0, -1), 'A')!,
  }),
  'world/resolver/servers.ts parseResolvConf': row(
    parseResolvConf,
    text('nameserver 192.0.2.1\n', CHUNK),
    text(' ', CHUNK, 'nameserver', 'x'),
    text('\n', CHUNK),
    text('#', CHUNK),
  ),
  'wire/framing.ts InputBuffer': row(
    (content: Buffer) => {
      const input = new InputBuffer();
      for (let at = 0; at < content.length; at += 4096) {
        input.push(content.subarray(at, at + 4096));
        for (;;) {
          const line = input.takeLine(2048);
          // The session ends with the first of these two.
          if (line === 'bare-lf' || line === 'endless') return input.clear();
          if (line === 'incomplete') break;
        }
      }
      return input.clear();
    },
    octets('\r\n', CHUNK),
    octets('\n', CHUNK),
    octets('a', CHUNK),
    octets('NOOP\r\n', CHUNK),
    octets('\r', CHUNK),
  ),
  'wire/client/content.ts createDataEncoder': row(
    (content: Buffer) => {
      const encoder = createDataEncoder();
      const out: Buffer[] = [];
      encoder.push(content, out);
      for (let at = 0; at < content.length / 8; at += 3) encoder.push(content.subarray(at, at + 3), out);
      encoder.end(out);
    },
    ...CONTENTS,
  ),
  'wire/client/content.ts encodeWhole': row(
    (content: Buffer) => encodeWhole([content]),
    ...CONTENTS.map((pump) => ({ ...pump, largest: CONTENT })),
  ),
  'wire/network.ts canonicalAddress': row(canonicalAddress, text(':', LINE), text('1.', LINE), text('::ffff:', LINE)),
  'wire/network.ts networkOf': row(networkOf, text(':', LINE), text('1.', LINE)),
  'wire/network.ts networkSet': row(
    (address: string) => networkSet(['192.0.2.0/24']).has(address),
    text(':', LINE),
    text('1.', LINE),
  ),
  'journal/terms.ts subjectWords': row(
    subjectWords,
    text('a ', HEADER),
    text('\u0323\u0301', HEADER),
    text('\u4e00', HEADER),
    text('\ufdfa', HEADER),
  ),
  'deliver/edits.ts withEdits': row(({ segments, header, edits }: ReturnType<(typeof EDITS)['input']>) => {
    withEdits(segments, header, edits);
  }, EDITS),
});
