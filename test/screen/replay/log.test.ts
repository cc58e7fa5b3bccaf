import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { MessageRecord } from '../../../src/journal/contract.ts';
import { messageRow } from '../../../src/journal/record.ts';
import { openLogWriter } from '../../../src/journal/writer.ts';
import { createReplayRunner } from '../../../src/screen/replay/runner.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { folderOf, NOON, write } from '../../journal/support.ts';
import { tableResolver, txt } from '../checks/origin/table-resolver.ts';
import { content, LETTER, type ScreenOptions, screening, transact } from '../world.ts';

const RECORDS = {
  'remote.example': {
    TXT: [txt('v=spf1 ip4:198.51.100.7 -all')],
    MX: [{ preference: 10, exchange: 'mx.remote.example' }],
  },
  'denied.example': { TXT: [txt('v=spf1 -all')], MX: [{ preference: 10, exchange: 'mx.remote.example' }] },
};

/** A transaction as receiving logs it. */
async function logged(id: string, from: string, to: string, options: ScreenOptions = {}): Promise<MessageRecord> {
  const world = screening({ resolver: tableResolver(RECORDS), helo: 'mx.remote.example', ...options });
  const { message, recipients } = await transact(world, from, [to], content(LETTER));
  const [first] = recipients;
  return {
    id,
    at: NOON,
    session: 's1',
    direction: message ? 'inbound' : 'refused',
    from,
    clientAddress: '198.51.100.7',
    sizeBytes: 100,
    recipients: [{ address: to, disposition: message?.kind === 'commit' ? message.dispositions[0]!.kind : 'refuse' }],
    detail: {
      evidence: message?.evidence ?? world.session.observed?.() ?? {},
      findings: message?.findings ?? [{ recipient: to, findings: first!.findings }],
    },
  };
}

async function replay(
  t: TestContext,
  records: readonly MessageRecord[],
  values: Readonly<Record<string, unknown>>,
  range: { readonly since?: number; readonly domain?: string } = {},
) {
  const path = join(folderOf(t), 'log.db');
  const writer = openLogWriter(path, () => NOON);
  write(writer, ...records.map(messageRow));
  writer.commit();
  writer.close();
  const runner = createReplayRunner({ path, clock: systemClock });
  t.after(() => runner.close());
  return runner.run({ since: 0, ...range }, new Map([['', new Map(Object.entries(values))]]));
}

test('mail that SPF refused at RCPT is shown as held, were SPF to quarantine', async (t) => {
  const records = [
    await logged('M1', 'eve@denied.example', 'alice@example.com'),
    await logged('M2', 'bob@remote.example', 'alice@example.com'),
  ];
  assert.deepEqual(await replay(t, records, { 'spf.action': 'quarantine' }), {
    messages: 2,
    unknown: 0,
    why: {},
    changed: [
      {
        id: 'M1',
        recipient: 'alice@example.com',
        was: 'refuse',
        would: 'hold',
        check: 'spf',
        code: 'fail',
        atLeast: true,
      },
    ],
    changedRecipients: 1,
  });
});

test('what cannot be known is counted with its reason', async (t) => {
  const old = {
    ...(await logged('M1', 'bob@remote.example', 'alice@example.com')),
    detail: { evidence: {}, findings: [] },
  };
  const seen = await logged('M2', 'bob@remote.example', 'alice@example.com');
  const report = await replay(t, [old, seen], { 'authentication.trustedRelays': ['198.51.100.7'] });
  assert.equal(report.messages, 2);
  assert.equal(report.unknown, 2);
  assert.deepEqual(report.why, { version: 1, looking: 1 });
  assert.deepEqual(report.changed, []);
});

test('mail of other domains, older mail and mail that the product wrote itself do not count', async (t) => {
  const record = await logged('M1', 'bob@remote.example', 'alice@example.com');
  const { session: _, ...own } = { ...record, id: 'M2' };
  assert.equal((await replay(t, [record, own], {})).messages, 1);
  assert.equal((await replay(t, [record], {}, { since: NOON + 1 })).messages, 0);
  assert.equal((await replay(t, [record], {}, { domain: 'other.example' })).messages, 0);
  assert.equal((await replay(t, [record], {}, { domain: 'example.com' })).messages, 1);
});

test('a dictionary attack leaves the evidence of so many recipients and no more; the rest is unknown as cut', async (t) => {
  const world = screening({ resolver: tableResolver(RECORDS) });
  const to = Array.from({ length: 40 }, (_, n) => `guess${n}@example.com`);
  await transact(world, 'bob@remote.example', to);
  const evidence = world.session.observed!();
  assert.equal(Object.keys(evidence['recipients'] as object).length, 16);
  const record: MessageRecord = {
    ...(await logged('M1', 'bob@remote.example', 'nobody@example.com')),
    recipients: to.map((address) => ({ address, disposition: 'refuse' })),
    detail: { evidence: JSON.parse(JSON.stringify(evidence)), findings: [] },
  };
  const report = await replay(t, [record], {});
  assert.deepEqual(report.why, { cut: 24 });
});

test('a message of whose evidence the log cut some is unknown as cut, never judged by the rest', async (t) => {
  const record = await logged('M1', 'bob@remote.example', 'alice@example.com');
  const { detail } = record;
  const evidence = { ...detail.evidence, dkim: { ...detail.evidence['dkim'], padding: 'x'.repeat(20_000) } };
  const report = await replay(t, [{ ...record, detail: { ...detail, evidence } }], { 'dkim.enabled': false });
  assert.deepEqual([report.messages, report.unknown, report.why], [1, 1, { cut: 1 }]);
});

test('recipients whose evidence is shared are each judged again', async (t) => {
  const record = await logged('M1', 'bob@remote.example', 'alice@example.com');
  const { evidence } = record.detail;
  const seen = (evidence['recipients'] as Record<string, Record<string, Record<string, string>>>)['alice@example.com']!;
  const to = ['alice@example.com', 'bob@example.com', 'carol@example.com'];
  const recipients = Object.fromEntries(to.map((one) => [one, { ...seen, who: { ...seen['who'], address: one } }]));
  const shared = {
    ...record,
    recipients: to.map((one) => ({ address: one, disposition: 'accept' })),
    detail: { evidence: { ...evidence, recipients }, findings: [] },
  };
  const report = await replay(t, [shared], { 'reversePtr.action': 'quarantine-admin' });
  assert.deepEqual([report.messages, report.unknown, report.changed.map(({ recipient }) => recipient)], [1, 0, to]);
});

test('replays wait for the one under way, and no more than may', async (t) => {
  const runner = createReplayRunner({ path: join(folderOf(t), 'log.db'), clock: systemClock });
  const replays = [1, 2, 3].map(() => runner.run({ since: 0 }, new Map()));
  await assert.rejects(runner.run({ since: 0 }, new Map()), { code: 'replay.busy' });
  for (const { messages } of await Promise.all(replays)) assert.equal(messages, 0);
  await runner.close();
});

test('a replay that takes too long ends, and so does one on a node that stops', async (t) => {
  const path = join(folderOf(t), 'log.db');
  const hasty = createReplayRunner({ path, clock: systemClock, deadlineMs: 0 });
  await assert.rejects(hasty.run({ since: 0 }, new Map()), { code: 'replay.timeout' });
  await hasty.close();
  const runner = createReplayRunner({ path, clock: systemClock });
  const isClosed = assert.rejects(runner.run({ since: 0 }, new Map()), { code: 'log.unavailable' });
  await runner.close();
  await isClosed;
});
