import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReportReader } from '../../src/report/incoming/reader.ts';
import { READING_WAITING } from '../../src/report/limits.ts';
import { systemClock } from '../../src/world/clock.ts';

test('an attacker who sends more reports than may wait has the next put off, and each that waits is answered', async (t) => {
  const reader = createReportReader(systemClock);
  t.after(() => reader.close());
  const junk = (): Uint8Array => Buffer.from('Subject: junk\r\n\r\nnone\r\n');
  const all = await Promise.allSettled(Array.from({ length: 1 + READING_WAITING + 2 }, () => reader.read(junk())));
  const codes = all.map((one) => (one.status === 'fulfilled' ? 'answered' : (one.reason as { code: string }).code));
  assert.deepEqual(codes.slice(-2).concat(codes.filter((code) => code !== 'answered')), Array(4).fill('report.busy'));
});
