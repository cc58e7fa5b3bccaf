import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { EVENTS } from '../../src/catalogue.ts';
import { createEvents } from '../../src/world/events.ts';
import { LOOP_HELD_MS, LOOP_LOOK_MS, LOOP_REPORT_MS } from '../../src/world/limits.ts';
import { loopStep, watchLoop } from '../../src/world/loop-watch.ts';
import { manualClock } from '../support/clock.ts';

const LONG = LOOP_HELD_MS + 20;

function watched(t: TestContext) {
  const manual = manualClock();
  let workedMs = 0;
  const clock = { ...manual, monotonic: () => manual.monotonic() + workedMs };
  const seen: Readonly<Record<string, unknown>>[] = [];
  const events = createEvents(EVENTS, clock.now, (error) => assert.fail(String(error)));
  events.attach((name, fields) => name === 'node.loop-held' && seen.push(fields));
  const watch = watchLoop(clock, events);
  t.after(() => watch.close());
  return {
    seen,
    watch,
    advance: manual.advance,
    work: (ms: number) => {
      workedMs += ms;
    },
  };
}

test('a step that holds the event loop is reported with its name and its message', (t) => {
  const { seen, work } = watched(t);
  assert.equal(
    loopStep('header', 'message-1', () => {
      work(LONG);
      return 'done';
    }),
    'done',
  );
  assert.deepEqual(seen, [{ step: 'header', about: 'message-1', heldMs: LONG, unreported: 0 }]);
});

test('a step within the bound is not reported', (t) => {
  const { seen, work } = watched(t);
  loopStep('header', 'message-1', () => work(LOOP_HELD_MS));
  assert.deepEqual(seen, []);
});

test('of steps inside each other the inner one is reported, with the message of the outer one', (t) => {
  const { seen, work } = watched(t);
  loopStep('smtp-input', 'session-1', () => {
    work(5);
    loopStep('check:spf', undefined, () => work(LONG));
    work(5);
  });
  assert.deepEqual(seen, [{ step: 'check:spf', about: 'session-1', heldMs: LONG, unreported: 0 }]);
});

test('a step that throws is reported, too', (t) => {
  const { seen, work } = watched(t);
  assert.throws(() =>
    loopStep('verdict', 'session-1', () => {
      work(LONG);
      throw new Error('a defect');
    }),
  );
  assert.equal(seen[0]!['step'], 'verdict');
});

test('many holds in a second are one event, and the next one has their number', async (t) => {
  const { seen, work, advance } = watched(t);
  for (let i = 0; i < 5; i++) loopStep('header', `message-${i}`, () => work(LONG));
  assert.equal(seen.length, 1);
  await advance(LOOP_REPORT_MS);
  loopStep('header', 'message-5', () => work(LONG));
  assert.deepEqual(
    seen.map(({ unreported }) => unreported),
    [0, 4],
  );
});

test('a hold that no step explains is noticed by a late timer, and one that a step explains is not told twice', async (t) => {
  const { seen, work, advance } = watched(t);
  loopStep('header', 'message-1', () => work(LONG));
  await advance(LOOP_LOOK_MS);
  assert.equal(seen.length, 1);
  await advance(LOOP_REPORT_MS);
  work(LONG);
  await advance(LOOP_LOOK_MS);
  assert.deepEqual(seen.at(-1), { step: 'other', about: '', heldMs: LONG, unreported: 0 });
});

test('without a watch a step is only done', (t) => {
  const { seen, work, watch } = watched(t);
  watch.close();
  loopStep('header', 'message-1', () => work(LONG));
  assert.deepEqual(seen, []);
});
