import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readMessage } from '../../src/report/incoming/read.ts';
import { createReportReader } from '../../src/report/incoming/reader.ts';
import { READING_WAITING, UNPACKED_BYTES } from '../../src/report/limits.ts';
import { systemClock } from '../../src/world/clock.ts';
import { manualClock } from '../support/clock.ts';

const xml = (rows: string): string =>
  `<?xml version="1.0"?><feedback><report_metadata><org_name>Big Mail</org_name><report_id>1</report_id><date_range><begin>1767571200</begin><end>1767657599</end></date_range></report_metadata><policy_published><domain>receiver.example</domain><p>none</p></policy_published>${rows}</feedback>`;
const record = (i: number): string =>
  `<record><row><source_ip>192.0.${(i >> 8) & 255}.${i & 255}</source_ip><count>${i}</count></row></record>`;
const part = (bytes: Uint8Array): string =>
  `Content-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(bytes).toString('base64').replaceAll(/.{76}/g, '$&\r\n')}\r\n`;
const letter = (bytes: Uint8Array): Buffer => Buffer.from(`MIME-Version: 1.0\r\n${part(bytes)}`);

test('an attacker has a hundred reports wait: only the one that is being read is in memory', async (t) => {
  const reader = createReportReader(manualClock());
  t.after(reader.close);
  let loaded = 0;
  let answered = 0;
  let most = 0;
  const report = letter(gzipSync(xml(record(1))));
  const load = async (): Promise<Uint8Array> => {
    most = Math.max(most, ++loaded - answered);
    return report;
  };
  await Promise.all(
    Array.from({ length: 100 }, async () => {
      const read = await reader.read(load);
      answered++;
      assert.ok(read.ok);
    }),
  );
  assert.equal(loaded, 100);
  // The next is loaded before the one that asked has heard of its answer.
  assert.ok(most <= 2, `${most} at once`);
});

test("content that cannot be loaded is its own asker's error, and the next report is read", async (t) => {
  const reader = createReportReader(manualClock());
  t.after(reader.close);
  const gone = reader.read(() => Promise.reject(new Error('gone')));
  const next = reader.read(async () => letter(gzipSync(xml(record(1)))));
  await assert.rejects(gone, /gone/);
  assert.ok((await next).ok);
});

test('an attacker puts three of the largest reports into one message: all together have one bound', async () => {
  const large = gzipSync(xml(Array.from({ length: UNPACKED_BYTES / 120 }, (_, i) => record(i)).join('')), { level: 1 });
  const message = `MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n${`--x\r\n${part(large)}`.repeat(3)}--x--\r\n`;
  const read = await readMessage(Buffer.from(message));
  assert.ok(!read.ok || read.reports.length < 2);
});

async function cpuOf(message: Uint8Array): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3; run++) {
    const before = process.cpuUsage();
    await readMessage(message);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, user + system);
  }
  return least;
}

test('an attacker whose report is all blanks, tags or brackets takes no longer than the largest honest report', async () => {
  const honest = await cpuOf(letter(gzipSync(xml(Array.from({ length: 10_000 }, (_, i) => record(i)).join('')))));
  for (const filling of [' ', '<a/>', '<', '[']) {
    const attack = await cpuOf(
      letter(
        gzipSync(
          (filling.startsWith('[') || filling === '{},' ? '{"a":[' : '<a>') +
            filling.repeat(19_000_000 / filling.length),
        ),
      ),
    );
    assert.ok(attack < 2 * honest, `${filling}: ${attack} us, and ${honest} for an honest one`);
  }
});

test('an attacker who sends more reports than may wait has the next put off, and each that waits is answered', async (t) => {
  const reader = createReportReader(systemClock);
  t.after(() => reader.close());
  const junk = async (): Promise<Uint8Array> => Buffer.from('Subject: junk\r\n\r\nnone\r\n');
  const all = await Promise.allSettled(Array.from({ length: 1 + READING_WAITING + 2 }, () => reader.read(junk)));
  const codes = all.map((one) => (one.status === 'fulfilled' ? 'answered' : (one.reason as { code: string }).code));
  assert.deepEqual(codes.slice(-2).concat(codes.filter((code) => code !== 'answered')), Array(4).fill('report.busy'));
});
