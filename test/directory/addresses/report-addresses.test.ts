import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REPORT_SINK, reportAddressSettings, reportTarget } from '../../../src/directory/addresses/report-addresses.ts';
import { makeAddress } from '../../../src/protocol/smtp/address.ts';
import type { SettingsSnapshot } from '../../../src/settings/contract.ts';

const snapshot = (names: readonly string[]): SettingsSnapshot => ({ version: 1, get: () => names as never });

test('an address for reports leads to the reader under its own domain, whatever its case; others do not', () => {
  const settings = snapshot(['dmarc-reports']);
  assert.deepEqual(
    reportTarget(makeAddress('DMARC-Reports', 'example.com'), settings),
    makeAddress('example.com', REPORT_SINK),
  );
  assert.equal(reportTarget(makeAddress('alice', 'example.com'), settings), undefined);
  assert.equal(reportTarget(makeAddress('dmarc-reports', 'example.com'), snapshot([])), undefined);
});

test('a whole address, or what is no local part, is refused as a setting', () => {
  const { check } = reportAddressSettings.addresses;
  assert.equal(check!(['dmarc-reports', 'tls.reports']), undefined);
  for (const wrong of ['a@example.com', '', 'a b', '.a', 'x'.repeat(65)]) assert.match(check!([wrong])!, /must be/);
});
