import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createWorkerClient, type WorkerClientOptions } from '../../../src/world/workers/client.ts';
import { createPlainLine } from '../../../src/world/workers/line.ts';
import { manualClock } from '../../support/clock.ts';
import type { Counted, Order } from './support/obedient-thread.ts';

const WAITING = 2;
const IDLE_MS = 1000;
const HANG: Order = { kind: 'hang' };
const COUNT: Order = { kind: 'count' };

function open(t: TestContext, options: Partial<WorkerClientOptions<void>> = {}) {
  const clock = manualClock();
  const client = createWorkerClient<Order, string | Counted>({
    clock,
    source: { module: new URL('./support/obedient-thread.ts', import.meta.url), name: 'obedient' },
    line: createPlainLine(WAITING),
    idleMs: IDLE_MS,
    ...options,
  });
  t.after(() => client.close());
  const ask = (order: Order, signal?: AbortSignal) => client.run((toThread) => toThread(order), undefined, signal);
  const echo = (value: string) => ask({ kind: 'echo', value });
  const ofThread = async (): Promise<number> => ((await ask(COUNT)) as Counted).ofThread;
  return { clock, client, ask, echo, ofThread };
}

test('an answer that is not there at the deadline is `worker.late`, and the next question is answered by another thread', async (t) => {
  const { clock, ask, ofThread } = open(t, { deadlineMs: 5000 });
  assert.equal(await ofThread(), 0);
  assert.equal(await ofThread(), 1);
  const late = assert.rejects(ask(HANG), { code: 'worker.late' });
  const next = ofThread();
  await clock.advance(5000);
  await late;
  assert.equal(await next, 0, 'a new thread');
});

test('a deadline counts from the question on, not from the line', async (t) => {
  const { clock, client, ask, echo } = open(t, { deadlineMs: 5000 });
  const { promise: loaded, resolve } = Promise.withResolvers<void>();
  const slow = client.run(async (toThread) => {
    await loaded;
    return toThread({ kind: 'echo', value: 'slow' });
  });
  const behind = echo('behind');
  await clock.advance(60_000);
  resolve();
  assert.deepEqual(await Promise.all([slow, behind]), ['slow', 'behind']);
  await assert.rejects(Promise.all([ask(HANG), clock.advance(5000)]), { code: 'worker.late' });
});

for (const kind of ['throw', 'exit'] as const) {
  test(`a thread that ends in the middle (${kind}) fails all jobs that it has, and the line goes on with another`, async (t) => {
    const { ask, ofThread, client } = open(t, { jobsPerThread: 2 });
    await ofThread();
    const other = client.run(async (toThread) => {
      await toThread(COUNT);
      await toThread(HANG);
      return 'answered';
    });
    const failed = [
      assert.rejects(other, { code: 'worker.died' }),
      assert.rejects(ask({ kind }), { code: 'worker.died' }),
    ];
    const next = ofThread();
    await Promise.all(failed);
    assert.equal(await next, 0);
  });
}

test('a job whose thread ended between its questions is refused the next one, whoever the new thread serves', async (t) => {
  const { client, ask, ofThread } = open(t, { jobsPerThread: 2 });
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const stream = client.run(async (toThread) => {
    await toThread(COUNT);
    await ended;
    return toThread(COUNT);
  });
  const failed = assert.rejects(stream, { code: 'worker.died' });
  await assert.rejects(ask({ kind: 'exit' }), { code: 'worker.died' });
  assert.equal(await ofThread(), 0);
  resolve();
  await failed;
});

test('who finds the line full is refused at once with `worker.busy`; who waits is answered in order', async (t) => {
  const { echo } = open(t);
  const answered: string[] = [];
  const results = await Promise.allSettled(
    ['a', 'b', 'c', 'd', 'e'].map(async (value) => answered.push((await echo(value)) as string)),
  );
  assert.deepEqual(answered, ['a', 'b', 'c']);
  assert.deepEqual(
    results.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : [])),
    ['worker.busy', 'worker.busy'],
  );
});

test('as many threads and jobs as allowed are served at once', async (t) => {
  const { clock, client } = open(t, { threads: 2, jobsPerThread: 2, deadlineMs: 1000, line: createPlainLine(10) });
  let begun = 0;
  const all = Array.from({ length: 5 }, () =>
    client.run((toThread) => {
      begun++;
      return toThread(HANG);
    }),
  );
  const late = all.slice(0, 4).map((one) => assert.rejects(one));
  assert.equal(begun, 4);
  await clock.advance(1000);
  await Promise.all(late);
  const last = assert.rejects(all[4]!, { code: 'worker.late' });
  await clock.advance(1000);
  await last;
});

test('a thread without a job retires after its time, not before, and the next job starts another', async (t) => {
  const { clock, ofThread } = open(t);
  assert.equal(await ofThread(), 0);
  await clock.advance(IDLE_MS - 1);
  assert.equal(await ofThread(), 1);
  await clock.advance(IDLE_MS - 1);
  assert.equal(await ofThread(), 2);
  await clock.advance(IDLE_MS);
  assert.equal(clock.pending(), 0);
  assert.equal(await ofThread(), 0);
});

test('a thread that serves retires for nobody', async (t) => {
  const { clock, client } = open(t);
  const { promise: loaded, resolve } = Promise.withResolvers<void>();
  const long = client.run(async (toThread) => {
    await toThread(COUNT);
    await loaded;
    return toThread(COUNT);
  });
  await clock.advance(10 * IDLE_MS);
  resolve();
  assert.deepEqual(await long, { ofJob: 1, ofThread: 1 });
});

test('a thread forgets what it kept for a job when the job is over', async (t) => {
  const { client } = open(t);
  const twice = () =>
    client.run(async (toThread) => {
      await toThread(COUNT);
      return toThread(COUNT);
    });
  assert.deepEqual(await twice(), { ofJob: 1, ofThread: 1 });
  assert.deepEqual(await twice(), { ofJob: 1, ofThread: 3 });
});

test('closing while busy answers `worker.closed` to who waits, who is served, and who comes later', async (t) => {
  const { clock, client, ask, echo } = open(t, { deadlineMs: 5000 });
  const reading = client.run(() => new Promise<string>(() => {}));
  const all = [reading, ask(HANG), echo('x')];
  const failed = all.map((one) => assert.rejects(one, { code: 'worker.closed' }));
  await client.close();
  await Promise.all(failed);
  await assert.rejects(echo('y'), { code: 'worker.closed' });
  assert.equal(clock.pending(), 0);
});

test('an error in the thread is the error of its asker: an operational one keeps its code, and the thread goes on', async (t) => {
  const { ask, ofThread } = open(t);
  assert.equal(await ofThread(), 0);
  await assert.rejects(ask({ kind: 'refuse' }), { code: 'test.refused', message: 'cannot do this' });
  assert.equal(await ofThread(), 1);
});

test('an error of the work itself is its own, and gives its place to the next', async (t) => {
  const { client, echo } = open(t);
  await assert.rejects(
    client.run(() => Promise.reject(new Error('gone'))),
    /gone/,
  );
  assert.equal(await echo('next'), 'next');
});

test('whoever is aborted hears so at once; in the line it never begins, and its thread goes on when it has answered', async (t) => {
  const { client, ask, echo, ofThread } = open(t, { line: createPlainLine(10) });
  const aborted = AbortSignal.abort(new Error('out of time'));
  await assert.rejects(ask(COUNT, aborted), /out of time/);
  const control = new AbortController();
  let isBegun = false;
  const first = ask(COUNT, control.signal);
  const second = client.run(
    async () => {
      isBegun = true;
    },
    undefined,
    control.signal,
  );
  const third = echo('third');
  const failed = [assert.rejects(first, /over/), assert.rejects(second, /over/)];
  control.abort(new Error('over'));
  await Promise.all(failed);
  assert.equal(await third, 'third');
  assert.ok(!isBegun);
  assert.equal(await ofThread(), 1, 'the same thread');
});
