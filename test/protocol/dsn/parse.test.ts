import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDsn } from '../../../src/protocol/dsn/parse.ts';

const crlf = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'));

test('the simple report of RFC 3464 appendix E is read', () => {
  const parsed = parseDsn(
    crlf(`Reporting-MTA: dns; cs.utk.edu

Original-Recipient: rfc822;louisl@larry.slip.umd.edu
Final-Recipient: rfc822;louisl@larry.slip.umd.edu
Action: failed
Status: 4.0.0
Diagnostic-Code: smtp; 426 connection timed out
Last-Attempt-Date: Thu, 7 Jul 1994 17:15:49 -0400
`),
  );
  assert.deepEqual(parsed?.recipients, [
    {
      action: 'failed',
      finalRecipient: 'louisl@larry.slip.umd.edu',
      originalRecipient: { type: 'rfc822', address: 'louisl@larry.slip.umd.edu' },
      status: '4.0.0',
      remoteMta: undefined,
      diagnostic: { type: 'smtp', text: '426 connection timed out' },
    },
  ]);
  assert.equal(parsed?.reportingMta, 'cs.utk.edu');
});

test('a report on several recipients is read group by group, comments and all', () => {
  const parsed = parseDsn(
    crlf(`Reporting-MTA: dns; cs.utk.edu

Original-Recipient: rfc822;arathib@vnet.ibm.com
Final-Recipient: rfc822;arathib@vnet.ibm.com
Action: failed
Status: 5.0.0 (permanent failure)
Diagnostic-Code: smtp; 550 'arathib@vnet.IBM.COM' is not a
 registered gateway user
Remote-MTA: dns; vnet.ibm.com

Original-Recipient: rfc822;wsnell@sdcc13.ucsd.edu
Final-Recipient: rfc822;wsnell@sdcc13.ucsd.edu
Action: delayed (warning)
Status: 4.0.0 (hpnjld@njit.edu)
Remote-MTA: dns; sdcc13.ucsd.edu
`),
  );
  assert.deepEqual(
    parsed?.recipients.map(({ action, status, remoteMta }) => [action, status, remoteMta]),
    [
      ['failed', '5.0.0', 'vnet.ibm.com'],
      ['delayed', '4.0.0', 'sdcc13.ucsd.edu'],
    ],
  );
  assert.match(parsed?.recipients[0]?.diagnostic?.text ?? '', /is not a registered gateway user$/);
});

test('what is no report is told from one', () => {
  assert.equal(parseDsn(Buffer.alloc(0)), undefined);
  assert.equal(parseDsn(crlf('just text\n\nmore text\n')), undefined);
  assert.equal(parseDsn(crlf('Reporting-MTA: dns; a\n')), undefined);
});

test('an attacker sends a report of a million groups', () => {
  const report = crlf(`Reporting-MTA: dns; a\n\n${'Action: failed\n\n'.repeat(100_000)}`);
  assert.ok(parseDsn(report)!.recipients.length <= 20_000);
});
