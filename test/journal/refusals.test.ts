import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { EVENTS } from '../../src/catalogue.ts';
import type { MessageRecord } from '../../src/journal/contract.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { REFUSED_BYTES_ALL, REFUSED_ROWS, REFUSED_SITE_SHARE, TRIM_KEEP_MS } from '../../src/journal/limits.ts';
import { auditRow, messageRow, sessionRow } from '../../src/journal/record.ts';
import { createRefusals } from '../../src/journal/refusals.ts';
import { logBounds, usedBytes } from '../../src/journal/size.ts';
import { createTrim } from '../../src/journal/trim.ts';
import { openLogWriter } from '../../src/journal/writer.ts';
import { systemClock } from '../../src/world/clock.ts';
import { createEvents } from '../../src/world/events.ts';
import { folderOf, message, NOON, openLog, session, write } from './support.ts';

/** Twelve RCPTs of 900 bytes, each refused, and RSET. */
function refused(id: string, clientAddress: string, change: Partial<MessageRecord> = {}): MessageRecord {
  const recipients = Array.from({ length: 12 }, (_, i) => `${`${id}-${i}-`.padEnd(880, 'x')}@example.com`);
  return message(id, {
    direction: 'refused',
    clientAddress,
    recipients: recipients.map((address) => ({ address, disposition: 'refuse', reason: `<${address}>: user unknown` })),
    replies: recipients.map(() => '550 5.1.1'),
    detail: {
      evidence: {},
      findings: recipients.map((recipient) => ({
        recipient,
        findings: [{ check: 'unknown', outcome: 'fail', code: 'unknown', text: `${recipient} is no user` }],
      })),
      dialogue: recipients
        .map((address) => `C: RCPT TO:<${address}>\nS: 550 5.1.1 <${address}>: user unknown`)
        .join('\n'),
    },
    ...change,
  });
}

async function bytesOf({ path, journal }: Awaited<ReturnType<typeof openLog>>): Promise<number> {
  await journal.flush();
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return usedBytes(db);
  } finally {
    db.close();
  }
}

test('a client whose RCPTs are refused, again and again, fills its budget of the log and then nothing', async (t) => {
  const log = await openLog(t);
  const { journal, reader } = log;
  const flood = (name: string, count: number): void => {
    for (let i = 0; i < count; i++) journal.message(refused(`${name}${i}`, '192.0.2.1'));
  };
  const empty = await bytesOf(log);
  flood('A', 20);
  const before = ((await bytesOf(log)) - empty) / 20;
  flood('B', 500);
  const full = await bytesOf(log);
  for (let i = 0; i < 30; i++) {
    journal.message(message(`M${i}`, { clientAddress: '192.0.2.1' }));
    flood(`C${i}-`, 100);
    journal.message(message(`D${i}`, { direction: 'refused', clientAddress: '198.51.100.1', replies: ['450 4.2.1'] }));
  }
  const beyond = ((await bytesOf(log)) - full) / 3000;
  assert.ok(before > 10_000, `${before} bytes of each before`);
  // What is left is what the mail and the other client wrote in between.
  assert.ok(beyond < before / 50, `${beyond} bytes of each beyond, ${before} before`);

  const mail = await reader.searchLog({ direction: 'inbound' }, { limit: 1000 });
  assert.equal(mail.messages.length, 30, 'mail that is accepted from the same address has all its rows');
  const other = await reader.searchLog({ client: '198.51.100.1' });
  assert.equal(other.messages.length, 30, "another client's refusals are there in full");
  assert.equal(other.counted, undefined);
  const own = await reader.searchLog({ client: '192.0.2.1', direction: 'refused' }, { limit: 1000 });
  assert.ok(own.messages.length >= 20);
  const counted = own.counted!.reduce((sum, { transactions }) => sum + transactions, 0);
  assert.equal(own.messages.length + counted, 3520, 'each is a row or counted');
  const [last] = own.counted!;
  assert.equal(last!.network, '192.0.2.1');
  assert.equal(last!.recipients, 12 * last!.transactions);
  assert.deepEqual(last!.replies, { '550 5.1.1': last!.recipients });
  const shown = await reader.showMessage('A0');
  assert.ok(shown?.kind === 'message' && shown.detail.dialogue?.startsWith('C: RCPT'));
});

test('counted refusals are found by network, time and disposition, and by nothing that only a message has', async (t) => {
  const { journal, reader } = await openLog(t);
  for (let i = 0; i <= REFUSED_ROWS; i++)
    journal.message(refused(`R${i}`, '2001:db8:1:2::1', { recipients: [], detail: { evidence: {}, findings: [] } }));
  await journal.flush();
  const found = async (filter: Parameters<typeof reader.searchLog>[0]) =>
    (await reader.searchLog(filter)).counted ?? [];
  const network = '2001:db8:1:2::/64';
  for (const client of [network, '2001:db8:1:2::ffff', '2001:db8:1*', undefined])
    assert.deepEqual(
      (await found({ client })).map((row) => row.network),
      [network],
      String(client),
    );
  assert.equal((await found({ disposition: 'refused', since: NOON, until: NOON + 60_000 })).length, 1);
  for (const filter of [
    { client: '2001:db8:1:3::1' },
    { sender: 'alice@sender.example' },
    { subject: 'x' },
    { disposition: 'hold' },
    { direction: 'inbound' },
    { until: NOON - 1000 },
  ])
    assert.deepEqual(await found(filter), [], JSON.stringify(filter));
});

test('a client that changes its address within a /48, and a botnet of thousands of networks, have bounds too', () => {
  const spent = (addresses: Iterable<string>, characters: number): number => {
    const refusals = createRefusals();
    let rows = 0;
    for (const address of addresses) if (refusals.spend(address, characters)) rows++;
    return rows;
  };
  const customer = Array.from({ length: 20_000 }, (_, i) => `2001:db8:1:${i.toString(16)}::1`);
  assert.equal(spent(customer, 100), REFUSED_SITE_SHARE * REFUSED_ROWS);
  const neighbours = Array.from({ length: 20_000 }, (_, i) => `192.0.2.${i % 256}`);
  assert.equal(spent(neighbours, 100), REFUSED_SITE_SHARE * REFUSED_ROWS);
  const botnet = Array.from({ length: 50_000 }, (_, i) => `10.${i >> 8}.${i & 255}.1`);
  assert.equal(spent(botnet, 10_000), Math.floor(REFUSED_BYTES_ALL / 10_000));
});

test('a client of long sessions without a message has the same budget, and the rest of them is counted', async (t) => {
  const { journal, reader } = await openLog(t);
  for (let i = 0; i < 50; i++)
    journal.session(session(`S${i}`, { messagesAccepted: 0, dialogue: 'C: NOOP x\n'.repeat(6000) }, '192.0.2.7'));
  await journal.close();
  const { sessions } = await reader.listSessions({});
  const rows = sessions.filter(({ id }) => id !== null);
  assert.ok(rows.length < 40, `${rows.length} rows`);
  assert.equal(
    sessions.reduce((sum, { count }) => sum + count, 0),
    50,
  );
});

interface Filled {
  readonly log: ReturnType<typeof openLogWriter>;
  readonly count: (what: string) => number;
}

/** Mail, audit and refusals of three hours, in turns. */
function filled(t: TestContext): Filled {
  const path = join(folderOf(t), 'log.db');
  const log = openLogWriter(path, () => NOON);
  t.after(() => {
    if (log.db.isOpen) log.close();
  });
  for (let minute = 0; minute < 180; minute++) {
    const at = NOON + minute * 60_000;
    for (let i = 0; i < 10; i++) write(log, messageRow(refused(`R${minute}-${i}`, '192.0.2.1', { at })));
    write(
      log,
      messageRow(message(`M${minute}`, { at })),
      sessionRow(session(`S${minute}`, { endedAt: at, messagesAccepted: 0 })),
    );
    write(log, auditRow({ at, actor: 'x', operation: 'y', input: '{}', result: 'done' }));
    log.commit();
  }
  const count = (what: string): number =>
    (log.db.prepare(`SELECT count(*) AS n FROM ${what}`).get() as { n: number }).n;
  return { log, count };
}

const NOW = NOON + 180 * 60_000;

test('a log beyond its size loses its oldest refusals, a few hundred a step, and no mail, audit or last hour', (t) => {
  const { log, count } = filled(t);
  const before = usedBytes(log.db);
  const trim = createTrim();
  const steps: number[] = [];
  for (let step = trim.step(log.db, 64_000, NOW); ; step = trim.step(log.db, 64_000, NOW)) {
    steps.push(step.rows);
    if (step.state !== 'more') {
      assert.equal(step.state, 'over', 'what is left may not go');
      break;
    }
    assert.ok(steps.length < 100);
  }
  assert.ok(Math.max(...steps) <= 1000, `steps of ${steps} rows`);
  const kept = TRIM_KEEP_MS / 60_000;
  assert.equal(count("messages WHERE direction = 'refused'"), 10 * kept);
  assert.equal(count('sessions'), kept);
  assert.equal(count("messages WHERE direction <> 'refused'"), 180);
  assert.equal(count('audit'), 180);
  assert.ok(usedBytes(log.db) < before / 2, `${usedBytes(log.db)} of ${before} bytes`);
  const blocks = count('blocks');
  assert.equal(blocks, 180, 'what mail said stays');
});

test('deletion stops as soon as the log fits, and its space is used again: the file does not grow', (t) => {
  const { log, count } = filled(t);
  const fileBytes = (): number => {
    log.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    return statSync(log.db.location()!).size;
  };
  const before = fileBytes();
  const trim = createTrim();
  const bound = Math.floor(0.9 * usedBytes(log.db));
  while (trim.step(log.db, bound, NOW).state === 'more');
  assert.ok(usedBytes(log.db) <= bound);
  assert.ok(count("messages WHERE direction = 'refused'") > 1000, 'no more than was needed went');
  assert.equal(trim.step(log.db, bound, NOW).state, 'fits');
  for (let i = 0; i < 60; i++) write(log, messageRow(refused(`N${i}`, '192.0.2.9', { at: NOW })));
  log.commit();
  assert.ok(fileBytes() <= before, `${fileBytes()} after ${before}`);
});

test('a log that was larger than the default before there was one is not cut', (t) => {
  const { log } = filled(t);
  const path = log.db.location()!;
  const had = usedBytes(log.db);
  assert.equal(logBounds(log.db, path, 5_000_000).maxBytes, 5_000_000);
  const fresh = logBounds(log.db, path, undefined).maxBytes;
  log.db.exec('DROP TABLE held; DROP TABLE refused_blocks; DROP TABLE refusal_counts; PRAGMA user_version = 2');
  log.close();
  const again = openLogWriter(path, () => NOON);
  const { bytes } = again.db.prepare('SELECT bytes FROM held').get() as { bytes: number };
  assert.ok(bytes > 0 && bytes <= had);
  again.db.exec(`UPDATE held SET bytes = ${fresh}`);
  assert.equal(logBounds(again.db, path, undefined).maxBytes, 2 * fresh);
  again.close();
});

test('a running log that is too large says so, and what it deleted', async (t) => {
  const path = join(folderOf(t), 'log.db');
  const log = openLogWriter(path, () => NOON);
  for (let i = 0; i < 3000; i++) write(log, messageRow(refused(`R${i}`, '192.0.2.1')));
  log.commit();
  log.close();
  const events = createEvents(EVENTS, systemClock.now, (error) => assert.fail(String(error)));
  const told = new Map<string, Readonly<Record<string, unknown>>>();
  const over = new Promise<void>((resolve) =>
    events.attach((name, fields) => {
      told.set(name, fields);
      if (name === 'journal.too-large') resolve();
    }),
  );
  const retention = { days: 36_500, auditDays: 36_500, maxBytes: 30_000 };
  const journal = await openJournal({ path, clock: systemClock, events, retention });
  await over;
  assert.equal(told.get('journal.trimmed')?.['rows'], 3000);
  await journal.flush();
  assert.equal(journal.size()?.maxBytes, 30_000);
  await journal.close();
});

test('a client that talks at length around each message has its messages in the log, and a budget of talk', async (t) => {
  const log = await openLog(t);
  const { journal, reader } = log;
  const random = randomBytes(48 * 1024).toString('base64');
  const flood = (name: string, count: number): void => {
    for (let i = 0; i < count; i++) {
      const talk = `C: NOOP ${random.slice(i * 7)}${random.slice(0, i * 7)}`.slice(0, 60_000);
      journal.session(session(`${name}${i}`, { messagesAccepted: 1, dialogue: `C: EHLO a\n${talk}\nC: QUIT` }));
    }
  };
  flood('A', 100);
  const full = await bytesOf(log);
  flood('B', 100);
  const more = (await bytesOf(log)) - full;
  assert.ok(more < 100 * 8 * 1024, `${more} bytes`);
  const shown = await reader.showMessage('B99');
  const dialogue = shown?.kind === 'session' ? shown.session.dialogue : '';
  assert.match(dialogue, /^C: EHLO a\n.*characters left out\].*C: QUIT$/s);
});
