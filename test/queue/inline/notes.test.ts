import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { decodeNote, encodeNote, type Note } from '../../../src/queue/inline/notes.ts';
import {
  MESSAGE_COLUMNS,
  type MessageRow,
  NOTED_SPLICE_COLUMNS,
  RECIPIENT_COLUMNS,
  type RecipientRow,
  type SpliceRow,
} from '../../../src/queue/rows/tables.ts';
import { encodeValues, type Value } from '../../../src/store/ledger/values.ts';

/** Long ones are written by themselves. */
const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 250, maxLength: 300 }) },
);
const cell = fc.oneof(fc.constant(null), text, fc.maxSafeNat(), fc.constantFrom(0, 1, -1));
const row = <T>(columns: readonly string[]): fc.Arbitrary<T> =>
  fc.record(Object.fromEntries(columns.map((column) => [column, cell]))) as fc.Arbitrary<T>;

const accepting = fc
  .record({
    message: row<MessageRow>(MESSAGE_COLUMNS),
    recipients: fc.array(row<RecipientRow>(RECIPIENT_COLUMNS), { minLength: 1, maxLength: 4 }),
    content: fc.oneof(
      fc.record({ kind: fc.constant('row' as const), pieces: fc.array(fc.uint8Array({ maxLength: 2000 })) }),
      fc.record({ kind: fc.constant('blob' as const), key: fc.stringMatching(/^[0-9a-f]{32}$/) }),
    ),
  })
  .map(({ recipients, ...rest }) => ({
    kind: 'accepted' as const,
    ...rest,
    recipients: recipients.map((one) => ({ ...one, edits: null })),
  }));
const insertion = fc.record({
  row: row<SpliceRow>(NOTED_SPLICE_COLUMNS),
  bytes: fc.option(fc.uint8Array({ maxLength: 2000 })),
});
const varied = fc
  .tuple(accepting, fc.nat(), fc.option(text), fc.array(insertion, { maxLength: 4 }))
  .map(([one, v, edits, insertions]) => {
    const { key: message } = one.message;
    const splices = insertions.map(({ row: noted, bytes }, n) => ({
      ...noted,
      ...(bytes ? { blob: null, size_bytes: bytes.length } : { blob: `file ${n}` }),
      ...{ message, v, n, bytes },
    }));
    return { ...one, variant: { variant: { message, v, edits }, splices } };
  });

const note: fc.Arbitrary<Note> = fc.oneof(
  accepting,
  varied,
  fc.record({
    kind: fc.constant('ended' as const),
    key: fc.maxSafeNat(),
    rows: fc.array(fc.tuple(fc.constant('recipient' as const), text, text, fc.maxSafeNat(), text, text)),
  }),
  fc.record({ kind: fc.constant('over' as const), keys: fc.array(fc.maxSafeNat()) }),
);

/** Content in one piece. */
function plain(one: Note): unknown {
  if (one.kind !== 'accepted') return one;
  const splices = one.variant?.splices.map((splice) => ({
    ...splice,
    bytes: splice.bytes && Buffer.from(splice.bytes).toString('hex'),
  }));
  const content = one.content.kind === 'row' ? Buffer.concat(one.content.pieces).toString('hex') : one.content;
  return { ...one, content, ...(splices && { variant: { ...one.variant, splices } }) };
}

/** Rows as values, since fast-check's have no prototype. */
function comparable(one: Note): unknown {
  return JSON.parse(JSON.stringify(plain(one)));
}

test('a note is read as it was written, whatever is in it', () =>
  fc.assert(
    fc.property(note, (one) => {
      assert.deepEqual(comparable(decodeNote(Buffer.concat(encodeNote(one)))), comparable(one));
    }),
    { numRuns: 300 },
  ));

test('what encodeNote never made is an error, and no note', () => {
  const refused = (record: Buffer): void =>
    assert.throws(
      () => decodeNote(record),
      (error) => error instanceof Error && /note|ledger|range/.test(error.message),
    );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => refused(Buffer.from(bytes))),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(note, fc.nat(), (one, where) => {
      const [head, body] = encodeNote(one);
      const whole = Buffer.concat([head!, body!]);
      refused(whole.subarray(0, where % whole.length));
      refused(Buffer.concat([Buffer.of(4), whole.subarray(1)]));
    }),
    { numRuns: 100 },
  );
  for (const values of [[], [null], [null, 0, 0, 1], [null, 20, 0, 1, 2], [null, 3, 2, 1, 2, 3]])
    refused(accepted(values));
});

/** A note of a message with these values, and some octets behind them. */
function accepted(values: readonly Value[]): Buffer {
  const body = encodeValues(values);
  const head = Buffer.of(0, 0, 0, 0, 0);
  head.writeUInt32LE(body.length, 1);
  return Buffer.concat([head, body, Buffer.from('octets')]);
}

test('a note of a version that knew fewer columns, or more, is read by those that both know', () => {
  const values = (columns: readonly string[], more: readonly Value[] = []): Value[] => [
    ...columns.map((column) => `the ${column}`),
    ...more,
  ];
  const read = (noted: readonly Value[]): Note & { kind: 'accepted' } => {
    const decoded = decodeNote(accepted(noted));
    assert.ok(decoded.kind === 'accepted');
    return decoded;
  };
  const fewer = MESSAGE_COLUMNS.slice(0, -1);
  const [m, r] = [MESSAGE_COLUMNS.length, RECIPIENT_COLUMNS.length];
  const older = read([null, m - 1, r, ...values(fewer), ...values(RECIPIENT_COLUMNS), ...values(RECIPIENT_COLUMNS)]);
  assert.deepEqual([older.message.key, older.message.trail, older.recipients.length], ['the key', null, 2]);
  const newer = read([
    ...[null, m + 1, r + 2],
    ...values(MESSAGE_COLUMNS, ['new']),
    ...values(RECIPIENT_COLUMNS, ['new', 'newer']),
  ]);
  assert.deepEqual(Object.keys(newer.message), MESSAGE_COLUMNS);
  assert.deepEqual([newer.recipients.length, newer.recipients[0]!.last], [1, 'the last']);
});

test('a note from before there were variants has its recipients’ edits in one', () => {
  const before = RECIPIENT_COLUMNS.slice(0, RECIPIENT_COLUMNS.indexOf('variant'));
  const cells = (n: number): Value[] => before.map((column) => (column === 'n' ? n : `the ${column}`));
  const message = MESSAGE_COLUMNS.map((column) => `the ${column}`);
  const read = decodeNote(
    accepted([null, MESSAGE_COLUMNS.length, before.length, ...message, ...cells(4), ...cells(5)]),
  );
  assert.ok(read.kind === 'accepted');
  const variant = { message: 'the key', v: 4, edits: 'the edits' };
  assert.deepEqual(read.variant, { variant, splices: [] });
  assert.deepEqual(
    read.recipients.map(({ n, edits, variant: v }) => [n, edits, v]),
    [
      [4, null, 4],
      [5, null, 4],
    ],
  );
});
