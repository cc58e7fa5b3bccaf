/** Who may speak for a client: PROXY and XCLIENT, from addresses that are trusted and from others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSink } from '../../src/cli/demo/sink.ts';
import { rsaKey, sign } from '../screen/checks/origin/keys.ts';
import { startZone } from '../support/zone.ts';
import { letter, SmtpConversation } from './support/client.ts';
import { eventually, nodeEnvironment, postern, type RunningNode, temporaryFolder } from './support/node.ts';
import { organisation, setupOf } from './support/organisation.ts';

const PROXY = '127.0.0.3';
const TRUSTING = { env: { POSTERN_TRUSTED_PROXIES: PROXY } };

/** Sends one message in a session that began already; the final reply's code. */
async function mail(client: SmtpConversation, subject: string): Promise<number> {
  const steps = ['EHLO client.example', 'MAIL FROM:<bob@elsewhere.example>', 'RCPT TO:<alice@example.com>', 'DATA'];
  for (const step of steps) {
    const reply = await client.say(step);
    if (reply.code >= 400) return reply.code;
  }
  return (await client.content(letter({ subject }))).code;
}

async function clientInLog(node: RunningNode, address: string): Promise<void> {
  await eventually(async () => {
    const rows = JSON.parse(await node.cli(['log', 'search', '--json', '--client', address])) as unknown[];
    return rows.length > 0 || undefined;
  }, `a message from ${address} in the log`);
}

test('the client that a trusted proxy names by PROXY v1 is the client in the log', async (t) => {
  const { node, sink } = await organisation(t, TRUSTING);
  const client = await SmtpConversation.open(node.port('mx'), '127.0.0.1', PROXY);
  t.after(() => client.close());
  client.write('PROXY TCP4 198.51.100.7 192.0.2.1 4711 25\r\n');
  assert.equal((await client.reply())?.code, 220);
  assert.equal(await mail(client, 'by proxy'), 250);
  await sink.next(({ content }) => content.includes('198.51.100.7'));
  await clientInLog(node, '198.51.100.7');
});

test('a PROXY header of anybody else is a command that does not exist, and names nobody', async (t) => {
  const { node } = await organisation(t, TRUSTING);
  const client = await SmtpConversation.open(node.port('mx'), '127.0.0.1', '127.0.0.9');
  t.after(() => client.close());
  assert.equal((await client.reply())?.code, 220);
  assert.equal((await client.say('PROXY TCP4 127.0.0.2 192.0.2.1 4711 25')).code, 500);
});

test('the client that a trusted proxy names by XCLIENT is the client, and a stranger to the relay', async (t) => {
  const { node, sink } = await organisation(t, TRUSTING);
  const client = await SmtpConversation.open(node.port('mx'), '127.0.0.1', PROXY);
  t.after(() => client.close());
  await client.reply();
  assert.match((await client.say('EHLO proxy.example')).lines.join('\n'), /XCLIENT .*ADDR/);
  assert.equal((await client.say('XCLIENT ADDR=198.51.100.8 NAME=client.example')).code, 220);
  assert.equal(await mail(client, 'by xclient'), 250);
  await sink.next(({ content }) => content.includes('198.51.100.8'));
  assert.equal((await client.say('MAIL FROM:<alice@example.com>')).code, 250);
  assert.match((await client.say('RCPT TO:<dave@other.example>')).lines[0]!, /^550 5\.7\.1 /);
});

test('XCLIENT of anybody else is not offered and not obeyed, also to become the mail server of a domain', async (t) => {
  const { node, sink } = await organisation(t, TRUSTING);
  const client = await SmtpConversation.open(node.port('mx'), '127.0.0.1', '127.0.0.9');
  t.after(() => client.close());
  await client.reply();
  assert.doesNotMatch((await client.say('EHLO attacker.example')).lines.join('\n'), /XCLIENT/);
  assert.ok((await client.say(`XCLIENT ADDR=${sink.host}`)).code >= 500);
  await client.say('EHLO attacker.example');
  await client.say('MAIL FROM:<alice@example.com>');
  assert.match((await client.say('RCPT TO:<dave@other.example>')).lines[0]!, /^550 5\.7\.1 /);
});

test('a stranger behind a trusted proxy that says PROXY may not say XCLIENT, to become the mail server of a domain', async (t) => {
  const { node, sink } = await organisation(t, { env: { ...TRUSTING.env, POSTERN_PROXY_MX: 'required' } });
  const client = await SmtpConversation.open(node.port('mx'), '127.0.0.1', PROXY);
  t.after(() => client.close());
  client.write('PROXY TCP4 203.0.113.66 192.0.2.1 4711 25\r\n');
  assert.equal((await client.reply())?.code, 220);
  assert.doesNotMatch((await client.say('EHLO attacker.example')).lines.join('\n'), /XCLIENT/);
  assert.match((await client.say(`XCLIENT ADDR=${sink.host}`)).lines[0]!, /^550 5\.7\.0 /);
  await client.say('MAIL FROM:<alice@example.com>');
  assert.match((await client.say('RCPT TO:<dave@other.example>')).lines[0]!, /^550 5\.7\.1 /);
});

test('where a PROXY header is demanded, a trusted proxy that sends none is put out', async (t) => {
  const { node } = await organisation(t, { env: { ...TRUSTING.env, POSTERN_PROXY_MX: 'required' } });
  const client = await SmtpConversation.open(node.port('mx'), '127.0.0.1', PROXY);
  t.after(() => client.close());
  const said = await client.say('EHLO client.example');
  assert.ok(said.code === 0 || said.code >= 400, `${said.code}`);
});

test('two nodes on one machine, the one the mail server of the other, hand on what they get', async (t) => {
  const { node: inner, sink } = await organisation(t);
  const { node: outer } = await organisation(t);
  await outer.cli(['server', 'list']);
  await outer.cli(['domain', 'remove', 'example.com']);
  await outer.cli(['domain', 'add', 'example.com', '--server', `127.0.0.1:${inner.port('mx')}`]);
  await outer.cli(['user', 'add', 'alice@example.com']);
  const client = await SmtpConversation.open(outer.port('mx'));
  t.after(() => client.close());
  await client.reply();
  assert.equal(await mail(client, 'through both'), 250);
  const arrived = await sink.next(({ content }) => content.includes('through both'));
  assert.equal(arrived.content.toString('latin1').match(/^Received: /gm)?.length, 2);
});

test('a listener on IPv6 loopback takes mail, and writes the address as the standard has it', async (t) => {
  const { node, sink } = await organisation(t, { env: { POSTERN_LISTEN_MX: '[::1]:0' } });
  const client = await SmtpConversation.open(node.port('mx'), '::1');
  t.after(() => client.close());
  assert.equal((await client.reply())?.code, 220);
  assert.equal(await mail(client, 'over IPv6'), 250);
  // RFC 5321 4.1.3.
  await sink.next(({ content }) => content.includes('[IPv6:::1]') && content.includes('over IPv6'));
});

/** The proxy has the address of example.com's own mail server, which may relay. */
const OVERLAP = { env: { POSTERN_TRUSTED_PROXIES: '127.0.0.2', POSTERN_PROXY_MX: 'optional' } };
const V2_MARK = '\r\n\r\n\0\r\nQUIT\n';
const NAMELESS: readonly { readonly move: string; readonly header?: string; readonly xclient?: readonly string[] }[] = [
  { move: 'PROXY UNKNOWN', header: 'PROXY UNKNOWN\r\n' },
  { move: 'PROXY UNKNOWN with addresses', header: 'PROXY UNKNOWN 127.0.0.2 127.0.0.2 25 25\r\n' },
  { move: 'PROXY version 2 of no family', header: `${V2_MARK}\x21\x00\x00\x00` },
  { move: 'PROXY version 2 LOCAL', header: `${V2_MARK}\x20\x00\x00\x00` },
  {
    move: 'PROXY version 2 LOCAL with addresses',
    header: `${V2_MARK}\x20\x11\x00\x0c\x7f\0\0\x02\x7f\0\0\x02\0\x19\0\x19`,
  },
  { move: 'XCLIENT ADDR=[UNAVAILABLE]', xclient: ['XCLIENT ADDR=[UNAVAILABLE]'] },
  { move: 'XCLIENT ADDR=[TEMPUNAVAIL]', xclient: ['XCLIENT NAME=[UNAVAILABLE] ADDR=[TEMPUNAVAIL]'] },
  { move: 'XCLIENT without an address', xclient: ['XCLIENT NAME=mx.example.com HELO=mx.example.com'] },
  { move: 'XCLIENT with a port alone', xclient: ['XCLIENT PORT=25', 'XCLIENT PROTO=ESMTP'] },
];

test('a stranger whom a proxy does not know is not the mail server that the proxy is', async (t) => {
  const { node, sink } = await organisation(t, OVERLAP);
  assert.equal(sink.host, '127.0.0.2');
  const open = async (): Promise<SmtpConversation> => {
    const client = await SmtpConversation.open(node.port('mx'), '127.0.0.1', '127.0.0.2');
    t.after(() => client.close());
    return client;
  };
  for (const { move, header, xclient = [] } of NAMELESS) {
    await t.test(move, async () => {
      const client = await open();
      if (header !== undefined) client.write(Buffer.from(header, 'latin1'));
      assert.equal((await client.reply())?.code, 220);
      await client.say('EHLO proxy.example');
      for (const line of xclient) assert.equal((await client.say(line)).code, 220);
      await client.say('EHLO attacker.example');
      for (const from of ['<alice@example.com>', '<>']) {
        assert.equal((await client.say(`MAIL FROM:${from}`)).code, 250);
        assert.match((await client.say('RCPT TO:<dave@other.example>')).lines[0]!, /^550 5\.7\.1 /);
        await client.say('RSET');
      }
      if (header !== undefined) assert.match((await client.say('XCLIENT ADDR=127.0.0.2')).lines[0]!, /^550 5\.7\.0 /);
      assert.equal(await mail(client, `nameless by ${move}`), 250);
      const { content } = await sink.next((message) => message.content.includes(`nameless by ${move}`));
      assert.match(content.toString('latin1'), /^Received: from \S+ \(unknown\)\r\n/m);
    });
  }
  await t.test('PROXY comes late, when the proxy was greeted as itself', async () => {
    const client = await open();
    assert.equal((await client.reply())?.code, 220);
    client.write('PROXY TCP4 203.0.113.66 192.0.2.1 4711 25\r\nMAIL FROM:<alice@example.com>\r\n');
    assert.equal((await client.reply())?.code, 421);
    assert.equal(await client.reply(), undefined);
  });
  await t.test(
    'once the proxy said that it does not know its client, XCLIENT names it as the mail server',
    async () => {
      const client = await open();
      await client.reply();
      await client.say('EHLO proxy.example');
      assert.equal((await client.say('XCLIENT ADDR=[UNAVAILABLE]')).code, 220);
      assert.match((await client.say(`XCLIENT ADDR=${sink.host}`)).lines[0]!, /^550 5\.7\.0 /);
    },
  );
});

test('clients that a proxy does not know share the places of one network, and leave those of its health check', async (t) => {
  const { node } = await organisation(t, { env: { POSTERN_TRUSTED_PROXIES: PROXY, POSTERN_PROXY_MX: 'required' } });
  await node.cli(['settings', 'set', 'smtp.maxConnectionsPerNetwork', '2']);
  const open = async (header: string): Promise<number> => {
    const client = await SmtpConversation.open(node.port('mx'), '127.0.0.1', PROXY);
    t.after(() => client.close());
    client.write(Buffer.from(header, 'latin1'));
    return (await client.reply())?.code ?? 0;
  };
  assert.equal(await open('PROXY UNKNOWN\r\n'), 220);
  assert.equal(await open('PROXY UNKNOWN\r\n'), 220);
  assert.equal(await open('PROXY UNKNOWN\r\n'), 421);
  assert.equal(await open(`${V2_MARK}\x20\x00\x00\x00`), 220);
  assert.equal(await open('PROXY TCP4 198.51.100.7 192.0.2.1 4711 25\r\n'), 220);
});

test('mail in the name of a domain that protects it, by a proxy that does not know who sends it, waits unless signed', async (t) => {
  const key = rsaKey('bank.example', 'one');
  const zone = await startZone(t, {
    'bank.example': { TXT: ['v=spf1 ip4:127.0.0.2 -all'], MX: [[10, 'mx.bank.example']] },
    [key.name]: { TXT: [key.record.match(/.{1,200}/g) ?? []] },
    '_dmarc.bank.example': { TXT: ['v=DMARC1; p=reject'] },
    'plain.example': { TXT: ['v=spf1 -all'], MX: [[10, 'mx.bank.example']] },
  });
  const { node, sink } = await organisation(t, {
    env: { ...OVERLAP.env, POSTERN_DNS_SERVERS: `${zone.server.address}:${zone.server.port}` },
  });
  await node.cli(['settings', 'set', 'authentication.trustedRelays', '127.0.0.2']);
  await node.cli(['list', 'add', 'allow', '127.0.0.2']);
  const from = async (domain: string, signed: boolean, subject: string): Promise<string> => {
    const client = await SmtpConversation.open(node.port('mx'), '127.0.0.1', '127.0.0.2');
    t.after(() => client.close());
    client.write('PROXY UNKNOWN\r\n');
    await client.reply();
    for (const line of ['EHLO mx.example', `MAIL FROM:<boss@${domain}>`, 'RCPT TO:<alice@example.com>', 'DATA']) {
      const said = await client.say(line);
      if (said.code >= 400) return said.lines[0]!;
    }
    const text = `From: <boss@${domain}>\r\nTo: alice@example.com\r\nSubject: ${subject}\r\nDate: Sun, 4 Jan 2026 00:00:00 +0000\r\nMessage-ID: <1@${domain}>\r\n\r\nHello.\r\n`;
    return (await client.content(signed ? await sign(text, key) : text)).lines[0]!;
  };
  assert.match(await from('bank.example', false, 'forged'), /^451 4\.7\.1 /);
  assert.match(await from('bank.example', true, 'signed'), /^250 /);
  // No policy protects it, and its SPF can neither fail nor pass.
  assert.match(await from('plain.example', false, 'plain'), /^250 /);
  for (const subject of ['signed', 'plain']) {
    const { content } = await sink.next((message) => message.content.includes(`Subject: ${subject}`));
    const header = content.toString('latin1').replaceAll('\r\n\t', ' ');
    assert.match(header, /spf=temperror/);
    assert.doesNotMatch(header, /client-ip=|policy\.iprev=/);
  }
});

test('a trusted proxy that is trusted as a sender as well is a finding of the check', async (t) => {
  const sink = await startSink();
  t.after(() => sink.close());
  const env = nodeEnvironment(temporaryFolder(t), {
    POSTERN_TRUSTED_PROXIES: '127.0.0.0/30',
    POSTERN_DNS_SERVERS: '127.0.0.1:9',
  });
  const acts = [
    ...setupOf(sink),
    ['settings', 'set', 'authentication.trustedRelays', '127.0.0.1'],
    ['list', 'add', 'allow', '127.0.0.0/24'],
    ['shield', 'add', 'example.com', '127.0.0.3'],
  ];
  for (const act of acts) {
    const { code, stderr } = await postern(act, env);
    assert.equal(code, 0, stderr);
  }
  const { stdout } = await postern(['check', 'node', '--json'], env);
  const { node } = JSON.parse(stdout) as { node: { results: readonly { code: string; seen: string }[] } };
  const seen = node.results.filter(({ code }) => code === 'trusted-as-sender').map((result) => result.seen);
  assert.deepEqual(seen, [
    `127.0.0.0/30 is in trustedProxies, and is domain mail server ${sink.host}`,
    '127.0.0.0/30 is in trustedProxies, and is authentication.trustedRelays: 127.0.0.1',
    '127.0.0.0/30 is in trustedProxies, and is IP shielding: example.com from 127.0.0.3',
    '127.0.0.0/30 is in trustedProxies, and is the allow list: 127.0.0.0/24',
  ]);
});
