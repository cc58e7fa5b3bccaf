import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { createHostResolver, parseHosts } from '../../src/world/hosts-file.ts';
import { createResolver } from '../../src/world/resolver/stub.ts';
import { manualClock } from '../support/clock.ts';
import { recordedEvents } from '../support/events.ts';
import { seededRandom } from '../support/random.ts';
import { startZone } from '../support/zone.ts';

async function setUp(t: TestContext, hosts: string) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-hosts-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const hostsFile = join(folder, 'hosts');
  writeFileSync(hostsFile, hosts);
  const zone = await startZone(t, {
    'mail.example.com': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'], ttl: 90 },
    'broken.example.com': { fault: 'SERVFAIL' },
  });
  const clock = manualClock();
  const resolver = createResolver(
    { clock, random: seededRandom(), events: recordedEvents() },
    { servers: [zone.server] },
  );
  return { resolveHost: createHostResolver({ resolver, clock, hostsFile }), clock, hostsFile };
}

test('a hosts file line gives its address to each of its names', () => {
  const hosts = parseHosts(
    '127.0.0.1 localhost\n# 192.0.2.9 off\n192.0.2.1 a.test A-Alias # note\nFE80:0::1 a.test\njunk b.test\n',
  );
  assert.deepEqual(hosts.get('a.test'), ['192.0.2.1', 'fe80::1']);
  assert.deepEqual(hosts.get('a-alias'), ['192.0.2.1']);
  assert.equal(hosts.get('b.test'), undefined);
});

test("an operator's name honours the hosts file; a stranger's goes to the DNS", async (t) => {
  const { resolveHost } = await setUp(t, '10.0.0.5 mail.example.com\n');
  const operators = await resolveHost('Mail.example.com', { hostsFile: true });
  assert.deepEqual(operators.kind === 'found' && operators.addresses, ['10.0.0.5']);
  assert.deepEqual(await resolveHost('mail.example.com', { hostsFile: false }), {
    kind: 'found',
    addresses: ['192.0.2.1', '2001:db8::1'],
    ttlSeconds: 90,
    complete: true,
  });
});

test('a hosts file that changes is in force within seconds', async (t) => {
  const { resolveHost, clock, hostsFile } = await setUp(t, '');
  assert.equal((await resolveHost('inner.test', { hostsFile: true })).kind, 'none');
  writeFileSync(hostsFile, '10.0.0.7 inner.test\n');
  await clock.advance(5000);
  assert.equal((await resolveHost('inner.test', { hostsFile: true })).kind, 'found');
});

test('an address is itself, and a name server that fails is cannot tell', async (t) => {
  const { resolveHost } = await setUp(t, '');
  const address = await resolveHost('2001:DB8:0::7', { hostsFile: false });
  assert.deepEqual(address.kind === 'found' && address.addresses, ['2001:db8::7']);
  assert.deepEqual(await resolveHost('broken.example.com', { hostsFile: true }), {
    kind: 'unknown',
    reason: 'servfail',
  });
});
