import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { expandIpv6 } from '../../../src/protocol/dmarc-report/ipv6.ts';
import type { AggregateReport } from '../../../src/protocol/dmarc-report/types.ts';
import { writeAggregate } from '../../../src/protocol/dmarc-report/write-aggregate.ts';
import { assertValidReport, skipSchema as skip } from '../../support/rua-schema.ts';

function validate(report: AggregateReport): void {
  assertValidReport([...writeAggregate(report)].join(''));
}

const reports = fc.record({
  metadata: fc.record({
    organisation: fc.string({ unit: 'binary' }),
    email: fc.emailAddress(),
    extraContact: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
    reportId: fc.string(),
    begin: fc.nat(),
    end: fc.nat(),
    errors: fc.array(fc.string(), { maxLength: 2 }),
  }),
  policy: fc.record({
    domain: fc.domain(),
    adkim: fc.constantFrom('r', 's', undefined),
    p: fc.constantFrom('none', 'quarantine', 'reject', undefined),
    np: fc.constantFrom('none', 'reject', undefined),
    t: fc.constantFrom('y', 'n', undefined),
    discovery: fc.constantFrom('treewalk', undefined),
  }),
  records: fc.array(
    fc.record({
      sourceIp: fc.oneof(fc.ipV4(), fc.ipV6()),
      count: fc.nat(),
      disposition: fc.constantFrom('none', 'quarantine', 'reject'),
      dkim: fc.constantFrom('pass', 'fail'),
      spf: fc.constantFrom('pass', 'fail'),
      reasons: fc.array(
        fc.record({
          type: fc.constantFrom('local_policy', 'trusted_forwarder'),
          comment: fc.option(fc.string(), { nil: undefined }),
        }),
        { maxLength: 2 },
      ),
      envelopeTo: fc.option(fc.domain(), { nil: undefined }),
      envelopeFrom: fc.oneof(fc.domain(), fc.constant('')),
      headerFrom: fc.domain(),
      dkimResults: fc.array(
        fc.record({
          domain: fc.domain(),
          selector: fc.string(),
          result: fc.constantFrom('pass', 'permerror'),
          detail: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
        }),
        { maxLength: 3 },
      ),
      spfResults: fc.array(
        fc.record({
          domain: fc.domain(),
          scope: fc.constantFrom('helo', 'mfrom'),
          result: fc.constantFrom('softfail', 'none'),
        }),
        { minLength: 1, maxLength: 2 },
      ),
    }),
    { minLength: 1, maxLength: 4 },
  ),
}) as fc.Arbitrary<AggregateReport>;

test('every report that can be written is valid against the schema of RFC 9990, whatever strangers put into it', {
  skip,
}, () => {
  fc.assert(fc.property(reports, validate), { numRuns: 60 });
});

test('IPv6 is written with eight groups, IPv4 as it is', () => {
  assert.equal(expandIpv6('2001:db8::1'), '2001:db8:0:0:0:0:0:1');
  assert.equal(expandIpv6('::'), '0:0:0:0:0:0:0:0');
  assert.equal(expandIpv6('1::'), '1:0:0:0:0:0:0:0');
  assert.equal(expandIpv6('::ffff:192.0.2.1'), '0:0:0:0:0:ffff:c000:201');
  assert.equal(expandIpv6('192.0.2.1'), '192.0.2.1');
});
