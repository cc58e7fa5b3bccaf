import assert from 'node:assert/strict';
import test from 'node:test';
import * as dns from 'dns-packet';
import fc from 'fast-check';
import { readAnswer } from '../../../src/world/resolver/read-answer.ts';
import { answersQuery, decodeMessage, encodeQuery, encodeQuestion } from '../../../src/world/resolver/wire.ts';
import type { RecordType } from '../../../src/world/resolver.ts';

const TYPES: readonly RecordType[] = ['A', 'AAAA', 'MX', 'TXT', 'PTR', 'CNAME', 'NS', 'TLSA'];
const NAME = 'mail.example.com';
const question = encodeQuestion(NAME, 'A')!;

/** A rich, valid answer: the ground that the fuzzer spoils. */
const VALID = dns.encode({
  id: 7,
  type: 'response',
  flags: dns.RECURSION_AVAILABLE,
  questions: [{ name: NAME, type: 'A' }],
  answers: [
    { name: NAME, type: 'A', ttl: 60, data: '192.0.2.1' },
    { name: NAME, type: 'MX', ttl: 60, data: { preference: 10, exchange: 'mx.example.com' } },
    { name: NAME, type: 'TXT', ttl: 60, data: ['one', 'two'] },
    { name: NAME, type: 'AAAA', ttl: 60, data: '2001:db8::1' },
    { name: NAME, type: 'SRV', ttl: 60, data: { port: 25, target: 'mx.example.com' } },
  ],
  additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232 }],
});

function readAll(bytes: Uint8Array): void {
  answersQuery(bytes, 7, question, false);
  const message = decodeMessage(bytes);
  if (message) for (const type of TYPES) readAnswer(NAME, type, message);
}

test('our query is one that another implementation reads', () => {
  const query = dns.decode(encodeQuery(4711, encodeQuestion('_25._tcp.example.com', 'TLSA')!, true));
  assert.equal(query.id, 4711);
  assert.equal(query.type, 'query');
  assert.deepEqual(query.questions, [{ name: '_25._tcp.example.com', type: 'TLSA', class: 'IN' }]);
  assert.equal(query.flag_ad, true);
  assert.equal(query.additionals?.[0]?.udpPayloadSize, 1232);
});

test('no bytes make the reader throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), readAll), { numRuns: 3000 });
});

test('a valid answer with some bytes changed or cut off does not make the reader throw', () => {
  const changes = fc.array(fc.tuple(fc.nat(VALID.length - 1), fc.nat(255)), { maxLength: 6 });
  fc.assert(
    fc.property(changes, fc.nat(VALID.length), (replaced, length) => {
      const bytes = Uint8Array.from(VALID);
      for (const [at, octet] of replaced) bytes[at] = octet;
      readAll(bytes.subarray(0, length));
    }),
    { numRuns: 5000 },
  );
});

test('every valid answer is read whole, also beside records of types that nobody knows', () => {
  const message = decodeMessage(VALID)!;
  assert.deepEqual(readAnswer(NAME, 'A', message), { kind: 'found', records: ['192.0.2.1'], ttlSeconds: 60, hops: 0 });
  assert.equal(readAnswer(NAME, 'MX', message)?.kind, 'found');
  assert.equal(readAnswer(NAME, 'TLSA', message)?.kind, 'none');
});

test('names that point at each other end the reading', () => {
  const header = Buffer.from('000780800001000100000000', 'hex');
  const selfPointer = Buffer.from('c01a00010001000000000004c0000201', 'hex');
  const message = Buffer.concat([header, Buffer.from(encodeQuestion('a.test', 'A')!), selfPointer]);
  assert.equal(decodeMessage(message), undefined);
});

test('a chain of pointers longer than any name has labels ends the reading', () => {
  const asked = Buffer.from(encodeQuestion('a.test', 'A')!);
  const start = 12 + asked.length + 12;
  const reads = (pointers: number): boolean => {
    const data = Buffer.alloc(2 + 2 * pointers);
    for (let i = 0; i < pointers; i++) data.writeUInt16BE(0xc000 | (start + 2 * i), 2 + 2 * i);
    const first = Buffer.from('c00c000a00010000003c0000', 'hex');
    first.writeUInt16BE(data.length, 10);
    const second = Buffer.from('c000000100010000003c0004c0000201', 'hex');
    second.writeUInt16BE(0xc000 | (start + data.length - 2), 0);
    const header = Buffer.from('000780800001000200000000', 'hex');
    return decodeMessage(Buffer.concat([header, asked, first, data, second])) !== undefined;
  };
  assert.equal(reads(100), true);
  assert.equal(reads(200), false);
});

test('a name that runs through the records behind it is no name', () => {
  const header = Buffer.from('000780800001000100000000', 'hex');
  const asked = Buffer.from(encodeQuestion('a.test', 'MX')!);
  const endless = Buffer.concat([
    Buffer.from('c00c000f00010000003c0102000a', 'hex'),
    Buffer.alloc(256, 1),
    Buffer.of(0),
  ]);
  const message = decodeMessage(Buffer.concat([header, asked, endless]));
  assert.equal(message && readAnswer('a.test', 'MX', message), undefined);
});

test('a dot inside a label cannot pass for the end of a label', () => {
  const header = Buffer.from('000780800001000100000000', 'hex');
  const asked = Buffer.from(encodeQuestion('a.test', 'PTR')!);
  const target = Buffer.from('0a6d782e6578616d706c65047465737400', 'hex');
  const record = Buffer.from('c00c000c00010000003c0011', 'hex');
  const message = decodeMessage(Buffer.concat([header, asked, record, target]));
  assert.ok(message);
  const read = readAnswer('a.test', 'PTR', message);
  assert.deepEqual(read?.kind === 'found' && read.records, ['mx\\.example.test']);
});

test('data shorter or longer than its type is no answer', () => {
  const header = Buffer.from('000780800001000100000000', 'hex');
  const asked = Buffer.from(encodeQuestion('a.test', 'A')!);
  for (const data of ['c00002', 'c000020101']) {
    const length = (data.length / 2).toString(16).padStart(4, '0');
    const record = Buffer.from(`c00c000100010000003c${length}${data}`, 'hex');
    const message = decodeMessage(Buffer.concat([header, asked, record]))!;
    assert.equal(readAnswer('a.test', 'A', message), undefined);
  }
});
