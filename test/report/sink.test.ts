import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { OperationalError } from '../../src/model/errors.ts';
import { makeAddress } from '../../src/protocol/smtp/address.ts';
import type { Claim } from '../../src/queue/contract.ts';
import { INCOMING_BYTES, UNPACKED_BYTES } from '../../src/report/limits.ts';
import { type ReportBench, startReports } from './support.ts';
import { zip } from './zip.ts';

let messages = 0;

function claim(content: Uint8Array, domain = 'receiver.example'): Claim {
  const address = makeAddress(domain, 'reports.postern.internal');
  const original = makeAddress('dmarc-reports', domain);
  return {
    lease: 'l',
    message: { id: `m${++messages}`, reversePath: null, body: '7BIT', smtputf8: false, receivedAt: 0 },
    content: {
      sizeBytes: content.length,
      sha256: '',
      open: ({ start = 0, end = content.length } = { start: 0, end: content.length }) =>
        Readable.from([Buffer.from(content.subarray(start, end))]),
    },
    trace: '',
    edits: [],
    destination: address.domain,
    recipients: [{ row: 1, address, original, direction: 'inbound', attempts: 0 }],
  };
}

function xml(id: string, domain = 'receiver.example', rows = ''): string {
  return `<?xml version="1.0"?><feedback><report_metadata><org_name>Big Mail</org_name><report_id>${id}</report_id><date_range><begin>1767571200</begin><end>1767657599</end></date_range></report_metadata><policy_published><domain>${domain}</domain><p>none</p></policy_published>${rows || row('192.0.2.1', 7, 'pass')}</feedback>`;
}

const row = (source: string, count: number, dkim: string) =>
  `<record><row><source_ip>${source}</source_ip><count>${count}</count><policy_evaluated><disposition>none</disposition><dkim>${dkim}</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>receiver.example</header_from></identifiers></record>`;

function letter(bytes: Uint8Array, type = 'application/gzip', name = 'report.xml.gz'): Buffer {
  return Buffer.from(
    `From: <a@b.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x\r\nContent-Type: ${type}\r\nContent-Disposition: attachment; filename="${name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(bytes).toString('base64').replaceAll(/.{76}/g, '$&\r\n')}\r\n--x--\r\n`,
  );
}

async function deliver({ reports }: ReportBench, content: Uint8Array, domain?: string): Promise<string> {
  const [result] = await reports.sink.deliver(claim(content, domain));
  return result!.kind;
}

async function problemOf(bench: ReportBench, content: Uint8Array): Promise<string> {
  assert.equal(await deliver(bench, content), 'delivered');
  const [entry] = await bench.reports.admin.incoming({});
  assert.equal(entry!.kind, 'malformed');
  return entry!.problem!;
}

test('aggregate reports in gzip, ZIP and plain are kept, and seen by source and by day', async (t) => {
  const bench = await startReports(t);
  await deliver(bench, letter(gzipSync(xml('1'))));
  await deliver(
    bench,
    letter(
      zip([{ name: 'r.xml', bytes: Buffer.from(xml('2', 'receiver.example', row('192.0.2.9', 3, 'fail'))) }]),
      'application/octet-stream',
      'r',
    ),
  );
  await deliver(bench, letter(Buffer.from(xml('3')), 'text/xml', 'r.xml'));
  const view = await bench.reports.admin.view('receiver.example', 0);
  assert.deepEqual(
    view.sources.map(({ source, messages: count, aligned }) => [source, count, aligned]),
    [
      ['192.0.2.1', 14, 14],
      ['192.0.2.9', 3, 0],
    ],
  );
  assert.deepEqual(
    view.days.map(({ day, messages: count, aligned }) => [day, count, aligned]),
    [['2026-01-05', 17, 14]],
  );
  const [entry] = await bench.reports.admin.incoming({ domain: 'receiver.example' });
  assert.equal((await bench.reports.admin.incomingOne(entry!.id))!.sources.length, 1);
});

test('a report that comes twice counts once', async (t) => {
  const bench = await startReports(t);
  for (let i = 0; i < 2; i++) assert.equal(await deliver(bench, letter(gzipSync(xml('1')))), 'delivered');
  const view = await bench.reports.admin.view('receiver.example', 0);
  assert.equal(view.sources[0]!.messages, 7);
});

test('TLS reports and failure reports are kept beside them', async (t) => {
  const bench = await startReports(t);
  const tls = {
    'organization-name': 'X',
    'report-id': '1',
    'date-range': { 'start-datetime': '2026-01-05T00:00:00Z', 'end-datetime': '2026-01-05T23:59:59Z' },
    policies: [
      {
        policy: { 'policy-type': 'sts', 'policy-domain': 'receiver.example' },
        summary: { 'total-successful-session-count': 5 },
        'failure-details': [{ 'result-type': 'starttls-not-supported', 'failed-session-count': 2 }],
      },
    ],
  };
  await deliver(bench, letter(gzipSync(JSON.stringify(tls)), 'application/tlsrpt+gzip', 'r.json.gz'));
  const arf =
    'MIME-Version: 1.0\r\nContent-Type: multipart/report; boundary=x\r\n\r\n--x\r\n\r\nhello\r\n--x\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: auth-failure\r\nReported-Domain: receiver.example\r\nSource-IP: 192.0.2.7\r\nAuth-Failure: dmarc\r\n\r\n--x\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: x\r\n\r\n--x--\r\n';
  await deliver(bench, Buffer.from(arf));
  const kinds = (await bench.reports.admin.incoming({})).map(({ kind, messages: count }) => [kind, count]);
  assert.deepEqual(kinds.sort(), [
    ['failure', 1],
    ['tls', 7],
  ]);
});

test('a forger who reports on domains of others, or floods, fills no view of theirs', async (t) => {
  const bench = await startReports(t);
  assert.match(
    await problemOf(bench, letter(gzipSync(xml('1', 'bank.example')))),
    /bank\.example, which is no domain of/,
  );
  assert.deepEqual((await bench.reports.admin.view('bank.example', 0)).sources, []);
});

test('an attacker who sends bombs, entities, nested archives or junk is kept with the reason, and the next report is read', async (t) => {
  const bench = await startReports(t);
  const { reports, clock } = bench;
  const attacks: [Uint8Array, RegExp][] = [
    [letter(gzipSync(Buffer.alloc(UNPACKED_BYTES + 1))), /more than \d+ bytes/],
    [letter(zip([{ name: 'a', bytes: Buffer.alloc(UNPACKED_BYTES + 1), claimedSize: 9 }])), /too many bytes|more than/],
    [letter(gzipSync(gzipSync(xml('1')))), /archive in an archive/],
    [letter(gzipSync('<!DOCTYPE a [<!ENTITY b "c">]><feedback/>')), /document type/],
    [letter(gzipSync('<a>'.repeat(100_000))), /nested/i],
    [letter(gzipSync(xml('1')).subarray(0, 60)), /gzip/],
    [letter(Buffer.from('not gzip at all')), /./],
    [Buffer.from('Subject: hello\r\n\r\nwhen will you answer?\r\n'), /no part of it is a report/],
    [Buffer.alloc(0), /no part/],
    [Buffer.alloc(INCOMING_BYTES + 1, 'a'), /more than \d+ bytes/],
  ];
  for (const [content, reason] of attacks) {
    assert.match(await problemOf(bench, content), reason);
    await clock.advance(1000);
  }
  await deliver(bench, letter(gzipSync(xml('9'))));
  assert.equal((await reports.admin.incoming({ kind: 'aggregate' })).length, 1);
  const [malformed] = await reports.admin.incoming({ kind: 'malformed' });
  assert.notEqual((await reports.admin.incomingOne(malformed!.id))!.raw, null);
});

test('an attacker whose report takes too long to read loses its thread at the deadline, and the next report is read', async (t) => {
  const bench = await startReports(t);
  const slow = bench.reports.sink.deliver(claim(letter(gzipSync('<c/>'.repeat(4_500_000)))));
  let isOver = false;
  void slow.then(() => {
    isOver = true;
  });
  while (!isOver) await bench.clock.advance(1000);
  const [entry] = await bench.reports.admin.incoming({});
  assert.match(entry!.problem!, /takes more than 20 s/);
  await deliver(bench, letter(gzipSync(xml('1'))));
  assert.equal((await bench.reports.admin.incoming({ kind: 'aggregate' })).length, 1);
});

test('what the disk does not take now is deferred, and content that is gone is told as unreadable', async (t) => {
  const bench = await startReports(t);
  bench.database.fail(new OperationalError('store.full', 'full'));
  assert.equal(await deliver(bench, letter(gzipSync(xml('1')))), 'deferred');
  bench.database.fail(undefined);
  const gone = claim(Buffer.from('x'));
  const open = () => {
    throw new OperationalError('content.missing', 'gone');
  };
  const [result] = await bench.reports.sink.deliver({ ...gone, content: { ...gone.content, open } });
  assert.equal(result!.kind, 'unreadable');
});

test('old reports are forgotten, newer ones stay', async (t) => {
  const bench = await startReports(t, { settings: { 'report.keepDays': 7 } });
  await deliver(bench, letter(gzipSync(xml('1'))));
  await bench.clock.advance(8 * 24 * 60 * 60_000);
  await deliver(bench, letter(gzipSync(xml('2'))));
  await bench.reports.forget();
  assert.equal((await bench.reports.admin.incoming({})).length, 1);
  assert.equal((await bench.reports.admin.view('receiver.example', 0)).sources[0]!.messages, 7);
});
