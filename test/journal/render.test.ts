import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENTS } from '../../src/catalogue.ts';
import { attachAudit } from '../../src/journal/audit-sink.ts';
import type { AuditRecord } from '../../src/journal/contract.ts';
import { expireStep } from '../../src/journal/expire.ts';
import { listAudit, listSessions } from '../../src/journal/list.ts';
import { auditRow, messageRow, recipientRow, sessionRow } from '../../src/journal/record.ts';
import { renderShown } from '../../src/journal/render.ts';
import { searchMessages } from '../../src/journal/search.ts';
import { showById } from '../../src/journal/show.ts';
import { openLogWriter } from '../../src/journal/writer.ts';
import { createEvents } from '../../src/world/events.ts';
import { change, message, NOON, session, write } from './support.ts';

const DAY_MS = 86_400_000;

test('a shown message reads as: what it came to, why, and all that was said', () => {
  const log = openLogWriter(':memory:', () => NOON);
  write(log, sessionRow(session('S1')));
  write(log, messageRow(message('M1', { subject: 'pay \x1b[31mnow\u202e' })));
  write(log, recipientRow(change('M1', 'queued', { status: '4.4.1', reply: 'no answer' })));
  write(
    log,
    recipientRow(
      change('M1', 'relayed', {
        at: NOON + 2000,
        host: 'mx.example.com',
        address: '192.0.2.7',
        reply: '250 ok\n250 done',
        earlier: [
          { host: 'mx1.example.com', address: '192.0.2.5', reply: '554 go away' },
          { host: 'mx2.example.com', address: '192.0.2.6', tls: 'TLSv1.3 X', reply: 'it hung up\x1b[0m' },
        ],
      }),
    ),
  );
  write(log, recipientRow(change('M1', 'delivered', { recipient: 'erin@example.com', at: NOON + 3000, by: 'admin' })));
  log.commit();
  assert.equal(
    renderShown(showById(log.db, 'M1')!),
    `Message M1
  time        2026-03-01T12:00:00.000Z
  direction   inbound
  from        alice@sender.example
  From header alice@sender.example
  subject     pay \\x1b[31mnow\\x202e
  Message-ID  <M1@sender.example>
  size        1234 bytes
  client      192.0.2.1
  session     S1

Recipient bob@example.com
  accept
  2026-03-01T12:00:01.000Z  queued: 4.4.1 no answer
  2026-03-01T12:00:02.000Z  relayed at mx.example.com [192.0.2.7]: 250 ok
    250 done
    before, mx1.example.com [192.0.2.5]: 554 go away
    before, mx2.example.com [192.0.2.6] with TLSv1.3 X: it hung up\\x1b[0m

Further recipients
  erin@example.com
    2026-03-01T12:00:03.000Z  delivered by admin

Findings
  size: pass (within): small; for bob@example.com

Evidence
  size: {"bytes":1234}

Session S1
  client      192.0.2.1:40000, EHLO client.example
  listener    mx at 127.0.0.1:25
  TLS         none
  time        2026-03-01T11:59:59.000Z to 2026-03-01T12:00:00.500Z
  ended       quit
  messages    1

Dialogue of the session
  S: 220 mx.example
  C: EHLO client.example

Dialogue of the message
  C: MAIL FROM:<alice@sender.example>
  S: 250 2.1.0 ok
`,
  );
  const shown = showById(log.db, 'S1');
  assert.ok(shown?.kind === 'session');
  assert.deepEqual(shown.messages, ['M1']);
  assert.match(renderShown(shown), /^Session S1\n(?:.*\n)*Messages\n {2}M1\n/);
  assert.equal(showById(log.db, 'M2'), undefined);
  log.close();
});

test('a very long dialogue keeps its beginning and its end', () => {
  const log = openLogWriter(':memory:', () => NOON);
  write(log, sessionRow(session('S1', { dialogue: `begin${'x'.repeat(500_000)}end` })));
  log.commit();
  const shown = showById(log.db, 'S1');
  assert.ok(shown?.kind === 'session');
  assert.match(shown.session.dialogue, /^beginx+\n\[434472 characters left out\]\nx+end$/);
  log.close();
});

test('retention deletes expired messages, sessions, changes and blocks, and leaves the rest', () => {
  let now = NOON;
  const log = openLogWriter(':memory:', () => now);
  for (const [id, at] of [
    ['old', NOON],
    ['new', NOON + 2 * DAY_MS],
  ] as const) {
    now = at;
    write(log, messageRow(message(id, { at })));
    write(log, recipientRow(change(id, 'relayed', { at })));
    write(log, sessionRow(session(`S-${id}`, { endedAt: at })));
    write(log, auditRow({ at, actor: 'admin', operation: 'test', input: '', result: 'done' }));
    log.commit();
  }
  assert.equal(expireStep(log.db, { days: 1, auditDays: 30 }, now), false);
  assert.deepEqual(
    searchMessages(log.db, {}).messages.map(({ id }) => id),
    ['new'],
  );
  assert.deepEqual(
    listSessions(log.db, {}).sessions.map(({ id }) => id),
    ['S-new'],
  );
  assert.equal(listAudit(log.db, {}).rows.length, 2);
  assert.equal(showById(log.db, 'old'), undefined);
  assert.ok(showById(log.db, 'new'));
  for (const table of ['blocks', 'changes']) {
    assert.equal(log.db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'], 1, table);
  }
  log.close();
});

test('retention goes on step by step until nothing expired is left, and drops whole partitions', () => {
  const log = openLogWriter(':memory:', () => NOON);
  const put = (count: number, at: number): void => {
    for (let i = 0; i < count; i++) write(log, messageRow(message(`M${at}-${i}`, { at })));
    log.commit();
    log.index.catchUp(1);
  };
  put(1200, NOON);
  log.commit();
  log.db.exec('UPDATE partitions SET messages = 1e9');
  put(5, NOON + 2 * DAY_MS);
  put(10, NOON + 4 * DAY_MS);
  log.commit();
  let steps = 1;
  while (expireStep(log.db, { days: 1, auditDays: 1 }, NOON + 4 * DAY_MS)) steps++;
  assert.equal(steps, 3);
  assert.equal(searchMessages(log.db, { sender: 'sender.example' }).messages.length, 10);
  assert.deepEqual(
    log.db
      .prepare('SELECT number FROM partitions')
      .all()
      .map((row) => ({ ...row })),
    [{ number: 2 }],
  );
  log.close();
});

test('an event that declares audit becomes an audit row; others do not', () => {
  const rows: AuditRecord[] = [];
  const events = createEvents(EVENTS, () => NOON, assert.ifError);
  attachAudit(events, { audit: (row) => rows.push(row) });
  const audited = Object.entries(EVENTS).find(([, definition]) => 'audit' in definition && definition.audit);
  events.emit('node.ready', { actor: 'nobody' } as never);
  assert.deepEqual(rows, []);
  if (!audited) return;
  events.emit(audited[0] as never, { actor: 'admin', key: 'x', result: 'refused' } as never);
  assert.deepEqual(rows, [
    { at: NOON, actor: 'admin', operation: audited[0], input: '{"key":"x"}', result: 'refused' },
  ]);
});
