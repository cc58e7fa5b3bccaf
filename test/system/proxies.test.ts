/** Who may speak for a client: PROXY and XCLIENT, from addresses that are trusted and from others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { letter, SmtpConversation } from './support/client.ts';
import { eventually, type RunningNode } from './support/node.ts';
import { organisation } from './support/organisation.ts';

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
