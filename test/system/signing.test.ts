import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Sink, startSink } from '../../src/cli/demo/sink.ts';
import { arcResult, type Lookup, verified } from '../deliver/signing/support/verify.ts';
import { startZone, type Zone } from '../support/zone.ts';
import { letter, send } from './support/client.ts';
import { eventually, type RunningNode, startNode } from './support/node.ts';

interface World {
  readonly node: RunningNode;
  readonly zone: Zone;
  /** Everybody else, behind the smart host. */
  readonly others: Sink;
  readonly lookup: Lookup;
}

/** example.com with its mail server on 127.0.0.2, an alias that leads away, and a DNS of our own. */
async function organisation(t: TestContext): Promise<World> {
  const zone = await startZone(t);
  const others = await startSink({ host: '127.0.0.4' });
  const server = await startSink();
  t.after(() => Promise.all([others.close(), server.close()]));
  const node = await startNode(t, {
    env: { POSTERN_DNS_SERVERS: `127.0.0.1:${zone.server.port}` },
    setup: [
      ['domain', 'add', 'example.com', '--server', `${server.host}:${server.port}`],
      ['user', 'add', 'alice@example.com'],
      ['alias', 'add', 'club@example.com', 'dave@other.example'],
      ['settings', 'set', 'delivery.smartHost', `${others.host}:${others.port}`],
    ],
  });
  const lookup: Lookup = async (name, type) => {
    const records = type === 'TXT' ? zone.records[name]?.TXT : undefined;
    if (records) return records.map((record) => [typeof record === 'string' ? record : record.join('')]);
    throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  };
  return { node, zone, others, lookup };
}

/** Does what an operator does: makes keys, publishes what is shown, and lets them sign. */
async function publishKeys({ node, zone }: World): Promise<void> {
  await node.cli(['dkim', 'rotate', '--domain', 'example.com']);
  const records = JSON.parse(await node.cli(['dkim', 'show', '--domain', 'example.com', '--json']));
  assert.equal(records.length, 2);
  for (const { name, strings } of records) zone.records[name] = { TXT: [strings] };
  const switched = await node.cli(['dkim', 'rotate', '--domain', 'example.com']);
  assert.equal(switched.match(/signs from now on/g)?.length, 2);
}

test("what the domain's own mail server sends arrives with two signatures that verify; a stranger's never does", async (t) => {
  const world = await organisation(t);
  const { node, others, lookup } = world;
  const outgoing = (subject: string) =>
    send(node.port('mx'), {
      from: 'alice@example.com',
      to: ['dave@other.example'],
      content: letter({ from: 'alice@example.com', subject }),
      localAddress: '127.0.0.2',
    });
  await outgoing('before there are keys');
  assert.deepEqual(await verified((await others.next(() => true)).content, lookup, Date.now()), []);

  await publishKeys(world);
  await outgoing('signed');
  const { content } = await others.next((message) => message.content.includes('Subject: signed'));
  const results = await verified(content, lookup, Date.now());
  assert.deepEqual(
    results.map((result) => result.replace(/ p\d+[re]:/, ':')),
    ['rsa-sha256 example.com: pass', 'ed25519-sha256 example.com: pass'],
  );

  await send(node.port('mx'), {
    from: 'eve@elsewhere.example',
    to: ['club@example.com'],
    content: letter({ from: 'alice@example.com', subject: 'forged' }),
  });
  const forged = await others
    .next((message) => message.content.includes('Subject: forged'))
    .then(({ content }) => content);
  assert.deepEqual(await verified(forged, lookup, Date.now()), []);
});

test('forwarded mail goes out sealed and under an address of ours, and its bounce finds the sender', async (t) => {
  const world = await organisation(t);
  const { node, others, lookup } = world;
  await publishKeys(world);
  await send(node.port('mx'), {
    from: 'bob@elsewhere.example',
    to: ['club@example.com'],
    content: letter({ from: 'bob@elsewhere.example', subject: 'to the club' }),
  });
  const { from, content } = await others.next((message) => message.content.includes('Subject: to the club'));
  assert.match(from, /^SRS0=.*=elsewhere\.example=bob@example\.com$/);
  assert.equal(await arcResult(content, lookup, Date.now()), 'pass');

  const bounce = { from: '', content: letter({ from: 'mailer-daemon@other.example', subject: 'not delivered' }) };
  await send(node.port('mx'), { ...bounce, to: [from] });
  assert.deepEqual((await others.next((message) => message.content.includes('not delivered'))).to, [
    'bob@elsewhere.example',
  ]);
  const forged = await send(node.port('mx'), { ...bounce, to: [from.replace('bob', 'victim')] });
  assert.match(forged.recipients[0]!.lines[0]!, /^550 5\.1\.1 .*did not make/);
});

test('a domain that a running node is given has its keys at once', async (t) => {
  const { node } = await organisation(t);
  await node.cli(['domain', 'add', 'example.net']);
  await eventually(async () => {
    const keys = JSON.parse(await node.cli(['dkim', 'show', '--domain', 'example.net', '--json']));
    return keys.length === 2 ? true : undefined;
  }, 'two keys');
});
