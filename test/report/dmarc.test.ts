import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { OperationalError } from '../../src/model/errors.ts';
import { readAggregate } from '../../src/protocol/dmarc-report/read-aggregate.ts';
import { decodeBase64 } from '../../src/protocol/mime/base64.ts';
import { parseTree } from '../../src/protocol/mime/tree.ts';
import { REPORT_ADDRESSES, REPORT_DUE_DAYS, ROWS_PER_DOMAIN } from '../../src/report/limits.ts';
import { assertValidReport, skipSchema } from '../support/rua-schema.ts';
import { DAY, FAILED, startReports } from './support.ts';

function attached(message: Uint8Array): { filename: string; xml: Buffer } {
  const part = parseTree(message).root.children[1]!;
  const { bytes } = decodeBase64(message.subarray(part.body.start, part.body.end));
  return { filename: part.filename!, xml: gunzipSync(bytes) };
}

const withRua = (...rua: string[]) => ({ record: { ...FAILED.record!, rua } });

test('a day of messages becomes one report, valid against the schema, to whoever asks for it', {
  skip: skipSchema,
}, async (t) => {
  const { reports, refused, letters, clock, events } = await startReports(t);
  refused({});
  refused({});
  refused({
    sourceIp: '2001:db8::1',
    dkimAligned: true,
    result: 'pass',
    applied: { disposition: 'none', reasons: [] },
  });
  await clock.advance(DAY);
  assert.equal((await reports.send()).written, 1);
  const [letter] = await letters();
  assert.deepEqual(JSON.parse(letter!.recipients), ['rua@sender.example']);
  assert.equal(letter!.sender, 'dmarc@receiver.example');
  const { filename, xml } = attached(letter!.content);
  assert.match(filename, /^receiver\.example!sender\.example!1767571200!1767657599![a-z0-9]+\.xml\.gz$/);
  assertValidReport(xml);
  const read = readAggregate(xml);
  assert.ok(read.ok);
  assert.deepEqual(
    read.report.records.map(({ sourceIp, count, disposition, dkim }) => [sourceIp, count, disposition, dkim]),
    [
      ['192.0.2.1', 2, 'reject', 'fail'],
      ['2001:db8:0:0:0:0:0:1', 1, 'none', 'pass'],
    ],
  );
  assert.equal(events.count('report.aggregate-written'), 1);
  assert.equal((await reports.send()).written, 0, 'what was written is not written again');
});

test('today is never reported, only days that are over', async (t) => {
  const { reports, refused, letters } = await startReports(t);
  refused({});
  await reports.send();
  assert.equal((await letters()).length, 0);
  assert.equal((await reports.admin.counted()).length, 1);
});

test('mail of our own, mail that was deferred, and mail without a record is not counted', async (t) => {
  const { reports, refused } = await startReports(t);
  refused({}, { direction: 'internal' });
  refused({}, { direction: 'outbound' });
  refused({}, { recipients: [{ address: 'a@receiver.example', disposition: 'defer' }] });
  refused({ record: undefined });
  refused({ applied: undefined });
  refused(withRua());
  assert.deepEqual(await reports.admin.counted(), []);
});

test('two nodes do not report on each other’s reports: mail to an address for reports is not counted', async (t) => {
  const { reports, refused } = await startReports(t);
  refused({}, { recipients: [{ address: 'receiver.example@reports.postern.internal', disposition: 'accept' }] });
  assert.deepEqual(await reports.admin.counted(), []);
});

test('nothing is sent from a demo, without a contact, for a contact elsewhere, or before the DNS is in order', async (t) => {
  const cases = [
    { services: { sandbox: true }, reason: /demo/ },
    { settings: { 'report.contact': '' }, reason: /report\.contact is empty/ },
    { settings: { 'report.contact': 'a@elsewhere.example' }, reason: /no domain of this node/ },
    { settings: { 'report.aggregate': false }, reason: /off|^$/ },
    { services: { checkDomain: async () => ({ answer: 'no', reason: 'SPF is missing' }) as const }, reason: /SPF/ },
    { services: { checkDomain: async () => ({ answer: 'cannot-tell', reason: 'DNS' }) as const }, reason: /DNS/ },
  ];
  for (const { reason, ...options } of cases) {
    const { reports, refused, letters, clock } = await startReports(t, options);
    refused({});
    await clock.advance(DAY);
    const { may, written } = await reports.send();
    assert.equal(written, 0);
    if (may.answer !== 'yes') assert.match(may.reason, reason);
    assert.equal((await letters()).length, 0);
  }
});

test('a report that may not be sent waits, and is forgotten when it is of no use any more', async (t) => {
  const { reports, refused, clock } = await startReports(t, { settings: { 'report.contact': '' } });
  refused({});
  await clock.advance(DAY);
  await reports.send();
  assert.equal((await reports.admin.counted()).length, 1);
  await clock.advance(REPORT_DUE_DAYS * DAY);
  await reports.send();
  assert.equal((await reports.admin.counted()).length, 0);
});

test('an attacker who publishes a stranger’s address has nobody send reports there', async (t) => {
  const { reports, refused, letters, clock, events } = await startReports(t);
  refused(withRua('mailto:victim@bank.example'));
  await clock.advance(DAY);
  assert.equal((await reports.send()).refused, 1);
  assert.equal((await letters()).length, 0);
  assert.match(events.last('report.nobody-to-tell')!.reason, /bank\.example has not agreed/);
});

test('an address elsewhere that agreed gets the report, where it wants it', async (t) => {
  const { reports, refused, letters, clock } = await startReports(t, {
    zone: {
      'sender.example._report._dmarc.analysts.example': { TXT: ['v=DMARC1; rua=mailto:inbox@analysts.example'] },
      'sender.example._report._dmarc.others.example': { TXT: ['v=DMARC1; rua=mailto:x@third.example'] },
      'sender.example._report._dmarc.wrong.example': { TXT: ['v=DMARC10;', 'v=spf1 -all'] },
    },
  });
  refused(
    withRua('mailto:a@analysts.example!10m', 'mailto:b@others.example', 'mailto:c@wrong.example', 'https://x.example/'),
  );
  await clock.advance(DAY);
  await reports.send();
  const to = (await letters()).map(({ recipients }) => JSON.parse(recipients)[0]);
  assert.deepEqual(to.sort(), ['b@others.example', 'inbox@analysts.example']);
});

test('addresses of one organisation need no agreement; below a public suffix they do', async (t) => {
  const { reports, refused, letters, clock } = await startReports(t, {
    zone: {
      '_dmarc.sender.example': { TXT: ['v=DMARC1; p=none'] },
      '_dmarc.co.example': { TXT: ['v=DMARC1; p=none; psd=y'] },
    },
  });
  const record = (domain: string, ...rua: string[]) => ({ record: { ...FAILED.record!, domain, rua } });
  refused(record('mail.sender.example', 'mailto:a@sender.example', 'mailto:b@other.sender.example'));
  refused(record('one.co.example', 'mailto:c@two.co.example'));
  await clock.advance(DAY);
  await reports.send();
  const to = (await letters()).map(({ recipients }) => JSON.parse(recipients)[0]);
  assert.deepEqual(to.sort(), ['a@sender.example', 'b@other.sender.example']);
});

test('while the DNS does not answer for an address, the report waits', async (t) => {
  const name = 'sender.example._report._dmarc.slow.example';
  const { reports, refused, letters, clock, zone } = await startReports(t, { zone: { [name]: { fault: 'SERVFAIL' } } });
  refused(withRua('mailto:a@slow.example'));
  await clock.advance(DAY);
  assert.equal((await reports.send()).waiting, 1);
  assert.equal((await letters()).length, 0);
  assert.ok(zone.queries.some((query) => query.name === name));
  assert.equal((await reports.admin.counted()).length, 1);
});

test('an attacker who lists a hundred addresses multiplies nothing beyond the bound', async (t) => {
  const { reports, refused, letters, clock } = await startReports(t);
  refused(withRua(...Array.from({ length: 100 }, (_, i) => `mailto:r${i}@sender.example`)));
  await clock.advance(DAY);
  await reports.send();
  assert.equal((await letters()).length, REPORT_ADDRESSES);
});

test('an attacker who varies what is counted fills a report, and what is left out is told', async (t) => {
  const { reports, refused, letters, clock, database } = await startReports(t);
  const spf = (i: number) => [{ domain: `d${i}.example`, scope: 'mfrom', result: 'pass' }] as const;
  refused({});
  await clock.advance(1000);
  // As many more as there is room for but one: written at once, since they are many.
  const fill = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS_PER_DOMAIN - 2})
    INSERT INTO dmarc_row SELECT day, domain, 'k' || i, row, 1 FROM dmarc_row, n`;
  await database.write([{ sql: fill, parameters: [] }]);
  await reports.close();
  const again = await startReports(t, { database });
  for (let i = 0; i < 51; i++) again.refused({ spf: spf(i) });
  again.refused({});
  await again.clock.advance(1000);
  const [counted] = await again.reports.admin.counted();
  assert.deepEqual([counted!.rows, counted!.leftOut], [ROWS_PER_DOMAIN, 50]);
  assert.equal(counted!.messages, ROWS_PER_DOMAIN + 1, 'a row that is there still counts');
  await again.clock.advance(DAY);
  await again.reports.send();
  const read = readAggregate(attached((await letters())[0]!.content).xml);
  assert.ok(read.ok);
  assert.match(read.report.metadata.errors![0]!, /^50 messages are not in this report/);
});

test('a disk that is full for a while delays the counts and loses none', async (t) => {
  const { reports, refused, clock, database, events } = await startReports(t);
  database.fail(new OperationalError('store.full', 'the disk is full'));
  refused({});
  await clock.advance(2000);
  assert.ok(events.count('report.rows-unwritten') >= 1);
  refused({});
  database.fail(undefined);
  await clock.advance(2000);
  const [counted] = await reports.admin.counted();
  assert.deepEqual([counted!.messages, counted!.rows], [2, 1]);
});

test('an operator sees the report before it is sent', { skip: skipSchema }, async (t) => {
  const { reports, refused } = await startReports(t);
  refused({ applied: { disposition: 'none', reasons: [{ type: 'local_policy', comment: 'a <list> & more' }] } });
  assertValidReport((await reports.admin.preview('sender.example'))!);
  assert.equal((await reports.admin.countedOf('sender.example'))!.counted[0]!['sourceIp'], '192.0.2.1');
  assert.equal(await reports.admin.preview('nobody.example'), undefined);
});
