/** Settled rows leave the state database once the log has them, whenever that is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createJournaling } from '../../../src/queue/journal/journaling.ts';
import type { NodeParts } from '../../../src/queue/parts.ts';
import { queueStatements } from '../../../src/queue/rows/statements.ts';
import type { Statement } from '../../../src/store/contract.ts';

test('what becomes durable while rows are purged is purged in the same go', async () => {
  let durable = 0;
  let tell = (): void => {};
  let records = 0;
  const units: (readonly Statement[])[] = [];
  const written: PromiseWithResolvers<void>[] = [];
  const parts = {
    isForeign: () => false,
    journal: {
      recipient: () => ++records,
      durable: () => durable,
      onDurable(listener: () => void) {
        tell = listener;
        return () => {};
      },
    },
    database: {
      async write(unit: readonly Statement[]) {
        units.push(unit);
        const held = Promise.withResolvers<void>();
        written.push(held);
        await held.promise;
        return [];
      },
    },
  } as unknown as NodeParts;
  const journaling = createJournaling(parts, queueStatements('sqlite'), { seq: 0, mark: 0 });
  for (const message of [1, 2]) journaling.settled(journaling.nextSeq(), {} as never, message);
  durable = 1;
  tell();
  assert.equal(units.length, 1, 'the first row is being purged');
  durable = 2;
  tell();
  written[0]!.resolve();
  for (let turn = 0; turn < 20; turn++) await null;
  assert.equal(units.length, 2, 'nothing asks again for the second');
  assert.ok(units[1]!.some(({ parameters }) => parameters.includes(2)));
  written[1]!.resolve();
});
