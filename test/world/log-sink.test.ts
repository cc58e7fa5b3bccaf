import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EVENTS } from '../../src/catalogue.ts';
import { createEvents } from '../../src/world/events.ts';
import { openLogDestination } from '../../src/world/log-destination.ts';
import { attachLog } from '../../src/world/log-sink.ts';

const source = (name: string): string => new URL(`../../src/world/${name}`, import.meta.url).href;
const AT = Date.UTC(2026, 2, 1, 12);

function logFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-log-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'sub', 'postern.log');
}

function eventsAt(): ReturnType<typeof createEvents> {
  return createEvents(
    EVENTS,
    () => AT,
    (error) => assert.fail(String(error)),
  );
}

test('an event is one JSON line with its time, level, name, sentence and fields', async (t) => {
  const file = logFile(t);
  const events = eventsAt();
  const log = await attachLog(events, { format: 'json', level: 'info', destination: file });
  events.emit('node.stopping', { signal: 'SIGTERM\n{"forged":true}' });
  await new Promise((opened) => setImmediate(opened));
  log.close();
  assert.deepEqual(
    (await linesOf(file)).map((line) => JSON.parse(line) as unknown),
    [
      {
        level: 'info',
        time: '2026-03-01T12:00:00.000Z',
        event: 'node.stopping',
        signal: 'SIGTERM\n{"forged":true}',
        text: 'the node is stopping: sessions in flight may finish',
      },
    ],
  );
});

test('a readable line cannot be forged or coloured by what a stranger sent', async (t) => {
  const file = logFile(t);
  const events = eventsAt();
  const log = await attachLog(events, { format: 'readable', level: 'info', destination: file });
  events.emit('node.stopping', { signal: 'SIGTERM' });
  events.emit('node.stopping', { signal: 'a\n2026 ERROR forged \x1b[31m\u009b\u202e' });
  log.close();
  assert.deepEqual(await linesOf(file), [
    '2026-03-01T12:00:00.000Z INFO  the node is stopping: sessions in flight may finish (node.stopping) signal=SIGTERM',
    '2026-03-01T12:00:00.000Z INFO  the node is stopping: sessions in flight may finish (node.stopping) signal="a\\n2026 ERROR forged \\u001b[31m\\u009b\\u202e"',
  ]);
});

test('a JSON line escapes what would steer its reader, and reads back as it was', async (t) => {
  const file = logFile(t);
  const events = eventsAt();
  const log = await attachLog(events, { format: 'json', level: 'info', destination: file });
  const signal = 'a\u0000\u001b[31m\u007f\u009b\u061c\u200f\u2028\u202e\u2066\ufeff\u{e0041}é';
  events.emit('node.stopping', { signal });
  log.close();
  const [line] = await linesOf(file);
  assert.match(line!, /^[\x20-\x7eé]+$/);
  assert.equal((JSON.parse(line!) as { signal: string }).signal, signal);
});

test('events below the level are left out', async (t) => {
  const file = logFile(t);
  const events = eventsAt();
  const log = await attachLog(events, { format: 'readable', level: 'error', destination: file });
  events.emit('node.stopping', { signal: 'SIGTERM' });
  events.emit('node.defect', { where: 'here', error: 'x' });
  log.close();
  assert.equal((await linesOf(file)).length, 1);
});

test('what was logged in the last moment before the process exits is written', (t) => {
  const file = logFile(t);
  const program = `
    import { createEvents } from '${source('events.ts')}';
    import { EVENTS } from '${source('../catalogue.ts')}';
    import { attachLog } from '${source('log-sink.ts')}';
    const events = createEvents(EVENTS, () => 0, console.error);
    await attachLog(events, { format: 'json', level: 'info', destination: ${JSON.stringify(file)} });
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (let i = 0; i < 10000; i++) events.emit('node.stopping', { signal: String(i) });
    process.exit(0);
  `;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.equal(readFileSync(file, 'utf8').trimEnd().split('\n').length, 10_000);
});

for (const format of ['json', 'readable'] as const) {
  test(`a process whose ${format} log goes to a full disk ends`, () => {
    const full = openSync('/dev/full', 'w');
    const program = `
    import { createEvents } from '${source('events.ts')}';
    import { EVENTS } from '${source('../catalogue.ts')}';
    import { attachLog } from '${source('log-sink.ts')}';
    const events = createEvents(EVENTS, () => 0, console.error);
    const log = await attachLog(events, { format: '${format}', level: 'info', destination: 2 });
    events.emit('node.stopping', { signal: 'at first' });
    await new Promise(setImmediate);
    for (let i = 0; i < 1000; i++) events.emit('node.stopping', { signal: String(i) });
    log.close();
  `;
    const { status, signal } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'ignore', full],
      timeout: 20_000,
    });
    closeSync(full);
    assert.deepEqual({ status, signal }, { status: 0, signal: null });
  });
}

test('lines that a full disk refused are counted, and told once it takes lines again', async (t) => {
  const file = logFile(t);
  const told: number[] = [];
  const full = openSync('/dev/full', 'w');
  const destination = openLogDestination(full, (lines) => told.push(lines));
  destination.write('one\n');
  destination.write('two\n');
  const idle = async (): Promise<void> => {
    while (destination.waitingBytes() > 0) await new Promise((resolve) => setImmediate(resolve));
  };
  await idle();
  assert.deepEqual(told, []);
  // The disk has room again: the same descriptor leads to a file.
  closeSync(full);
  mkdirSync(dirname(file));
  const descriptors = [openSync(file, 'w')];
  while (descriptors.at(-1) !== full) descriptors.push(openSync(file, 'a'));
  destination.write('three\n');
  await idle();
  assert.deepEqual(await linesOf(file), ['three']);
  assert.deepEqual(told, [2]);
  destination.close();
  for (const descriptor of descriptors) closeSync(descriptor);
});

/** The destination writes beside the event loop. */
async function linesOf(file: string): Promise<string[]> {
  for (;;) {
    try {
      const text = readFileSync(file, 'utf8');
      if (text.endsWith('\n')) return text.trimEnd().split('\n');
    } catch {
      // Not opened yet.
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
