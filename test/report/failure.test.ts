import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAILED, startReports } from './support.ts';

const ON = { 'report.failure': true, 'report.failuresPerDay': 3 };
const wants = (fo = '0') => ({ record: { ...FAILED.record!, fo, ruf: ['mailto:ruf@sender.example'] } });

test('failures are told only where that is on', async (t) => {
  const { reports, refused, letters } = await startReports(t);
  refused(wants());
  await reports.close();
  assert.equal((await letters()).length, 0);
});

test('a failure is told from the null reverse-path, with a private address of ours masked', async (t) => {
  const { reports, refused, letters } = await startReports(t, { settings: ON });
  refused({ ...wants(), sourceIp: '10.1.2.3' });
  await reports.close();
  const [letter] = await letters();
  assert.equal(letter!.sender, '');
  const text = Buffer.from(letter!.content).toString();
  assert.match(text, /^Source-IP: X\.X\.X\.X\r$/m);
  assert.match(text, /^Delivery-Result: reject\r$/m);
  assert.doesNotMatch(text, /10\.1\.2\.3|alice@/);
});

test('an attacker who forges a domain floods its owner no further than the bound of a day', async (t) => {
  const { reports, refused, letters } = await startReports(t, { settings: ON });
  for (let i = 0; i < 50; i++) refused(wants());
  await reports.close();
  assert.equal((await letters()).length, 3);
});

test('nothing is told on bounces and on reports, so that no two nodes answer each other for ever', async (t) => {
  const { reports, refused, letters } = await startReports(t, { settings: ON });
  refused(wants(), { from: '' });
  refused(wants(), { recipients: [{ address: 'x@reports.postern.internal', disposition: 'accept' }] });
  await reports.close();
  assert.equal((await letters()).length, 0);
});

test('fo= is obeyed: what passes is told only to those who want every misaligned identifier', async (t) => {
  const { reports, refused, letters } = await startReports(t, { settings: { ...ON, 'report.failuresPerDay': 10 } });
  const passes = { result: 'pass', dkimAligned: true, spfAligned: false } as const;
  refused({ ...wants('0'), ...passes });
  refused({ ...wants('d'), ...passes });
  refused({ ...wants('1:d'), ...passes });
  await reports.close();
  assert.equal((await letters()).length, 1);
});
