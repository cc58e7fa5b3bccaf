import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fixedServers, isTrusted, parseResolvConf, systemServers } from '../../../src/world/resolver/servers.ts';
import { manualClock } from '../../support/clock.ts';

const addresses = (list: readonly { address: string }[]): string[] => list.map(({ address }) => address);

test('resolv.conf gives its name servers in order; without any, this machine is asked', () => {
  const text =
    'search example.com\n# nameserver 192.0.2.9\nnameserver 192.0.2.1\nnameserver\t2001:db8::1 ; two\nnameserver junk\n';
  assert.deepEqual(parseResolvConf(text), ['192.0.2.1', '2001:db8::1']);
  assert.deepEqual(parseResolvConf(''), ['127.0.0.1']);
});

test('AD counts from this machine and from whom the operator trusts, not from a container gateway', () => {
  assert.equal(isTrusted('127.0.0.53', []), true);
  assert.equal(isTrusted('::1', []), true);
  assert.equal(isTrusted('127.0.0.11', []), false);
  assert.equal(isTrusted('192.0.2.1', []), false);
  assert.equal(isTrusted('192.0.2.1', ['192.0.2.1']), true);
  assert.equal(isTrusted('192.0.2.1', ['192.0.2.0/28']), true);
  assert.equal(isTrusted('192.0.2.17', ['192.0.2.0/28']), false);
});

test('a changed resolv.conf is in force within seconds, without restart', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-resolv-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'resolv.conf');
  const clock = manualClock();
  const servers = systemServers(path, [], clock);
  assert.deepEqual(addresses(servers.inOrder()), ['127.0.0.1']);
  writeFileSync(path, 'nameserver 192.0.2.1\n');
  await clock.advance(5000);
  assert.deepEqual(addresses(servers.inOrder()), ['192.0.2.1']);
});

test('a slow server is asked last, and tried again when minutes have passed', async () => {
  const clock = manualClock();
  const list = ['192.0.2.1', '192.0.2.2'].map((address) => ({ address, port: 53 }));
  const servers = fixedServers(list, [], clock);
  const [first, second] = servers.inOrder();
  first!.answered(900);
  second!.answered(5);
  assert.deepEqual(addresses(servers.inOrder()), ['192.0.2.2', '192.0.2.1']);
  await clock.advance(10 * 60_000);
  assert.deepEqual(addresses(servers.inOrder()), ['192.0.2.1', '192.0.2.2']);
});
