import assert from 'node:assert/strict';
import test from 'node:test';
import { reverseName } from '../../../../src/screen/checks/reverse-lookup/reverse.ts';
import { type Sending, sendFrom } from '../origin/origin.ts';

const PTR = '7.100.51.198.in-addr.arpa';
const CONFIRMED = { [PTR]: { PTR: ['mail.remote.example'] }, 'mail.remote.example': { A: ['198.51.100.7'] } };

test('a name is confirmed only by the address that it has', async (t) => {
  const cases: readonly [string, Sending['records'], string][] = [
    ['confirmed', CONFIRMED, 'confirmed'],
    ['missing', {}, 'missing'],
    ['mismatch', { [PTR]: { PTR: ['bank.example'] }, 'bank.example': { A: ['192.0.2.99'] } }, 'mismatch'],
    ['second name', { ...CONFIRMED, [PTR]: { PTR: ['gone.example', 'mail.remote.example'] } }, 'confirmed'],
    ['SERVFAIL', { [PTR]: { fault: 'SERVFAIL' } }, 'cannot-tell'],
    [
      'SERVFAIL of the name',
      { [PTR]: { PTR: ['mail.remote.example'] }, 'mail.remote.example': { fault: 'SERVFAIL' } },
      'cannot-tell',
    ],
  ];
  for (const [what, records, result] of cases) {
    const { evidence, outcome } = await sendFrom(t, { ...(records && { records }) });
    assert.equal(evidence['reversePtr']?.['result'], result, what);
    assert.equal(outcome, 'accept', what);
  }
});

test('501 and close are for who asks for them, and never for our own trouble', async (t) => {
  const settings = {
    'reversePtr.closeIfMissing': true,
    'reversePtr.closeIfMismatch': true,
    'reverseHelo.closeIfForged': true,
  };
  const missing = await sendFrom(t, { settings });
  assert.equal(missing.outcome, '501 5.7.1');
  assert.ok(!missing.first?.accepted && missing.first?.reply.close);
  assert.equal((await sendFrom(t, { settings, records: { [PTR]: { fault: 'SERVFAIL' } } })).outcome, 'accept');
  const forged = { ...CONFIRMED, 'client.remote.example': { A: ['192.0.2.99'] } };
  assert.equal((await sendFrom(t, { settings, records: forged })).outcome, '501 5.7.1');
  assert.equal((await sendFrom(t, { settings, records: CONFIRMED, helo: '[198.51.100.7]' })).outcome, 'accept');
});

test('a MAIL domain that does not exist waits, one with a null MX is refused, a bare address is mail enough', async (t) => {
  const from = (records: Sending['records'], settings = {}) => sendFrom(t, { records: records ?? {}, settings });
  assert.equal((await sendFrom(t, { from: 'bob@nowhere.example' })).outcome, '451 4.1.8');
  assert.equal((await from({ 'remote.example': { MX: [[0, '.']] } })).outcome, '550 5.7.27');
  assert.equal((await from({ 'remote.example': { A: ['192.0.2.1'] } })).outcome, 'accept');
  assert.equal(
    (await from({ 'remote.example': { A: ['192.0.2.1'] } }, { 'reverseMail.refuseNoMx': true })).outcome,
    '501 5.7.1',
  );
  assert.equal((await from({ 'remote.example': { fault: 'SERVFAIL' } })).outcome, 'accept');
  assert.equal(
    (await from({ 'remote.example': { fault: 'SERVFAIL' } }, { 'authentication.dnsTrouble': 'defer' })).outcome,
    '451 4.4.3',
  );
  assert.equal((await sendFrom(t, { from: null })).outcome, 'accept');
});

test('this machine, mail servers of the domain and trusted relays are spared', async (t) => {
  const settings = { 'reversePtr.closeIfMissing': true };
  assert.equal((await sendFrom(t, { settings, client: '127.0.0.1', from: 'bob@nowhere.example' })).outcome, 'accept');
  const relay = { ...settings, 'authentication.trustedRelays': ['198.51.100.0/24'] };
  assert.equal((await sendFrom(t, { settings: relay })).outcome, 'accept');
  const own = await sendFrom(t, { settings, client: '10.0.0.25', from: 'alice@example.com' });
  assert.equal(own.outcome, 'accept');
  assert.equal(own.zone.queries.length, 0, 'nothing is asked of them');
});

test('the warning header marks what failed, if it is wanted', async (t) => {
  const raw = async (settings: Record<string, unknown>) =>
    (await sendFrom(t, { settings })).edits.flatMap((edit) => (edit.kind === 'prepend' ? [edit.raw] : []));
  assert.ok(!(await raw({})).some((field) => field.startsWith('X-Reverse')));
  assert.ok((await raw({ 'reverseLookup.warningHeader': true })).includes('X-Reverse-Lookup-Warning: ptr-missing\r\n'));
});

test('an address is written backwards in the tree of its family', () => {
  assert.equal(reverseName('192.0.2.5'), '5.2.0.192.in-addr.arpa');
  assert.equal(
    reverseName('2001:db8::567:89ab'),
    'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
  );
});
