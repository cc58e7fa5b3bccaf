import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EVENTS } from '../../src/catalogue.ts';
import { createEvents } from '../../src/world/events.ts';
import { FLOOD_LINES } from '../../src/world/limits.ts';
import { attachLog } from '../../src/world/log-sink.ts';

async function loggedOf(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-flood-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'log');
  const time = { now: 0 };
  const events = createEvents(
    EVENTS,
    () => time.now,
    (error) => assert.fail(String(error)),
  );
  const log = await attachLog(events, { format: 'json', level: 'info', destination: file });
  const lines = (): Record<string, unknown>[] => {
    log.close();
    const text = readFileSync(file, 'utf8').trim();
    return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line));
  };
  return { events, time, lines };
}

test('a client that is refused again and again has some lines a minute and a count; other clients have theirs', async (t) => {
  const { events, time, lines } = await loggedOf(t);
  const failed = (client: string): void => events.emit('wire.tls-failed', { listener: 'mx', client, error: 'x' });
  for (let i = 0; i < 10_000; i++) failed(`2001:db8:1:2::${(i % 1000).toString(16)}`);
  for (let i = 0; i < 5; i++) failed('192.0.2.1');
  events.emit('node.stopping', { signal: 'x' });
  time.now += FLOOD_LINES.windowMs;
  failed('2001:db8:1:2::1');
  const told = lines();
  const of = (client: RegExp): number => told.filter((line) => client.test(String(line['client']))).length;
  assert.equal(of(/^192/), 5);
  assert.equal(of(/^2001/), FLOOD_LINES.ofOne + 1);
  assert.deepEqual(
    told.filter(({ event }) => event === 'log.repeated').map((line) => [line['repeated'], line['lines']]),
    [['wire.tls-failed', 10_000 - FLOOD_LINES.ofOne]],
  );
  assert.ok(told.some(({ event }) => event === 'node.stopping'));
});

test('a botnet of thousands of addresses has a bound, and what strangers cannot cause has none', async (t) => {
  const { events, lines } = await loggedOf(t);
  for (let i = 0; i < 5000; i++) {
    events.emit('wire.tls-failed', { listener: 'mx', client: `10.0.${i >> 8}.${i & 255}`, error: 'x' });
    events.emit('settings.changed', { keys: [], owners: [], by: 'x' });
  }
  const told = lines();
  assert.equal(told.filter(({ event }) => event === 'wire.tls-failed').length, FLOOD_LINES.all);
  assert.equal(told.filter(({ event }) => event === 'settings.changed').length, 5000);
  assert.equal(told.at(-1)!['lines'], 5000 - FLOOD_LINES.all);
});
