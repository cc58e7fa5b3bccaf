import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LogFilter } from '../../src/journal/filter.ts';
import { PARTITION_MESSAGES, TAIL_BYTES, TAIL_MESSAGES } from '../../src/journal/limits.ts';
import { messageRow } from '../../src/journal/record.ts';
import { searchMessages } from '../../src/journal/search.ts';
import { subjectWords } from '../../src/journal/terms.ts';
import { type LogWriter, openLogWriter } from '../../src/journal/writer.ts';
import { systemClock } from '../../src/world/clock.ts';
import { folderOf, message, NOON, openLog, write } from './support.ts';

/** Three messages that differ in everything, and then as many plain ones as it takes to index them all. */
function logWithThree(indexed: boolean): LogWriter {
  const log = openLogWriter(':memory:', () => NOON);
  write(
    log,
    messageRow(
      message('Q1', {
        at: NOON,
        from: 'alice@sender.example',
        clientAddress: '192.0.2.1',
        subject: 'Rechnung für März: 40 %',
        recipients: [{ address: 'bob@example.com', original: 'sales@example.com', disposition: 'accept' }],
      }),
    ),
  );
  write(
    log,
    messageRow(
      message('Q2', {
        at: NOON + 60_000,
        from: '',
        direction: 'outbound',
        clientAddress: '2001:db8::5',
        subject: '会議の案内 "quoted" OR x*',
        recipients: [
          { address: 'carol@other.example', disposition: 'hold', reason: 'virus' },
          { address: 'dave@other.example', disposition: 'accept' },
        ],
      }),
    ),
  );
  write(log, messageRow(message('Q3', { at: NOON + 120_000, from: '"a b"@Sender.Example', subject: 'Invoice 77' })));
  if (indexed) {
    for (let i = 0; i < TAIL_MESSAGES; i++) {
      write(log, messageRow(message(`F${i}`, { at: NOON - 1000, from: 'x@y', subject: 'filler', recipients: [] })));
    }
  }
  log.commit();
  return log;
}

const QUESTIONS: readonly (readonly [string, LogFilter, readonly string[]])[] = [
  ['a sender', { sender: 'ALICE@sender.example' }, ['Q1']],
  ['a quoted sender', { sender: '"a b"@sender.example' }, ['Q3']],
  ['a sender domain', { sender: 'sender.example' }, ['Q3', 'Q1']],
  ['a sender domain with @', { sender: '@sender.example' }, ['Q3', 'Q1']],
  ['the beginning of a sender', { sender: 'ali*' }, ['Q1']],
  ['the null reverse-path', { sender: '<>' }, ['Q2']],
  ['a recipient', { recipient: 'carol@other.example' }, ['Q2']],
  ['a recipient as the client said it', { recipient: 'sales@example.com' }, ['Q1']],
  ['a recipient domain', { recipient: 'other.example' }, ['Q2']],
  ['words of a subject in any order', { subject: 'märz rechnung' }, ['Q1']],
  ['the beginning of a word', { subject: 'rech*' }, ['Q1']],
  ['a word without its accents', { subject: 'marz' }, ['Q1']],
  ['characters of a script without spaces', { subject: '案内' }, ['Q2']],
  ['a subject that looks like an operator', { subject: '"quoted" OR' }, ['Q2']],
  ['an id', { id: 'Q2' }, ['Q2']],
  ['a Message-ID', { messageId: '<Q3@sender.example>' }, ['Q3']],
  ['a Message-ID without brackets', { messageId: 'q3@sender.example' }, ['Q3']],
  ['a client', { client: '2001:db8::5' }, ['Q2']],
  ['a disposition of any recipient', { disposition: 'hold' }, ['Q2']],
  ['a disposition as one says it', { disposition: 'Held' }, ['Q2']],
  ['a direction', { direction: 'outbound' }, ['Q2']],
  ['a time', { since: NOON + 60_000, until: NOON + 120_000 }, ['Q2']],
  ['a sender in a time', { sender: 'sender.example', until: NOON + 1 }, ['Q1']],
  ['two things that no message has both', { sender: 'alice@sender.example', subject: 'invoice' }, []],
];

for (const indexed of [false, true]) {
  test(`every kind of search finds its messages, newest first, ${indexed ? 'by terms' : 'in the tail'}`, () => {
    const log = logWithThree(indexed);
    for (const [what, filter, ids] of QUESTIONS) {
      const found = searchMessages(log.db, filter).messages.map(({ id }) => id);
      assert.deepEqual(found, ids, what);
    }
    log.close();
  });
}

test('pages join without a gap or a repetition, across tail, index and partitions', () => {
  const log = openLogWriter(':memory:', () => NOON);
  const total = TAIL_MESSAGES + 50;
  const put = (from: number, to: number, at: number): void => {
    for (let i = from; i < to; i++) write(log, messageRow(message(`M${i}`, { at: at + i })));
    log.commit();
  };
  put(0, total, NOON);
  log.db.exec(`UPDATE partitions SET messages = ${PARTITION_MESSAGES}`);
  put(total, 2 * total, NOON);
  put(2 * total, 2 * total + 10, NOON);
  // Journaled again after a crash: old, but only now.
  put(2 * total + 10, 2 * total + 20, NOON - 100_000);
  assert.equal(log.db.prepare('SELECT count(*) AS n FROM partitions').get()?.['n'], 2);
  assert.equal(log.db.prepare('SELECT count(*) AS n FROM late').get()?.['n'], 10);

  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = searchMessages(log.db, { sender: 'sender.example' }, { limit: 997, cursor });
    seen.push(...page.messages.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== undefined);
  assert.equal(seen.length, 2 * total + 20);
  assert.equal(new Set(seen).size, seen.length);
  assert.equal(seen[0], `M${2 * total + 9}`);
  log.close();
});

test('the id of a message is a cursor to what lies behind it', () => {
  const log = logWithThree(true);
  const behind = (cursor: string): string[] => searchMessages(log.db, {}, { cursor }).messages.map(({ id }) => id);
  assert.deepEqual(behind('Q3').slice(0, 2), ['Q2', 'Q1']);
  assert.deepEqual(behind('Q2')[0], 'Q1');
  log.close();
});

test('a row that came late is indexed with the next group, and found in its place of time', () => {
  const log = logWithThree(true);
  write(log, messageRow(message('L1', { at: NOON + 30_000, from: 'late@sender.example' })));
  log.commit();
  const find = (): string[] => searchMessages(log.db, { sender: 'sender.example' }).messages.map(({ id }) => id);
  assert.deepEqual(find(), ['Q3', 'L1', 'Q1']);
  for (let i = 0; i < TAIL_MESSAGES; i++) write(log, messageRow(message(`G${i}`, { at: NOON - 5, from: 'x@y' })));
  log.commit();
  assert.equal(log.db.prepare('SELECT count(*) AS n FROM late').get()?.['n'], 0);
  assert.deepEqual(find(), ['Q3', 'L1', 'Q1']);
  log.close();
});

test('an index that was rolled back is made again with its rows', () => {
  const log = openLogWriter(':memory:', () => NOON);
  const put = (): void => {
    for (let i = 0; i < TAIL_MESSAGES; i++) write(log, messageRow(message(`M${i}`)));
  };
  put();
  log.rollback();
  assert.equal(searchMessages(log.db, {}).messages.length, 0);
  put();
  log.commit();
  assert.equal(searchMessages(log.db, { sender: 'alice@sender.example' }).messages.length, 100);
  log.close();
});

test('a tail that an earlier run left, or that is larger than its memory, is read again and indexed', (t) => {
  const path = join(folderOf(t), 'log.db');
  const before = openLogWriter(path, () => NOON);
  write(before, messageRow(message('M1')));
  before.commit();
  before.close();

  const log = openLogWriter(path, () => NOON);
  const many = Array.from({ length: 2_000 }, (_, i) => ({
    address: `reader-${i}@list.example`,
    disposition: 'accept',
  }));
  const lists = Math.ceil(TAIL_BYTES / 50_000);
  const sentTo = (recipient: string) => searchMessages(log.db, { recipient }).messages.length;
  write(log, messageRow(message('M2', { at: NOON + 1 })));
  log.commit();
  log.index.catchUp(1);
  assert.equal(sentTo('bob@example.com'), 2);
  for (let i = 0; i < lists; i++) write(log, messageRow(message(`L${i}`, { at: NOON + 2, recipients: many })));
  log.commit();
  log.index.catchUp(1);
  assert.equal(sentTo('reader-1999@list.example'), lists);
  assert.equal(
    log.db.prepare('SELECT max(n) = (SELECT up_to FROM indexed) AS all_of_them FROM messages').get()?.['all_of_them'],
    1,
  );
  log.close();
});

test('whatever a subject and an address hold, the message is found by them', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.string({ unit: 'binary', maxLength: 40 }),
      (subject, local) => {
        const log = openLogWriter(':memory:', () => NOON);
        const from = `${local}x@example.com`;
        write(
          log,
          messageRow(message('M1', { from, subject, recipients: [{ address: from, disposition: 'accept' }] })),
        );
        for (let i = 0; i < 2; i++) {
          if (subjectWords(subject).length > 0) assert.equal(searchMessages(log.db, { subject }).messages.length, 1);
          if (local === local.trim()) {
            assert.equal(searchMessages(log.db, { sender: from }).messages.length, 1);
            assert.equal(searchMessages(log.db, { recipient: from }).messages.length, 1);
          }
          log.index.catchUp(1);
        }
        log.rollback();
        log.close();
      },
    ),
    { numRuns: 150 },
  );
});

test('a cursor or a subject that cannot be is told, not guessed', async (t) => {
  const { reader } = await openLog(t);
  for (const cursor of ['x!', 'foo', 'anything'])
    await assert.rejects(reader.searchLog({}, { cursor }), { code: 'log.invalid-cursor' });
  await assert.rejects(reader.searchLog({ disposition: 'relayed' }, {}), { code: 'log.invalid-filter' });
  await assert.rejects(reader.searchLog({ subject: '...' }), { code: 'log.invalid-filter' });
});

test('a search that outlives its deadline fails, and the next one is answered', async (t) => {
  const { path, journal } = await openLog(t);
  journal.message(message('M1'));
  await journal.flush();
  const { createLogReader } = await import('../../src/journal/reader.ts');
  const { manualClock } = await import('../support/clock.ts');
  const clock = manualClock();
  const reader = createLogReader({ path, clock, deadlineMs: 1000 });
  const late = assert.rejects(reader.searchLog({}), { code: 'log.timeout' });
  await clock.advance(1000);
  await late;
  assert.equal((await reader.searchLog({})).messages.length, 1);
  await clock.advance(60_000);
  assert.equal((await reader.searchLog({})).messages.length, 1, 'after the thread retired');
  await reader.close();
});

test('an operator’s script that asks on and on fills the line of searches, and is refused what comes behind it', async (t) => {
  const { path, journal } = await openLog(t);
  journal.message(message('M1'));
  await journal.flush();
  const { createLogReader } = await import('../../src/journal/reader.ts');
  const { SEARCHES_WAITING } = await import('../../src/journal/limits.ts');
  const reader = createLogReader({ path, clock: systemClock });
  t.after(() => reader.close());
  const all = await Promise.allSettled(Array.from({ length: SEARCHES_WAITING + 3 }, () => reader.searchLog({})));
  assert.deepEqual(
    all.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : [])),
    ['log.busy', 'log.busy'],
  );
});
