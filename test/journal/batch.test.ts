import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createBatchWriter, rowsOf } from '../../src/journal/batch.ts';
import { BATCH_BYTES, SMALL_BATCH_BYTES } from '../../src/journal/limits.ts';
import {
  auditRow,
  type BatchRow,
  type LogRow,
  messageRow,
  recipientRow,
  sessionRow,
} from '../../src/journal/record.ts';
import { change, message, NOON, session } from './support.ts';

/** As it was put in: details are lines there. */
function unpacked(row: BatchRow): unknown[] {
  return row.map((value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('utf8').replace(/\n$/, '') : value,
  );
}

test('whatever rows hold, the other side reads them as they were put in, in their order', () => {
  const text = fc.string({ unit: 'grapheme' });
  const time = fc.integer({ min: 0, max: 2 ** 45 });
  const row = fc.oneof(
    fc.record({ subject: text, at: time, from: text, sizeBytes: fc.nat() }).map((it) => messageRow(message('M1', it))),
    fc.record({ at: time, reply: text, by: text }).map((it) => recipientRow(change('M1', 'relayed', it))),
    fc.record({ endedAt: time, dialogue: text }).map((it) => sessionRow(session('S1', it))),
    fc.tuple(text, time, fc.nat()).map(([network, at, count]): LogRow => ['session-count', network, at, at + 1, count]),
    fc.record({ at: time, actor: text, operation: text, input: text }).map((it) => auditRow({ ...it, result: 'done' })),
  );
  const batch = createBatchWriter();
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      for (const one of rows) assert.ok(batch.put(one));
      assert.deepEqual([...rowsOf(batch.take())].map(unpacked), rows);
      assert.equal(batch.bytes, 0);
    }),
    { numRuns: 200 },
  );
});

test('a full batch takes no more rows, an empty one takes a row of any size', () => {
  const batch = createBatchWriter();
  const small = messageRow(message('M1'));
  const large = sessionRow(session('S1', { reason: 'x'.repeat(2 * BATCH_BYTES) }));
  let rows = 0;
  while (batch.put(small)) rows++;
  assert.ok(!batch.put(large));
  assert.equal([...rowsOf(batch.take())].length, rows);
  assert.ok(batch.put(large));
  assert.deepEqual([...rowsOf(batch.take())].map(unpacked), [large]);
});

test('memory of a batch is written again only once it was given back', () => {
  const writer = createBatchWriter();
  const fill = (id: string) => {
    while (writer.bytes <= SMALL_BATCH_BYTES) writer.put(messageRow(message(id, { at: NOON })));
    return writer.take();
  };
  const ids = (batch: ReturnType<typeof fill>) => new Set([...rowsOf(batch)].map(([, id]) => id));
  const [first, second] = [fill('A'), fill('B')];
  assert.deepEqual([ids(first), ids(second)], [new Set(['A']), new Set(['B'])]);
  writer.giveBack(first);
  const [third, fourth] = [fill('C'), fill('D')];
  assert.deepEqual([ids(second), ids(third), ids(fourth)], [new Set(['B']), new Set(['C']), new Set(['D'])]);
  assert.equal(fourth.buffer, first.buffer);
});
