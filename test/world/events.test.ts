import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENTS } from '../../src/catalogue.ts';
import { createEvents, type EventName } from '../../src/world/events.ts';

test('a sink hears of what concerns it, from when it is attached until it is detached', () => {
  const events = createEvents(EVENTS, () => 7, assert.ifError);
  const all: EventName[] = [];
  const lost: [EventName, number][] = [];
  const emit = () => {
    events.emit('journal.lost', { records: 1 });
    events.emit('queue.work-failed', { work: 'x', error: 'y' });
  };
  emit();
  const detach = events.attach((name) => all.push(name));
  events.attach(
    (name, _, at) => lost.push([name, at]),
    (name) => name === 'journal.lost',
  );
  emit();
  detach();
  emit();
  assert.deepEqual(all, ['journal.lost', 'queue.work-failed']);
  assert.deepEqual(lost, [
    ['journal.lost', 7],
    ['journal.lost', 7],
  ]);
});

test('a sink that throws is told of, and the others hear the event', () => {
  const errors: unknown[] = [];
  const events = createEvents(
    EVENTS,
    () => 7,
    (error) => errors.push(error),
  );
  let heard = 0;
  events.attach(() => {
    throw new Error('broken');
  });
  events.attach(() => heard++);
  events.emit('journal.lost', { records: 1 });
  assert.deepEqual([heard, errors.length], [1, 1]);
});
