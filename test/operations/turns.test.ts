/** Acts wait only for acts of the same topic. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTurns } from '../../src/operations/turns.ts';
import { ROOT, startCore } from '../support/core.ts';

function gate(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

test('acts of one topic go in the order in which they came, and one that fails holds up nobody', async () => {
  const turns = createTurns(Promise.resolve());
  const done: string[] = [];
  const first = gate();
  const acts = [
    turns.take(['accounts'], async () => {
      await first.opened;
      done.push('a');
      throw new Error('refused');
    }),
    turns.take(['accounts', 'settings'], async () => void done.push('b')),
    turns.take(['settings'], async () => void done.push('c')),
    turns.take(['queue'], async () => void done.push('d')),
  ];
  await acts[3];
  assert.deepEqual(done, ['d']);
  first.open();
  await Promise.allSettled(acts);
  assert.deepEqual(done, ['d', 'a', 'b', 'c']);
});

test('two acts that name the same topics in another order never wait for each other', async () => {
  const turns = createTurns(Promise.resolve());
  const done: number[] = [];
  const topics = ['accounts', 'settings', 'queue'] as const;
  await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      turns.take(n % 2 === 0 ? topics : topics.toReversed(), async () => void done.push(n)),
    ),
  );
  assert.deepEqual(
    done,
    Array.from({ length: 100 }, (_, n) => n),
  );
});

test('an account is frozen while a bulk act on the queue goes on, and one of its messages is released', async (t) => {
  const slow = gate();
  const { operations, queue } = await startCore(t);
  Object.assign(queue.admin, { delete: () => slow.opened.then(() => 20_000), release: async () => 1 });
  await operations.execute('domain.add', { name: 'example.com' }, ROOT);
  await operations.execute('user.add', { address: 'alice@example.com' }, ROOT);
  let isOver = false;
  const bulk = operations.execute('queue.delete', { all: true }, ROOT).finally(() => {
    isOver = true;
  });
  await operations.execute('user.set-state', { address: 'alice@example.com', state: 'frozen' }, ROOT);
  await operations.execute('queue.release', { ids: ['abc.1'] }, ROOT);
  assert.equal(isOver, false);
  slow.open();
  assert.deepEqual(await bulk, { changed: 20_000 });
});
