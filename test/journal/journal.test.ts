import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { EVENTS } from '../../src/catalogue.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { showById } from '../../src/journal/show.ts';
import { systemClock } from '../../src/world/clock.ts';
import { createEvents } from '../../src/world/events.ts';
import { change, folderOf, message, NOON, openLog, session } from './support.ts';

test('a message is found with its session, findings, attempts and dialogue', async (t) => {
  const { journal, reader } = await openLog(t);
  journal.message(message('M1'));
  journal.recipient(change('M1', 'queued', { at: NOON + 1, status: '4.4.1', reply: 'no answer' }));
  journal.recipient(change('M1', 'relayed', { at: NOON + 2, host: 'mx.example.com', reply: '250 ok' }));
  journal.session(session('S1'));
  await journal.flush();

  const { messages } = await reader.searchLog({});
  assert.deepEqual(messages, [
    {
      id: 'M1',
      messageId: 'M1',
      messageIdHeader: '<M1@sender.example>',
      time: '2026-03-01T12:00:00.000Z',
      direction: 'inbound',
      from: 'alice@sender.example',
      to: ['bob@example.com'],
      subject: 'Subject of M1',
      disposition: 'accept',
      client: '192.0.2.1',
      sizeBytes: 1234,
      session: 'S1',
      recipients: [{ address: 'bob@example.com', disposition: 'accept', state: 'relayed' }],
    },
  ]);
  const shown = await reader.showMessage('M1');
  assert.ok(shown?.kind === 'message');
  assert.equal(shown.session?.dialogue, 'S: 220 mx.example\nC: EHLO client.example');
  assert.equal(shown.detail.dialogue, message('M1').detail.dialogue);
  assert.deepEqual(shown.detail.evidence, { size: { bytes: 1234 } });
  assert.deepEqual(
    shown.changes.map(({ state, reply }) => [state, reply]),
    [
      ['queued', 'no answer'],
      ['relayed', '250 ok'],
    ],
  );
});

test('the watermark tells what is on disk, in order of recording', async (t) => {
  const { journal, path } = await openLog(t);
  const reached: number[] = [];
  journal.onDurable((upTo) => reached.push(upTo));
  const first = journal.message(message('M1'));
  const second = journal.recipient(change('M1', 'relayed'));
  assert.ok(second > first && journal.durable() < first);
  await journal.flush();
  assert.equal(journal.durable(), second);
  assert.equal(reached.at(-1), second);
  const db = new DatabaseSync(path, { readOnly: true });
  const shown = showById(db, 'M1');
  assert.ok(shown?.kind === 'message' && shown.changes.length === 1);
  db.close();
});

test('records reach another connection without anybody asking for a flush', async (t) => {
  const { journal, reader } = await openLog(t);
  const durable = new Promise((resolve) => journal.onDurable(resolve));
  journal.message(message('M1'));
  await durable;
  assert.equal((await reader.searchLog({ id: 'M1' })).messages.length, 1);
});

test('a message journaled again after a crash stays one row', async (t) => {
  const folder = folderOf(t);
  const before = await openLog(t, { folder });
  before.journal.message(message('M1'));
  before.journal.recipient(change('M1', 'relayed'));
  await before.journal.close();

  const after = await openLog(t, { folder });
  after.journal.message(message('M1'));
  after.journal.recipient(change('M1', 'relayed'));
  after.journal.recipient(change('M1', 'held', { at: NOON + 2000 }));
  await after.journal.flush();
  assert.equal((await after.reader.searchLog({})).messages.length, 1);
  const shown = await after.reader.showMessage('M1');
  assert.ok(shown?.kind === 'message');
  assert.deepEqual(
    shown.changes.map(({ state }) => state),
    ['relayed', 'held'],
  );
});

test('thousands of messages in one millisecond each keep a row', async (t) => {
  const { journal, path } = await openLog(t);
  for (let i = 0; i < 5000; i++) journal.message(message(`M${i}`));
  await journal.flush();
  const db = new DatabaseSync(path, { readOnly: true });
  assert.deepEqual({ ...db.prepare('SELECT count(*) AS n FROM messages').get() }, { n: 5000 });
  db.close();
});

test('a log that is no database is set aside, named, and a new one takes the records', async (t) => {
  const folder = folderOf(t);
  writeFileSync(join(folder, 'log.db'), 'this is no database '.repeat(500));
  const { journal, reader, told } = await openLog(t, { folder });
  journal.message(message('M1'));
  await journal.flush();
  assert.equal((await reader.searchLog({})).messages.length, 1);
  assert.deepEqual(told, ['journal.damaged']);
  assert.match(readdirSync(join(folder, 'damaged')).join(), /^log\.db\.2/);
});

test('pages overwritten under a running journal cost the old log, not the new records', async (t) => {
  const { journal, reader, path, told } = await openLog(t);
  for (let i = 0; i < 3000; i++) journal.message(message(`A${i}`));
  await journal.flush();
  await journal.close();
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(200_000, 0x55), 0, 200_000, 4096);
  closeSync(file);

  const again = await openLog(t, { folder: join(path, '..') });
  again.journal.message(message('B1'));
  await again.journal.flush();
  assert.deepEqual(again.told, ['journal.damaged']);
  assert.equal((await reader.searchLog({ id: 'B1' })).messages.length, 1);
  assert.deepEqual(told, []);
});

test('a schema of a newer Postern is refused, and left as it is', async (t) => {
  const path = join(folderOf(t), 'log.db');
  const db = new DatabaseSync(path);
  db.exec('CREATE TABLE future (x); PRAGMA user_version = 999');
  db.close();
  const events = createEvents(EVENTS, systemClock.now, () => {});
  const retention = { days: 1, auditDays: 1 };
  await assert.rejects(openJournal({ path, clock: systemClock, events, retention }), { code: 'journal.schema-newer' });
  assert.ok(existsSync(path) && !existsSync(join(path, '..', 'damaged')));
});

test('a log of the first version is read as it is, and brought up to date when it is written', async (t) => {
  const folder = folderOf(t);
  const before = await openLog(t, { folder });
  before.journal.message(message('M1'));
  await before.journal.flush();
  before.journal.recipient(change('M1', 'relayed'));
  await before.journal.close();
  const db = new DatabaseSync(before.path);
  db.exec('ALTER TABLE messages DROP COLUMN changes; PRAGMA user_version = 1');
  const states = async () =>
    (await before.reader.searchLog({})).messages.map(({ id, recipients }) => [id, recipients[0]?.state]);
  assert.deepEqual(await states(), [['M1', 'relayed']]);

  const after = await openLog(t, { folder });
  after.journal.message(message('M2', { at: NOON + 1 }));
  after.journal.recipient(change('M2', 'held'));
  await after.journal.flush();
  assert.deepEqual(await states(), [
    ['M2', 'held'],
    ['M1', 'relayed'],
  ]);
  db.close();
});

test('a change that came after its message was written joins those written with it', async (t) => {
  const { journal, reader } = await openLog(t);
  journal.message(message('M1'));
  journal.recipient(change('M1', 'queued', { at: NOON + 1, reply: 'later, "please"' }));
  await journal.flush();
  journal.recipient(change('M1', 'relayed', { at: NOON + 3 }));
  journal.recipient(change('M1', 'held', { at: NOON + 2 }));
  await journal.flush();
  const shown = await reader.showMessage('M1');
  assert.ok(shown?.kind === 'message');
  assert.deepEqual(
    shown.changes.map(({ state, reply }) => [state, reply]),
    [
      ['queued', 'later, "please"'],
      ['held', undefined],
      ['relayed', undefined],
    ],
  );
  assert.equal((await reader.searchLog({})).messages[0]?.recipients[0]?.state, 'relayed');
});

test('what waits beyond the bound is left out, counted, and holds up no watermark', async (t) => {
  const { journal, told, events, reader } = await openLog(t, { waitingBytes: 20_000 });
  let lost = 0;
  events.attach((name, fields) => {
    if (name === 'journal.lost') lost += fields['records'] as number;
  });
  let last = 0;
  for (let i = 0; i < 200; i++) last = journal.message(message(`M${i}`));
  await journal.flush();
  assert.equal(journal.durable(), last);
  const kept = (await reader.searchLog({}, { limit: 1000 })).messages.length;
  await journal.close();
  assert.ok(kept > 0 && kept < 200);
  assert.equal(lost, 200 - kept);
  assert.deepEqual(told, ['journal.lost']);
});

test('while the log cannot be written records wait, and are there when it can', async (t) => {
  const folder = folderOf(t);
  const { journal, path, told, reader } = await openLog(t, { folder });
  await journal.flush();
  const blocker = new DatabaseSync(path);
  blocker.exec('BEGIN IMMEDIATE');
  journal.message(message('M1'));
  await journal.flush();
  assert.deepEqual(told, ['journal.unwritable']);
  assert.equal(journal.durable(), 0);
  const durable = new Promise((resolve) => journal.onDurable(resolve));
  blocker.exec('ROLLBACK');
  blocker.close();
  await durable;
  assert.deepEqual(told, ['journal.unwritable', 'journal.writable']);
  assert.equal((await reader.searchLog({})).messages.length, 1);
});

test('on a full disk records wait, and go in by themselves when there is room again', async (t) => {
  const folder = smallDisk(t);
  if (folder === undefined) return t.skip('cannot mount a small disk, as this needs root');
  const filler = join(folder, 'filler');
  writeFileSync(filler, Buffer.alloc(1_990_000));
  const { journal, reader, told } = await openLog(t, { folder });
  let last = 0;
  for (let i = 0; i < 1000; i++) last = journal.message(message(`M${i}`));
  await journal.flush();
  assert.deepEqual(told, ['journal.unwritable']);
  assert.equal(journal.durable(), 0);
  const durable = new Promise<void>((resolve) => {
    journal.onDurable((upTo) => upTo === last && resolve());
  });
  rmSync(filler);
  await durable;
  assert.deepEqual(told, ['journal.unwritable', 'journal.writable']);
  assert.equal((await reader.searchLog({}, { limit: 1000 })).messages.length, 1000);
});

test('a scanner that connects without sending mail leaves a bounded number of rows and a count', async (t) => {
  const { journal, reader } = await openLog(t);
  for (let i = 0; i < 500; i++) {
    journal.session(session(`S${i}`, { messagesAccepted: 0 }, `2001:db8:0:7::${i}`));
  }
  journal.session(session('other', { messagesAccepted: 0 }, '203.0.113.9'));
  await journal.close();
  const { sessions } = await reader.listSessions({ idle: true }, { limit: 1000 });
  const counted = sessions.filter(({ id }) => id === null);
  assert.equal(sessions.filter(({ id }) => id?.startsWith('S')).length, 60);
  assert.deepEqual(
    counted.map(({ client, count }) => [client, count]),
    [['2001:db8:0:7::/64', 440]],
  );
  assert.ok(sessions.some(({ id }) => id === 'other'));
});

/** A disk of 2 MB. Its hook is made first and so runs first: a folder still mounted cannot be removed. */
function smallDisk(t: TestContext): string | undefined {
  let mounted = '';
  t.after(() => mounted && spawnSync('umount', ['--lazy', mounted]));
  const folder = folderOf(t);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]);
  if (status !== 0) return undefined;
  mounted = folder;
  return folder;
}
