/** Reports that come in and go out: nothing in them costs more time an octet for being longer. */
import { composeFailure } from '../../src/protocol/arf/compose.ts';
import { parseFailure } from '../../src/protocol/arf/parse.ts';
import { formatCsv, parseCsv } from '../../src/protocol/csv/csv.ts';
import { expandIpv6 } from '../../src/protocol/dmarc-report/ipv6.ts';
import { readAggregate } from '../../src/protocol/dmarc-report/read-aggregate.ts';
import type { ReportRecord } from '../../src/protocol/dmarc-report/types.ts';
import { writeAggregate } from '../../src/protocol/dmarc-report/write-aggregate.ts';
import { parseXml, textOf } from '../../src/protocol/dmarc-report/xml.ts';
import { composeDsn } from '../../src/protocol/dsn/compose.ts';
import { asciiOnly, field, isAscii, oneLine } from '../../src/protocol/dsn/field-text.ts';
import { humanText } from '../../src/protocol/dsn/human-text.ts';
import { parseDsn } from '../../src/protocol/dsn/parse.ts';
import { reduceReport, reducible } from '../../src/protocol/dsn/reduce.ts';
import { asciiHeadersPart, returnedPart } from '../../src/protocol/dsn/returned-part.ts';
import { statusFields } from '../../src/protocol/dsn/status-fields.ts';
import type { DsnReport } from '../../src/protocol/dsn/types.ts';
import { parseTree } from '../../src/protocol/mime/tree.ts';
import { readTlsReport } from '../../src/protocol/tlsrpt/read.ts';
import type { Pump } from '../support/growth.ts';
import { octets, of, row, testGrowth, text } from '../support/growth-table.ts';
import { HEADER, REPORT } from './limits.ts';

const STATUS = [
  octets('\n', REPORT, 'Reporting-MTA: dns; a\n\nAction: failed\n'),
  octets('Action: failed\n\n', REPORT, 'A: b\n\n'),
  octets('no field\n\n', REPORT, 'A: b\n\n'),
  octets('Status: 5.0.0\n', REPORT, 'A: b\n\n'),
  octets('(', HEADER, 'A: b\n\nAction: '),
  octets('()', HEADER, 'A: b\n\nAction: '),
  octets('(a', HEADER, 'A: b\n\nAction: '),
  octets('5.1.', HEADER, 'A: b\n\nStatus: '),
  octets('5.', HEADER, 'A: b\n\nStatus: '),
  octets(';', HEADER, 'A: b\n\nAction: failed\nDiagnostic-Code: '),
  octets(' ', HEADER, 'A: b\n\nAction: failed\nDiagnostic-Code: ', ';x'),
  octets('1 ', HEADER, 'Arrival-Date: ', '\n\nAction: failed\n'),
  octets('(', HEADER, 'Arrival-Date: ', '\n\nAction: failed\n'),
];

const XML = [
  text('<a>', REPORT),
  text('<a/>', REPORT, '<feedback>', '</feedback>'),
  text('</a>', REPORT, '<feedback>'),
  text('<a></a>', REPORT, '<feedback>', '</feedback>'),
  text('<record><row/></record>', REPORT, '<feedback>', '</feedback>'),
  text('<', REPORT),
  text('>', REPORT, '<a>'),
  text(' ', REPORT, '<feedback>', '</feedback>'),
  text(' ', REPORT, '<feedback', '></feedback>'),
  text(' a="b"', REPORT, '<feedback', '></feedback>'),
  text('"', REPORT, '<feedback a=', '></feedback>'),
  text("<a b='>'/>", REPORT, '<feedback>', '</feedback>'),
  text('<!--', REPORT, '<feedback>'),
  text('<!---->', REPORT, '<feedback>', '</feedback>'),
  text('-', REPORT, '<feedback><!--', '--></feedback>'),
  text('<![CDATA[', REPORT, '<feedback>'),
  text('<![CDATA[a]]>', REPORT, '<feedback>', '</feedback>'),
  text(']', REPORT, '<feedback><![CDATA[', ']]></feedback>'),
  text('<?a', REPORT, '<feedback>'),
  text('<?a?>', REPORT, '<feedback>', '</feedback>'),
  text('&', REPORT, '<feedback><a>', '</a></feedback>'),
  text('&amp;', REPORT, '<feedback><a>', '</a></feedback>'),
  text('a<b/>', REPORT, '<feedback>', '</feedback>'),
  text('x', REPORT, '<', '/>'),
  text(':', REPORT, '<a', '/>'),
  text('a:', REPORT, '<', '/>'),
];
const XML_BYTES = XML.map((pump) => of(pump, (xml) => Buffer.from(xml)));
const RECORDS = octets(
  '<record><row><source_ip>192.0.2.1</source_ip><count>1</count></row></record>',
  REPORT,
  '<feedback><policy_published><domain>a.example</domain></policy_published><report_metadata><date_range><begin>1</begin><end>2</end></date_range></report_metadata>',
  '</feedback>',
);

const JSON_REPORTS = [
  octets('[', 4096),
  octets('{"a":', 4096),
  octets(
    '{},',
    REPORT,
    '{"date-range":{"start-datetime":"2026-01-01T00:00:00Z","end-datetime":"2026-01-02T00:00:00Z"},"policies":[',
    '{}]}',
  ),
  octets('"a":1,', REPORT, '{', '"b":1}'),
  octets('\\u0000', REPORT, '"'),
  octets('9', REPORT),
  octets(' ', REPORT),
];

const RETURNED = [
  octets('x', HEADER),
  octets(`${'x'.repeat(999)}\r\n`, HEADER),
  octets('\r', HEADER),
  octets('\n', HEADER),
  octets('\0', HEADER),
  octets(' ', HEADER, '', 'x'),
  octets('\xff', HEADER),
  octets('\xc3\xbc ', HEADER),
];

const REPORTED: DsnReport = {
  reportingMta: 'mx.postern.example',
  from: 'postmaster@postern.example',
  to: 'bob@elsewhere.example',
  arrivedAt: 0,
  recipients: [],
  returned: { kind: 'none' },
  date: 0,
  messageId: '<a@b>',
  boundary: 'boundary',
};

/** What a remote host may say, to each of the recipients of a message. */
function recipients(said: string): Pump<DsnReport> {
  return {
    name: `recipients of whom the host says ${JSON.stringify(said.slice(0, 10))}`,
    largest: 200,
    input: (count) => ({
      ...REPORTED,
      recipients: Array.from({ length: count }, (_, i) => ({
        action: i % 2 ? ('failed' as const) : ('delayed' as const),
        finalRecipient: `r${i}@b.example`,
        addressedTo: `${said.slice(0, 200)}@b.example`,
        status: '5.1.1',
        remoteMta: said,
        diagnostic: { saidBy: 'remote' as const, text: said },
      })),
    }),
  };
}
const WORDS = ['x'.repeat(2000), 'x '.repeat(1000), ' '.repeat(2000), '\u00fc'.repeat(2000), '\u0001'.repeat(2000)];
const REPORTS = WORDS.map(recipients);

const LINES = [
  text(' ', HEADER, '', 'x'),
  text('x', HEADER),
  text('x ', HEADER),
  text('\u0001', HEADER),
  text('\u00fc', HEADER),
  text('\u2028', HEADER),
];

const DSN = (original: string): Buffer =>
  Buffer.from(
    `Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nA report for mail programs is attached.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nA: b\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n${original}\r\n--b--\r\n`,
    'latin1',
  );

const RECORD: ReportRecord = {
  sourceIp: '2001:db8::1',
  count: 1,
  disposition: 'none',
  dkim: 'pass',
  spf: 'pass',
  envelopeFrom: 'a.example',
  headerFrom: 'a.example',
  dkimResults: [],
  spfResults: [],
};

testGrowth({
  'protocol/arf/compose.ts composeFailure': row(
    (value: string) =>
      composeFailure({
        from: 'a@b.example',
        to: 'c@d.example',
        messageId: '<a@b>',
        boundary: 'b',
        date: 0,
        userAgent: 'x',
        reportingHost: 'mx',
        arrivedAt: 0,
        sourceIp: '192.0.2.1',
        reportedDomain: value,
        mailFrom: value,
        deliveryResult: 'reject',
        alignment: 'none',
        authenticationResults: value,
        header: value.split('\n').map((line) => ['Subject', line] as const),
      }),
    ...LINES,
    text('a\n', 4096),
  ),
  'protocol/arf/parse.ts parseFailure': row(
    parseFailure,
    octets('A: b\n', HEADER),
    octets('<', HEADER, 'Feedback-Type: a\nOriginal-Mail-From: '),
    octets('>', HEADER, 'Feedback-Type: a\nOriginal-Mail-From: ', 'x'),
    octets('(', HEADER, 'Feedback-Type: a\nArrival-Date: '),
    octets('9', HEADER, 'Feedback-Type: a\nIncidents: '),
  ),
  'protocol/csv/csv.ts parseCsv': row(
    parseCsv,
    text('"', REPORT),
    text('""', REPORT, '"', 'x'),
    text('"a', REPORT),
    text('a,\n', REPORT),
    text('\n', REPORT),
    text('\r', REPORT),
    text('a', REPORT, '"'),
    text('a', REPORT, '', '"'),
  ),
  'protocol/csv/csv.ts formatCsv': row((cell: string) => formatCsv([[cell]]), text('"', REPORT), text('=', REPORT)),
  'protocol/dmarc-report/ipv6.ts expandIpv6': row(
    (address: string) => expandIpv6(address),
    text('1:', 256, '', '1'),
    text('.', 256, ':'),
  ),
  'protocol/dmarc-report/read-aggregate.ts readAggregate': row(readAggregate, RECORDS, ...XML_BYTES),
  'protocol/dmarc-report/write-aggregate.ts writeAggregate': row(
    (records: readonly ReportRecord[]) => {
      for (const piece of writeAggregate({
        metadata: { organisation: 'x', email: 'x', reportId: 'x', begin: 0, end: 1 },
        policy: { domain: 'a.example' },
        records,
      }))
        piece.length;
    },
    { name: 'records', largest: 2000, input: (count) => Array.from({ length: count }, () => RECORD) },
  ),
  'protocol/dmarc-report/xml.ts parseXml': row(
    (bytes: Buffer) => {
      try {
        return parseXml(bytes);
      } catch {
        return undefined;
      }
    },
    ...XML_BYTES,
  ),
  'protocol/dmarc-report/xml.ts textOf': row(
    (a: string) => textOf({ a }, 'a', 1_000_000),
    text('&', REPORT),
    text('&#', REPORT),
    text('&#1;', REPORT),
    text('&#x', REPORT),
    text('&amp;', REPORT),
    text(' ', REPORT, '', 'x'),
  ),
  'protocol/dsn/compose.ts composeDsn': row(composeDsn, ...REPORTS),
  'protocol/dsn/field-text.ts oneLine': row((value: string) => oneLine(value, HEADER), ...LINES),
  'protocol/dsn/field-text.ts isAscii': row(isAscii, text('a', HEADER, '', '\u00fc')),
  'protocol/dsn/field-text.ts asciiOnly': row(asciiOnly, ...LINES),
  'protocol/dsn/field-text.ts field': row((value: string) => field('A', value), ...LINES),
  'protocol/dsn/human-text.ts humanText': row(humanText, ...REPORTS),
  'protocol/dsn/parse.ts parseDsn': row(parseDsn, ...STATUS),
  'protocol/dsn/reduce.ts reducible': row(
    (report: Buffer) => reducible(parseTree(report)),
    ...RETURNED.map((pump) => of(pump, (original) => DSN(original.toString('latin1')))),
  ),
  'protocol/dsn/reduce.ts reduceReport': row(
    (original: Buffer) => {
      const report = DSN('x');
      const read = reducible(parseTree(report))!;
      return [
        reduceReport(read, report.subarray(read.head.start, read.head.end), original),
        reduceReport({ ...read, text: { start: 0, end: original.length } }, original),
      ];
    },
    ...RETURNED,
    octets('A report for mail programs is attached', HEADER),
    octets('A report ', HEADER),
    octets('--', HEADER),
    octets('--boundary', HEADER),
  ),
  'protocol/dsn/returned-part.ts returnedPart': row(
    (header: Buffer) => [
      returnedPart({ kind: 'headers', header }),
      returnedPart({ kind: 'full', sizeBytes: 1, body: '7BIT', smtputf8: false, header }),
    ],
    ...RETURNED,
  ),
  'protocol/dsn/returned-part.ts asciiHeadersPart': row(asciiHeadersPart, ...RETURNED),
  'protocol/dsn/status-fields.ts statusFields': row((report: DsnReport) => statusFields(report, true), ...REPORTS),
  'protocol/tlsrpt/read.ts readTlsReport': row(readTlsReport, ...JSON_REPORTS),
});
