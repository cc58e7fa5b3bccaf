import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readTlsReport } from '../../../src/protocol/tlsrpt/read.ts';

/** RFC 8460 appendix B, shortened. */
const EXAMPLE = {
  'organization-name': 'Company-X',
  'date-range': { 'start-datetime': '2016-04-01T00:00:00Z', 'end-datetime': '2016-04-01T23:59:59Z' },
  'contact-info': 'sts-reporting@company-x.example',
  'report-id': '5065427c-23d3-47ca-b6e0-946ea0e8c4be',
  policies: [
    {
      policy: { 'policy-type': 'sts', 'policy-domain': 'Company-Y.example', 'mx-host': ['*.mail.company-y.example'] },
      summary: { 'total-successful-session-count': 5326, 'total-failure-session-count': 303 },
      'failure-details': [
        {
          'result-type': 'certificate-expired',
          'sending-mta-ip': '2001:db8:abcd:0012::1',
          'receiving-mx-hostname': 'mx1.mail.company-y.example',
          'failed-session-count': 100,
        },
      ],
    },
  ],
};

const read = (value: unknown) => readTlsReport(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));

test('the report of the RFC is read with its policies and failures', () => {
  const found = read(EXAMPLE);
  assert.ok(found.ok);
  const { organisation, begin, end, policies } = found.report;
  assert.deepEqual([organisation, begin, end], ['Company-X', 1459468800, 1459555199]);
  assert.deepEqual(
    policies.map(({ domain, successful, failed, failures }) => [domain, successful, failed, failures[0]?.type]),
    [['company-y.example', 5326, 303, 'certificate-expired']],
  );
});

test('an attacker who sends lists for texts, texts for numbers or numbers beyond all sums gets nothing of it stored', () => {
  const policies = [
    { policy: { 'policy-domain': ['x'] }, summary: { 'total-successful-session-count': 1e300 } },
    null,
    7,
  ];
  const found = read({ ...EXAMPLE, 'organization-name': { toString: 1 }, policies });
  assert.ok(found.ok);
  assert.equal(found.report.organisation, '');
  assert.deepEqual(
    found.report.policies.map(({ domain, successful }) => [domain, successful]),
    [
      ['', 0],
      ['', 0],
      ['', 0],
    ],
  );
});

test('whatever JSON comes, the answer is a report or a problem', () => {
  for (const text of ['', '{', 'null', '[]', '[['.repeat(50_000), '{"policies":[1]}'])
    assert.equal(read(text).ok, false, text.slice(0, 20));
  fc.assert(
    fc.property(fc.jsonValue(), (value) => void read({ ...EXAMPLE, policies: [value], 'date-range': value })),
    { numRuns: 300 },
  );
});
