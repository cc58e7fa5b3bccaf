/** Where mail goes: local servers, smart host, mail exchangers, and what is never asked or tried. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { startPeer } from '../support/peer.ts';
import { claimOf, deliveryHarness } from './support/harness.ts';

const REMOTE = { destination: 'remote.example', to: ['carol@remote.example'] };

/** Two loopback hosts that listen on one port, as mail exchangers do on 25. */
async function exchangers(t: test.TestContext, ...hosts: string[]) {
  const first = await startPeer(t, { host: hosts[0] });
  const others = await Promise.all(hosts.slice(1).map((host) => startPeer(t, { host, port: first.port })));
  return [first, ...others];
}

test('mail exchangers are tried in order of preference, and the next only when the first cannot be reached', async (t) => {
  const [primary, backup] = await exchangers(t, '127.0.0.11', '127.0.0.12');
  const { deliver, asked } = deliveryHarness(t, {
    exchangerPort: primary!.port,
    dns: {
      'remote.example MX': [
        { preference: 20, exchange: 'backup.remote.example' },
        { preference: 10, exchange: 'primary.remote.example' },
        { preference: 5, exchange: 'dead.remote.example' },
      ],
      'primary.remote.example A': ['127.0.0.11'],
      'backup.remote.example A': ['127.0.0.12'],
      'dead.remote.example A': ['127.0.0.13'],
    },
  });
  const [result] = await deliver(claimOf(REMOTE));
  assert.equal(result!.detail.host, 'primary.remote.example');
  assert.equal(result!.detail.address, '127.0.0.11');
  assert.deepEqual([primary!.messages.length, backup!.messages.length], [1, 0]);
  assert.ok(!asked.includes('remote.example A'));
});

test('equal preferences share the mail', async (t) => {
  const peers = await exchangers(t, '127.0.0.11', '127.0.0.12');
  const reached = new Set<string>();
  for (let seed = 1; seed <= 8; seed++) {
    const { deliver } = deliveryHarness(t, {
      seed,
      exchangerPort: peers[0]!.port,
      dns: {
        'remote.example MX': [
          { preference: 10, exchange: 'a.remote.example' },
          { preference: 10, exchange: 'b.remote.example' },
        ],
        'a.remote.example A': ['127.0.0.11'],
        'b.remote.example A': ['127.0.0.12'],
      },
    });
    const [result] = await deliver(claimOf(REMOTE));
    reached.add(result!.detail.host!);
  }
  assert.deepEqual([...reached].sort(), ['a.remote.example', 'b.remote.example']);
});

test('without MX the address of the domain is used, IPv6 where this machine has it', async (t) => {
  const peer = await startPeer(t, { host: '::1' });
  const { deliver } = deliveryHarness(t, {
    exchangerPort: peer.port,
    localAddresses: ['192.0.2.1', '2001:db8::1'],
    dns: { 'remote.example MX': 'none', 'remote.example AAAA': ['::1'] },
  });
  const [result] = await deliver(claimOf(REMOTE));
  assert.equal(result!.kind, 'relayed');
  assert.equal(result!.detail.address, '::1');
});

test('an address of the other family is tried when the first is dead', async (t) => {
  const peer = await startPeer(t, { host: '127.0.0.11' });
  const { deliver, events } = deliveryHarness(t, {
    exchangerPort: peer.port,
    localAddresses: ['192.0.2.1', 'fe80::1'],
    dns: { 'remote.example MX': 'none', 'remote.example A': ['127.0.0.11'], 'remote.example AAAA': ['::1'] },
    settings: { 'delivery.addressFamily': 'both' },
  });
  assert.equal((await deliver(claimOf(REMOTE)))[0]!.detail.address, '127.0.0.11');
  assert.equal(events.count('delivery.connection.failed'), 0);
});

interface NoWay {
  readonly claim: string;
  readonly dns: Record<string, readonly unknown[] | 'unknown' | 'none'>;
  readonly kind: 'failed' | 'deferred';
  readonly status: string;
  readonly settings?: Record<string, unknown>;
}

const NO_WAY: readonly NoWay[] = [
  {
    claim: 'a null MX is a refusal of all mail',
    dns: { 'remote.example MX': [{ preference: 0, exchange: '' }], 'remote.example A': ['127.0.0.11'] },
    kind: 'failed',
    status: '5.1.10',
  },
  { claim: 'a domain that does not exist fails', dns: {}, kind: 'failed', status: '5.1.2' },
  {
    claim: 'a domain without any address fails',
    dns: { 'remote.example MX': 'none' },
    kind: 'failed',
    status: '5.4.4',
  },
  {
    claim: 'MX without an answer from DNS waits',
    dns: { 'remote.example MX': 'unknown', 'remote.example A': ['127.0.0.11'] },
    kind: 'deferred',
    status: '4.4.3',
  },
  {
    claim: 'an exchanger whose address cannot be found out waits',
    dns: {
      'remote.example MX': [{ preference: 1, exchange: 'mx.remote.example' }],
      'mx.remote.example A': 'unknown',
    },
    kind: 'deferred',
    status: '4.4.3',
  },
  {
    claim: 'exchangers without address fail',
    dns: { 'remote.example MX': [{ preference: 1, exchange: 'mx.remote.example' }] },
    kind: 'failed',
    status: '5.4.4',
  },
  {
    claim: "an exchanger at this machine's address loops",
    dns: {
      'remote.example MX': [{ preference: 1, exchange: 'mx.remote.example' }],
      'mx.remote.example A': ['192.0.2.1'],
    },
    kind: 'failed',
    status: '5.4.6',
  },
  {
    claim: "an exchanger at this machine's public address loops",
    dns: {
      'remote.example MX': [
        { preference: 1, exchange: 'mx.remote.example' },
        { preference: 1, exchange: 'equal.remote.example' },
        { preference: 9, exchange: 'behind-us.remote.example' },
      ],
      'mx.remote.example AAAA': ['2001:db8:0:0::25'],
      'equal.remote.example A': ['127.0.0.11'],
      'behind-us.remote.example A': ['127.0.0.11'],
    },
    settings: { 'smtp.publicAddresses': ['2001:db8::25'] },
    kind: 'failed',
    status: '5.4.6',
  },
  {
    claim: "an exchanger of this node's name loops",
    dns: {
      'remote.example MX': [{ preference: 1, exchange: 'MX.Postern.example' }],
      'mx.postern.example A': ['127.0.0.11'],
    },
    kind: 'failed',
    status: '5.4.6',
  },
];

for (const { claim, dns, kind, status, settings } of NO_WAY) {
  test(claim, async (t) => {
    const { deliver } = deliveryHarness(t, { dns, settings, exchangerPort: 1 });
    const [result] = await deliver(claimOf(REMOTE));
    assert.equal(result!.kind, kind);
    assert.equal(result!.detail.status, status);
    assert.equal(result!.detail.remote, false);
  });
}

test('what is preferred to this node is tried, what comes after it is not', async (t) => {
  const peer = await startPeer(t, { host: '127.0.0.11', answer: () => '450 4.0.0 not now' });
  const behind = await startPeer(t, { host: '127.0.0.12', port: peer.port });
  const { deliver } = deliveryHarness(t, {
    exchangerPort: peer.port,
    dns: {
      'remote.example MX': [
        { preference: 1, exchange: 'before.remote.example' },
        { preference: 5, exchange: 'us.remote.example' },
        { preference: 9, exchange: 'behind.remote.example' },
      ],
      'before.remote.example A': ['127.0.0.11'],
      'us.remote.example A': ['192.0.2.1'],
      'behind.remote.example A': ['127.0.0.12'],
    },
  });
  const [result] = await deliver(claimOf(REMOTE));
  assert.equal(result!.detail.host, 'before.remote.example');
  assert.equal(behind.sessions(), 0);
});

test('remote mail goes to the smart host when one is set, and DNS is not asked about the domain', async (t) => {
  const peer = await startPeer(t);
  const { deliver, asked } = deliveryHarness(t, {
    settings: { 'delivery.smartHost': `smart.example:${peer.port}` },
    hostsFile: { 'smart.example': ['127.0.0.1'] },
  });
  const [result] = await deliver(claimOf(REMOTE));
  assert.equal(result!.kind, 'relayed');
  assert.equal(result!.detail.host, 'smart.example');
  assert.deepEqual(asked, []);
});

test("a local domain's mail never goes to the smart host nor to MX, even when its own servers are dead", async (t) => {
  const smart = await startPeer(t);
  const { deliver, asked } = deliveryHarness(t, {
    settings: { 'delivery.smartHost': `127.0.0.1:${smart.port}` },
    dns: { 'example.com MX': [{ preference: 1, exchange: 'smart.example' }] },
    servers: { 'example.com': [{ host: '127.0.0.99', port: 1 }] },
  });
  const [result] = await deliver(claimOf());
  assert.equal(result!.kind, 'deferred');
  assert.equal(result!.detail.status, '4.4.1');
  assert.equal(smart.sessions(), 0);
  assert.deepEqual(asked, []);
});

test("a domain's servers are tried in the operator's order", async (t) => {
  const second = await startPeer(t);
  const third = await startPeer(t);
  const { deliver } = deliveryHarness(t, {
    servers: {
      'example.com': [
        { port: third.port, order: 3 },
        { port: 1, order: 1 },
        { port: second.port, order: 2 },
      ],
    },
  });
  assert.equal((await deliver(claimOf()))[0]!.detail.port, second.port);
  assert.equal(third.sessions(), 0);
});

test("names that operators enter honour the hosts file, a stranger's exchanger never does", async (t) => {
  const peer = await startPeer(t);
  const { deliver } = deliveryHarness(t, {
    exchangerPort: peer.port,
    hostsFile: { 'inside.example': ['127.0.0.1'] },
    servers: { 'example.com': [{ host: 'inside.example', port: peer.port }] },
    dns: { 'remote.example MX': [{ preference: 1, exchange: 'inside.example' }] },
  });
  assert.equal((await deliver(claimOf()))[0]!.kind, 'relayed');
  assert.equal((await deliver(claimOf(REMOTE)))[0]!.detail.status, '5.4.4');
});

test('a local mail server on this machine is not taken for this node, unless it is at our own port', async (t) => {
  const peer = await startPeer(t);
  const servers = { 'example.com': [{ port: peer.port }] };
  const beside = deliveryHarness(t, { servers, localAddresses: ['127.0.0.1'], listeningPorts: [2525] });
  assert.equal((await beside.deliver(claimOf()))[0]!.kind, 'relayed');
  const ourselves = deliveryHarness(t, { servers, localAddresses: ['127.0.0.1'], listeningPorts: [peer.port] });
  const [result] = await ourselves.deliver(claimOf());
  assert.equal(result!.kind, 'deferred');
  assert.equal(result!.detail.status, '4.4.6');
});

test('mail to an address literal goes to that address, and not when it is ours', async (t) => {
  const peer = await startPeer(t);
  const { deliver, asked } = deliveryHarness(t, { exchangerPort: peer.port });
  const there = await deliver(claimOf({ destination: '[127.0.0.1]', to: ['carol@[127.0.0.1]'] }));
  assert.equal(there[0]!.kind, 'relayed');
  const here = await deliver(claimOf({ destination: '[192.0.2.1]', to: ['carol@[192.0.2.1]'] }));
  assert.equal(here[0]!.detail.status, '5.4.6');
  assert.deepEqual(asked, []);
});

test('a local domain without servers goes to the mailboxes; where there are none yet, it waits', async (t) => {
  const without = deliveryHarness(t, { servers: { 'example.com': [] } });
  const [waits] = await without.deliver(claimOf());
  assert.equal(waits!.kind, 'deferred');
  assert.match(waits!.detail.reply, /neither a mail server nor mailboxes/);

  const detail = { at: 0, status: '2.1.5', reply: 'stored', remote: false };
  const local = {
    deliver: async ({ recipients }: ReturnType<typeof claimOf>) =>
      recipients.map(({ row }) => ({ row, kind: 'delivered' as const, dsn: false, detail })),
  };
  const { deliver } = deliveryHarness(t, { servers: { 'example.com': [] }, local });
  assert.equal((await deliver(claimOf()))[0]!.kind, 'delivered');
});

test('many claims of one destination ask DNS once', async (t) => {
  const peer = await startPeer(t);
  const { deliver, asked } = deliveryHarness(t, {
    exchangerPort: peer.port,
    dns: {
      'remote.example MX': [{ preference: 1, exchange: 'mx.remote.example' }],
      'mx.remote.example A': ['127.0.0.1'],
    },
  });
  await Promise.all(Array.from({ length: 5 }, () => deliver(claimOf(REMOTE))));
  assert.equal(asked.filter((question) => question === 'remote.example MX').length, 1);
});
