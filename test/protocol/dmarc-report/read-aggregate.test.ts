import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { REPORT_RECORDS } from '../../../src/protocol/dmarc-report/limits.ts';
import { readAggregate } from '../../../src/protocol/dmarc-report/read-aggregate.ts';
import type { AggregateReport } from '../../../src/protocol/dmarc-report/types.ts';
import { writeAggregate } from '../../../src/protocol/dmarc-report/write-aggregate.ts';

const HEAD =
  '<report_metadata><org_name>Them</org_name><date_range><begin>1</begin><end>2</end></date_range></report_metadata>' +
  '<policy_published><domain>Example.COM</domain><p>reject</p></policy_published>';

const read = (xml: string | Uint8Array) => readAggregate(typeof xml === 'string' ? Buffer.from(xml) : xml);

function report(xml: string | Uint8Array): AggregateReport {
  const found = read(xml);
  assert.ok(found.ok, found.ok ? '' : found.problem);
  return found.report;
}

function problem(xml: string | Uint8Array): string {
  const found = read(xml);
  assert.ok(!found.ok);
  return found.problem;
}

const words = fc.stringMatching(/^[a-z0-9&<>'" .-]{0,20}$/).map((text) => text.trim().replaceAll(/\s+/g, ' '));
const domains = fc.domain().map((domain) => domain.toLowerCase());
const written = fc.record({
  metadata: fc.record({
    organisation: words,
    email: words,
    reportId: words,
    begin: fc.nat(1000),
    end: fc.nat(1000).map((n) => n + 1000),
    errors: fc.array(words, { minLength: 1, maxLength: 2 }),
  }),
  policy: fc.record({ domain: domains, p: fc.constantFrom('none', 'reject'), t: fc.constantFrom('y', 'n') }),
  records: fc.array(
    fc.record({
      sourceIp: fc.ipV4(),
      count: fc.nat(),
      disposition: fc.constantFrom('none', 'quarantine', 'reject'),
      dkim: fc.constantFrom('pass', 'fail'),
      spf: fc.constantFrom('pass', 'fail'),
      envelopeFrom: domains,
      headerFrom: domains,
      spfResults: fc.array(
        fc.record({
          domain: domains,
          scope: fc.constantFrom('helo', 'mfrom'),
          result: fc.constantFrom('pass', 'none'),
        }),
        { minLength: 1, maxLength: 2 },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

function inOrder(records: AggregateReport['records']): unknown[] {
  return records.map(({ sourceIp, count, disposition, dkim, spf, envelopeFrom, headerFrom, spfResults }) => [
    [sourceIp, count, disposition, dkim, spf, envelopeFrom, headerFrom],
    spfResults.map(({ domain, scope, result }) => [domain, scope, result]),
  ]);
}

test('what is written is read as it was', () => {
  fc.assert(
    fc.property(written, (values) => {
      const records = values.records.map((record) => ({ ...record, dkimResults: [], reasons: [] }));
      const whole = { ...values, records } as unknown as AggregateReport;
      const back = report([...writeAggregate(whole)].join(''));
      const { organisation, begin, end } = back.metadata;
      assert.deepEqual(
        [organisation, begin, end],
        [values.metadata.organisation, values.metadata.begin, values.metadata.end],
      );
      assert.equal(back.policy.domain, values.policy.domain);
      assert.equal(JSON.stringify(inOrder(back.records)), JSON.stringify(inOrder(whole.records)));
    }),
    { numRuns: 200 },
  );
});

test('reports of RFC 7489, without namespace, version or types that fit, are read all the same', () => {
  const xml = `<?xml version="1.0" encoding="iso-8859-1"?><feedback><version>1.0</version>${HEAD}<record><row><source_ip>192.0.2.1</source_ip><count>3</count><policy_evaluated><disposition>Quarantine</disposition><dkim>neutral</dkim><spf>PASS</spf></policy_evaluated></row><identifiers><header_from>EXAMPLE.com</header_from></identifiers><auth_results><spf><domain>a.example</domain><result>hardfail</result></spf></auth_results></record></feedback>`;
  const { policy, records } = report(xml);
  assert.equal(policy.domain, 'example.com');
  assert.equal(records[0]!.disposition, 'quarantine');
  assert.deepEqual(records[0]!.spfResults, [{ domain: 'a.example', scope: 'mfrom', result: 'none' }]);
  assert.equal(records[0]!.headerFrom, 'example.com');
});

test('UTF-16 and Latin-1 are read as they say they are, and a wrong claim gives marks, not an exception', () => {
  const text = `<feedback>${HEAD.replace('Them', 'Zoë')}</feedback>`;
  assert.equal(report(Buffer.from(`\ufeff${text}`, 'utf16le')).metadata.organisation, 'Zoë');
  const latin = Buffer.from(`<?xml version="1.0" encoding="iso-8859-1"?>${text}`, 'latin1');
  assert.equal(report(latin).metadata.organisation, 'Zoë');
  const wrong = Buffer.from(`<?xml version="1.0" encoding="utf-8"?>${text}`, 'latin1');
  assert.equal(report(wrong).metadata.organisation, 'Zo\ufffd');
  assert.ok(read(Buffer.from(`<?xml version="1.0" encoding="no-such"?>${text}`)).ok);
});

test('an attacker who defines entities that grow a billion times gets them refused unread', () => {
  const laughs = `<!DOCTYPE lolz [<!ENTITY a "ha">${Array.from({ length: 9 }, (_, i) => `<!ENTITY b${i} "${'&a;'.repeat(10)}">`).join('')}]>`;
  assert.match(problem(`<?xml version="1.0"?>${laughs}<feedback>${HEAD}&b8;</feedback>`), /document type/);
});

test('an attacker who names a local file as an external entity learns nothing', () => {
  const xml = `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><feedback>${HEAD.replace('Them', '&x;')}</feedback>`;
  assert.match(problem(xml), /document type/);
});

test('an entity without definition stays the text that it is', () => {
  assert.equal(
    report(`<feedback>${HEAD.replace('Them', '&x;&#65;&#x110000;')}</feedback>`).metadata.organisation,
    '&x;A&#x110000;',
  );
});

test('an attacker who nests a million elements is refused at the bound', () => {
  assert.match(problem('<a>'.repeat(1_000_000)), /nested/i);
});

test('an attacker who names elements after the insides of JavaScript changes nothing there', () => {
  read(
    `<feedback><__proto__><polluted>1</polluted></__proto__><constructor><prototype><polluted>1</polluted></prototype></constructor>${HEAD}</feedback>`,
  );
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

test('an attacker who sends more records than the bound has the rest counted as unread', () => {
  const record = '<record><row><source_ip>192.0.2.1</source_ip><count>1</count></row></record>';
  const found = read(`<feedback>${HEAD}${record.repeat(REPORT_RECORDS + 5)}</feedback>`);
  assert.ok(found.ok);
  assert.equal(found.report.records.length, REPORT_RECORDS);
  assert.equal(found.unread, 5);
});

test('counts that would break sums, and sources that are no address, are left out', () => {
  const row = (source: string, count: string) =>
    `<record><row><source_ip>${source}</source_ip><count>${count}</count></row></record>`;
  const rows = [
    row('192.0.2.1', '9'.repeat(18)),
    row('<b>x</b>', '1'),
    row('host.example', '1'),
    row('192.0.2.2', '-1'),
  ];
  const found = read(`<feedback>${HEAD}${rows.join('')}</feedback>`);
  assert.ok(found.ok);
  assert.deepEqual([found.report.records.length, found.unread], [0, 4]);
});

test('whatever octets come, the answer is a report or a problem', () => {
  const pieces = fc.constantFrom(
    '<feedback>',
    '</feedback>',
    HEAD,
    '<record>',
    '<row>',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?xml ?>',
    '&',
    '<',
    '>',
    'x',
  );
  const texts = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 30 }).map((parts) => Buffer.from(parts.join('')));
  fc.assert(
    fc.property(fc.oneof(texts, fc.uint8Array({ maxLength: 200 })), (bytes) => void readAggregate(bytes)),
    { numRuns: 1500 },
  );
});
