import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { composeFailure } from '../../../src/protocol/arf/compose.ts';
import { parseFailure } from '../../../src/protocol/arf/parse.ts';
import type { FailureReport } from '../../../src/protocol/arf/types.ts';
import { parseTree } from '../../../src/protocol/mime/tree.ts';

const REPORT: FailureReport = {
  from: 'dmarc@receiver.example',
  to: 'failures@sender.example',
  messageId: '<1@receiver.example>',
  boundary: 'postern-0123',
  date: Date.UTC(2026, 0, 5),
  userAgent: 'Postern',
  reportingHost: 'mx.receiver.example',
  arrivedAt: Date.UTC(2026, 0, 5),
  sourceIp: '192.0.2.1',
  reportedDomain: 'sender.example',
  mailFrom: 'bob@elsewhere.example',
  deliveryResult: 'reject',
  alignment: 'dkim, spf',
  authenticationResults: 'mx.receiver.example; dmarc=fail header.from=sender.example',
  header: [['Subject', 'win a prize']],
};

function parts(report: FailureReport) {
  const bytes = composeFailure(report);
  const tree = parseTree(bytes);
  return {
    bytes,
    tree,
    text: (n: number) => bytes.subarray(tree.root.children[n]!.body.start, tree.root.children[n]!.body.end),
  };
}

test('a failure report is a multipart/report of three parts, and is read back as it was meant', () => {
  const { tree, text, bytes } = parts(REPORT);
  assert.equal(tree.root.type.parameters.get('report-type'), 'feedback-report');
  assert.deepEqual(
    tree.root.children.map(({ type }) => type.value),
    ['text/plain', 'message/feedback-report', 'text/rfc822-headers'],
  );
  assert.deepEqual(tree.problems, []);
  assert.deepEqual(parseFailure(text(1)), {
    feedbackType: 'auth-failure',
    authFailure: 'dmarc',
    reportedDomain: 'sender.example',
    sourceIp: '192.0.2.1',
    mailFrom: 'bob@elsewhere.example',
    deliveryResult: 'reject',
    alignment: 'dkim, spf',
    arrivedAt: REPORT.arrivedAt,
    incidents: 1,
  });
  assert.match(Buffer.from(bytes).toString(), /^Auto-Submitted: auto-generated\r$/m);
});

test('a forger whose subject, address or domain has line ends adds no field and no part', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const evil = `${text}\r\n\r\n--postern-0123--\r\nX-Evil: 1\r\n`;
      const { tree, bytes } = parts({ ...REPORT, header: [['Subject', evil]], mailFrom: evil, reportedDomain: evil });
      assert.equal(tree.root.children.length, 3);
      assert.doesNotMatch(Buffer.from(bytes).toString('latin1'), /^X-Evil/m);
    }),
    { numRuns: 100 },
  );
});

test('a report that names no type of feedback is none, and whatever octets come nothing is thrown', () => {
  assert.equal(parseFailure(Buffer.from('Version: 1\r\n')), undefined);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseFailure(bytes)),
    { numRuns: 300 },
  );
});
