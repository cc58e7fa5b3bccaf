/** Who an author is, on a whole node: forged From fields of strangers, and what accounts may submit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSink } from '../../src/cli/demo/sink.ts';
import { startZone } from '../support/zone.ts';
import { letter, send } from './support/client.ts';
import { explained, PROXY, submit } from './support/clients.ts';
import { startNode } from './support/node.ts';

const PASSWORD = 'correct horse battery';
const ALICE = 'alice@example.com';

test('an attacker who passes SPF of his own writes a domain with p=reject into From in every odd way', async (t) => {
  const zone = await startZone(t, {
    'shop.test': { A: ['192.0.2.80'], TXT: ['v=spf1 ip4:198.51.100.7 -all'] },
    'bank.test': { A: ['192.0.2.81'], TXT: ['v=spf1 -all'] },
    '_dmarc.bank.test': { TXT: ['v=DMARC1; p=reject'] },
    'lists.test': { A: ['192.0.2.82'], TXT: ['v=spf1 ip4:198.51.100.7 -all'] },
    '_dmarc.lists.test': { TXT: ['v=DMARC1; p=reject'] },
  });
  const sink = await startSink();
  t.after(() => sink.close());
  const node = await startNode(t, {
    env: { POSTERN_TRUSTED_PROXIES: PROXY, POSTERN_DNS_SERVERS: `${zone.server.address}:${zone.server.port}` },
    setup: [
      ['domain', 'add', 'example.com', '--server', `${sink.host}:${sink.port}`],
      ['user', 'add', ALICE],
    ],
  });
  const sent = async (author: string, from: string) => {
    const content = letter().replace(/^From: .*$/m, `From: ${author}`);
    return submit(node, { client: '198.51.100.7', helo: 'mx.shop.test', from, content });
  };
  let count = 0;
  for (const author of [
    'Bank, <service@bank.test>',
    'boss@bank.test;',
    'boss@bank.test>',
    '"unclosed <boss@bank.test>',
    '<any@shop.test>admin@bank.test',
    'x@shop.test, boss@bank.test',
    `${'('.repeat(26)}${')'.repeat(26)} boss@bank.test`,
    '=?utf-8?q?boss=40bank.test?=',
    'boss\uff20bank.test',
    'boss@bank.test/x',
    'root (boss@bank.test)',
  ]) {
    const told = await sent(author, `x${count++}@shop.test`);
    assert.deepEqual(told, { recipients: ['250'], final: '550 5.7.1' }, author);
  }
  const listed = await sent('"boss@bank.test via Group" <group@lists.test>', 'bounce@lists.test');
  assert.deepEqual(listed, { recipients: ['250'], final: '250' });
  assert.match(await explained(node, 'bounce@lists.test'), /group@lists\.test/);
});

test('an attacker who took over an account submits as somebody else', async (t) => {
  const sink = await startSink();
  t.after(() => sink.close());
  const node = await startNode(t, {
    env: { POSTERN_LISTEN_SUBMISSION: '127.0.0.1:0', POSTERN_LISTEN_SUBMISSIONS: '127.0.0.1:0' },
    setup: [
      ['domain', 'add', 'example.com', '--server', `${sink.host}:${sink.port}`],
      ['user', 'add', 'boss@example.com'],
    ],
  });
  await node.cli(['user', 'add', ALICE, '--password-stdin'], `${PASSWORD}\n`);
  const submitted = async (header: string): Promise<string> => {
    const content = letter({ to: 'boss@example.com' }).replace(/^From: .*\r\n/, header.replaceAll('\n', '\r\n'));
    const signIn = { username: ALICE, password: PASSWORD };
    const { final } = await send(node.port('submissions'), { from: ALICE, to: ['boss@example.com'], content, signIn });
    return final.lines.join(' ');
  };
  for (const header of ['From:\n', 'From: g:;\n', ''])
    assert.match(await submitted(`${header}Sender: boss@example.com\n`), /^550 5\.6\.0 /, header);
  for (const fields of [
    'Sender: boss@example.com\n',
    'Resent-From: boss@example.com\n',
    'Resent-Sender: boss@example.com\n',
  ])
    assert.match(
      await submitted(`${fields}From: ${ALICE}\n`),
      /^550 5\.7\.1 the (Sender|Resent-From|Resent-Sender) /,
      fields,
    );
  for (const name of ['Alice, Example Inc.', 'Scanner: 2nd floor'])
    assert.match(await submitted(`From: ${name} <${ALICE}>\n`), /^250 /, name);

  await t.test('while a domain mail server sends what others wrote', async () => {
    const others = 'Sender: list@other.example\r\nResent-From: x@other.example\r\n';
    const { final } = await send(node.port('mx'), {
      from: ALICE,
      to: ['boss@example.com'],
      content: others + letter({ from: ALICE }),
      localAddress: sink.host,
    });
    assert.equal(final.code, 250, final.lines.join(' '));
  });
});
