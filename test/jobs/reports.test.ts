import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendReportsJob } from '../../src/jobs/reports.ts';
import type { SentReports } from '../../src/report/dmarc/send.ts';
import { seededRandom } from '../support/random.ts';

const HOUR = 60 * 60_000;
const sent = (more: Partial<SentReports> = {}): SentReports => ({
  may: { answer: 'yes' },
  written: 0,
  refused: 0,
  waiting: 0,
  ...more,
});

test('reports leave within two hours after midnight UTC, not all at midnight', async () => {
  const job = sendReportsJob({ send: async () => sent() }, seededRandom(3));
  await job.run();
  const at = Date.UTC(2026, 0, 5, 22);
  const delays = Array.from({ length: 50 }, () => job.next(at));
  assert.ok(delays.every((delay) => delay >= 2 * HOUR && delay < 4 * HOUR));
  assert.ok(new Set(delays).size > 40);
});

test('a node that starts, may not report, or waits for the DNS looks again within the hour', async () => {
  let answer = sent();
  const job = sendReportsJob({ send: async () => answer }, seededRandom(3));
  const isSoon = () => job.next(Date.UTC(2026, 0, 5, 1)) <= HOUR;
  assert.ok(isSoon());
  await job.run();
  assert.ok(!isSoon());
  for (const waiting of [sent({ waiting: 1 }), sent({ may: { answer: 'no', reason: '' } })]) {
    answer = waiting;
    await job.run();
    assert.ok(isSoon());
  }
});
