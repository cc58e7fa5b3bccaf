/** IP shielding of a whole node: who sends from where, met by SMTP and explained by its log. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSink } from '../../src/cli/demo/sink.ts';
import { startZone } from '../support/zone.ts';
import { SmtpConversation } from './support/client.ts';
import { explained, type Mail, PROXY, submit } from './support/clients.ts';
import { logged, postern, startNode } from './support/node.ts';

const ALICE = 'alice@example.com';
const BOB = 'bob@remote.example';
/** One of each preset, and one that is in none. */
const PRESET = ['10.1.2.3', '127.9.9.9', '172.31.0.9', '192.168.7.7', '::1', 'fd00::25'];
const OUTSIDE = ['198.51.100.9', '172.32.0.1', '2001:db8::9'];

test('IP shielding of a whole node', async (t) => {
  const exists = { A: ['192.0.2.80'] };
  const zone = await startZone(t, {
    // Nobody may send as us, says our own record: what passes does so by the shield.
    'example.com': { ...exists, TXT: ['v=spf1 -all'] },
    'remote.example': exists,
    'paired.example': exists,
  });
  const world = await startSink();
  t.after(() => world.close());
  const node = await startNode(t, {
    env: { POSTERN_TRUSTED_PROXIES: PROXY, POSTERN_DNS_SERVERS: `${zone.server.address}:${zone.server.port}` },
    setup: [
      ['domain', 'add', 'example.com', '--server', '127.0.0.2:9'],
      ['user', 'add', ALICE],
      ['settings', 'set', 'delivery.smartHost', `${world.host}:${world.port}`],
      ['settings', 'set', 'relay.exceptLocalRecipients', 'true'],
      ['shield', 'add', 'example.com', '192.0.2.64/28'],
      ['shield', 'add', 'example.com', '203.0.113.1?'],
    ],
  });
  const told = (mail: Mail) => submit(node, mail);
  const TAKEN = { recipients: ['250'], final: '250' };
  const DENIED = { recipients: ['550 5.7.1'] };

  await t.test('a printer in a paired network sends out, and nothing beside it does', async () => {
    for (const client of ['192.0.2.70', '203.0.113.15'])
      assert.deepEqual(await told({ client, from: ALICE, to: [BOB] }), TAKEN, client);
    assert.match(await explained(node, ALICE), /shielded/);
    for (const client of ['192.0.2.80', '203.0.113.1', '203.0.113.25'])
      assert.deepEqual(await told({ client, from: ALICE, to: [BOB] }), DENIED, client);
    assert.match(await explained(node, ALICE), /ipShield: fail \(not-from-here\)/);
    const other = { client: '192.0.2.70', from: BOB, to: ['victim@other.example'] };
    assert.deepEqual(await told(other), DENIED, 'a pair is for its domain');
  });

  await t.test('the six presets waive SPF for our senders, and let none of them out', async () => {
    const shown = await node.cli(['shield', 'list']);
    assert.equal(shown.match(/\$LOCALDOMAIN\$/g)?.length, 6);
    for (const client of PRESET) {
      assert.deepEqual(await told({ client, from: ALICE }), TAKEN, client);
      assert.deepEqual(await told({ client, from: ALICE, to: [BOB] }), DENIED, `${client} relays`);
    }
    for (const client of OUTSIDE)
      assert.deepEqual(await told({ client, from: ALICE }), { recipients: ['550 5.7.23'] }, client);
  });

  await t.test('a stranger who writes a paired domain into From alone is refused at the end of data', async () => {
    await node.cli(['shield', 'add', 'paired.example', '192.0.2.0/24']);
    const forged = { client: '198.51.100.9', from: BOB, author: 'ceo@paired.example' };
    assert.deepEqual(await told(forged), TAKEN, 'mail to valid local users is excluded as it comes');
    await node.cli(['settings', 'set', 'ipShield.exceptLocalRecipients', 'false']);
    assert.deepEqual(await told(forged), { recipients: ['250'], final: '550 5.7.1' });
    assert.match(await explained(node, BOB), /ipShield: fail \(not-from-here\): paired\.example in From/);
    assert.deepEqual(await told({ ...forged, client: '192.0.2.9' }), TAKEN, 'from where the pair says');
    await node.cli(['settings', 'set', 'ipShield.checkFrom', 'false']);
    assert.deepEqual(await told(forged), TAKEN);
    await node.cli(['settings', 'set', 'ipShield.exceptLocalRecipients', 'true']);
  });

  await t.test('no domain has values of its own: the shield is the server’s', async () => {
    const set = ['settings', 'set', 'ipShield.enabled', 'false', '--domain', 'example.com'];
    assert.notEqual((await postern(set, node.env)).code, 0);
  });

  await t.test("the domain's own mail server is no device, and needs no pair", async () => {
    assert.deepEqual(await told({ client: '127.0.0.2', from: ALICE, to: [BOB] }), TAKEN);
  });

  await t.test(
    'the Internet behind a forwarder on this machine passes as this machine no longer than it takes to notice',
    async () => {
      assert.deepEqual(await told({ from: ALICE }), TAKEN, 'a program of this machine');
      for (let i = 0; i < 60; i++) {
        const client = await SmtpConversation.open(node.port('mx'));
        await client.reply();
        await client.say(`EHLO host${i}.example`);
        client.close();
      }
      assert.deepEqual(await told({ from: ALICE }), { recipients: ['550 5.7.23'] });
      await logged(node, /"event":"screen\.nat"[^\n]*"known":"counted"/);
      assert.match(
        (await postern(['check', 'node'], node.env)).stdout,
        /clients +clients of port \d+ hide behind 127\.0\.0\.1/,
      );
      assert.deepEqual(await told({ client: '10.1.2.3', from: ALICE }), TAKEN, 'whom a proxy names is no such client');
    },
  );
});
