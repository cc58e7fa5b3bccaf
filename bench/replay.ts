/**
 * How long a replay takes: a log with messages as screening leaves them, one in ten refused at RCPT by
 * SPF, judged again under another setting in the thread that `postern replay` uses. Evidence, findings
 * and dialogue are those of real transactions. `node bench/replay.ts [messages]`; 20,000 by default.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBatchWriter } from '../src/journal/batch.ts';
import type { MessageRecord } from '../src/journal/contract.ts';
import { messageRow } from '../src/journal/record.ts';
import { openLogWriter } from '../src/journal/writer.ts';
import { createReplayRunner } from '../src/screen/replay/runner.ts';
import { systemClock } from '../src/world/clock.ts';
import { tableResolver, txt } from '../test/screen/checks/origin/table-resolver.ts';
import { content, LETTER, screening, transact } from '../test/screen/world.ts';
import { median } from './measure/statistics.ts';

const total = Number(process.argv[2] ?? 20_000);
const ROUNDS = 5;
const RECORDS = {
  'remote.example': {
    TXT: [txt('v=spf1 ip4:198.51.100.7 -all')],
    MX: [{ preference: 10, exchange: 'mx.remote.example' }],
  },
  'denied.example': { TXT: [txt('v=spf1 -all')], MX: [{ preference: 10, exchange: 'mx.remote.example' }] },
};
const DIALOGUE =
  'C: MAIL FROM:<bob@remote.example> SIZE=5120\nS: 250 2.1.0 sender ok\nC: RCPT TO:<alice@example.com>\nS: 250 2.1.5 recipient ok\nC: DATA\nS: 354 go on\nS: 250 2.0.0 queued\n';

const folder = mkdtempSync(join(tmpdir(), 'postern-replay-bench-'));
const path = join(folder, 'log.db');
await fill();
console.log(`${total} messages, log.db ${(statSync(path).size / total).toFixed(0)} bytes a message`);
const runner = createReplayRunner({ path, clock: systemClock });
const seconds: number[] = [];
const cpuSeconds: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const before = performance.now();
  const used = process.cpuUsage();
  const report = await runner.run({ since: 0 }, new Map([['', new Map([['spf.action', 'quarantine']])]]));
  seconds.push((performance.now() - before) / 1000);
  const { user, system } = process.cpuUsage(used);
  cpuSeconds.push((user + system) / 1e6);
  if (round === 0) {
    const { messages, unknown, changedRecipients } = report;
    console.log(`judged again ${messages}, changed ${changedRecipients}, unknown ${unknown}`);
  }
}
console.log(`replay ${median(seconds).toFixed(2)} s, CPU ${median(cpuSeconds).toFixed(2)} s (medians of ${ROUNDS})`);
rmSync(folder, { recursive: true });

async function fill(): Promise<void> {
  const writer = openLogWriter(path, Date.now);
  const [accepted, refused] = [await record('bob@remote.example'), await record('eve@denied.example')];
  let batch = createBatchWriter();
  for (let n = 0; n < total; n++) {
    const made = n % 10 === 0 ? refused : accepted;
    const row = messageRow({ ...made, id: `M${n}`, at: Date.now() - (total - n) * 10 });
    if (batch.put(row)) continue;
    writer.write(batch.take());
    writer.commit();
    batch = createBatchWriter();
    batch.put(row);
  }
  writer.write(batch.take());
  writer.commit();
  writer.close();
}

/** The record as receiving writes it. */
async function record(from: string): Promise<Omit<MessageRecord, 'id' | 'at'>> {
  const world = screening({ resolver: tableResolver(RECORDS), helo: 'mx.remote.example' });
  const { message, recipients } = await transact(world, from, ['alice@example.com'], content(LETTER));
  const evidence = message?.evidence ?? world.session.observed?.() ?? {};
  const found = message?.findings ?? [{ recipient: 'alice@example.com', findings: recipients[0]!.findings }];
  const disposition = message ? 'accept' : 'refuse';
  return {
    session: 's1',
    direction: message ? 'inbound' : 'refused',
    from,
    clientAddress: '198.51.100.7',
    sizeBytes: 5120,
    recipients: [{ address: 'alice@example.com', disposition }],
    detail: { ...message?.facts, evidence, findings: found, dialogue: DIALOGUE },
  };
}
