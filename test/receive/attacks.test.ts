/** Attacks on what the SMTP server takes for whose words, titled by the attacker's move: smuggling, injection, false proxies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialogue, openClient } from '../support/dialogue.ts';
import { BEGIN, held, IN_DATA } from '../support/receive/held.ts';
import { startReceiver } from '../support/receive/services.ts';

const SMUGGLED =
  'MAIL FROM:<admin@example.com>\\r\\nRCPT TO:<bob@example.com>\\r\\nDATA\\r\\nSubject: smuggled\\r\\n\\r\\nx';
const FALSE_ENDS = [
  '\\n.\\n',
  '\\n.\\r\\n',
  '\\r\\n.\\n',
  '\\r.\\r',
  '\\r.\\r\\n',
  '\\r\\n.\\r',
  '\\n.\\r',
  '\\r.\\n',
  '\\r\\n\\0.\\r\\n',
  '\\r\\n.\\0\\r\\n',
  '\\r\\r\\n.\\r\\r\\n',
];

for (const end of FALSE_ENDS) {
  test(`a second message smuggled behind ${end} stays content, and is refused for its newlines`, async (t) => {
    const node = await startReceiver(t);
    const client = await dialogue(node, `${IN_DATA}\n C~ Subject: first\\r\\n\\r\\nx${end}${SMUGGLED}\\r\\n.\\r\\n`);
    await dialogue(client, 'S: 554 5.6.0');
    await dialogue(client, 'C: QUIT\n S: 221\n -- END');
    client.close();
    assert.equal(node.committed.length, 0);
    assert.equal(node.messages.length, 1);
    assert.equal(node.messages[0]!.detail.subject, 'first');
  });
}

for (const end of FALSE_ENDS.filter((end) => end.includes('\\0')))
  test(`a second message smuggled behind ${end} where NUL is accepted is content of the first`, async (t) => {
    const node = await startReceiver(t, { settings: { 'smtp.nulCharacters': 'accept' } });
    await held(
      node,
      `${IN_DATA}\n C~ Subject: first\\r\\n\\r\\nx${end}${SMUGGLED}\\r\\n.\\r\\n\n S: 250 2.0.0\n C: QUIT\n S: 221\n -- END`,
    );
    assert.equal(node.committed.length, 1);
    assert.equal(node.events.last('receive.nul')?.action, 'accept');
  });

const AS_BINARY = `${BEGIN}
    C: MAIL FROM:<> BODY=BINARYMIME\\r\\nRCPT TO:<alice@example.com>
    S: 250
    S: 250`;
const IN_CHUNKS = `${BEGIN}
    C: MAIL FROM:<>\\r\\nRCPT TO:<alice@example.com>
    S: 250
    S: 250`;
const FORBIDDEN: readonly (readonly [string, string])[] = [
  ['a NUL that cuts the author short, by DATA', `${IN_DATA}\n C~ From: bank\\0.test\\r\\n\\r\\nx\\r\\n.\\r\\n`],
  ['a NUL in the body, by DATA', `${IN_DATA}\n C~ a: b\\r\\n\\r\\nx\\0y\\r\\n.\\r\\n`],
  ['a NUL by BDAT', `${IN_CHUNKS}\n C~ BDAT 10 LAST\\r\\na: b\\r\\n\\r\\nx\\0`],
  ['a NUL in a BINARYMIME header', `${AS_BINARY}\n C~ BDAT 10 LAST\\r\\na: b\\0\\r\\n\\r\\nx`],
  ['a bare CR in a BINARYMIME header', `${AS_BINARY}\n C~ BDAT 14 LAST\\r\\na: b\\rc: d\\r\\n\\r\\nx`],
  ['a bare LF in a BINARYMIME header', `${AS_BINARY}\n C~ BDAT 14 LAST\\r\\na: b\\nc: d\\r\\n\\r\\nx`],
  ['a BINARYMIME header that ends by bare LF', `${AS_BINARY}\n C~ BDAT 7 LAST\\r\\na: b\\n\\nx`],
];

for (const [move, said] of FORBIDDEN)
  test(`${move} is refused, and the session goes on`, async (t) => {
    const node = await startReceiver(t);
    await held(node, `${said}\n S: 554 5.6.0\n C: NOOP\n S: 250 2.0.0\n C: QUIT\n S: 221\n -- END`);
    assert.equal(node.committed.length, 0);
    assert.equal(node.openSpools(), 0);
  });

test('a second message smuggled where newlines are normalised is still one message', async (t) => {
  const node = await startReceiver(t, { settings: { 'smtp.bareNewlines': 'normalise' } });
  await held(
    node,
    `${IN_DATA}\n C~ a: b\\n\\nx\\n.\\n${SMUGGLED}\\r\\n.\\r\\n\n S: 250 2.0.0\n C: QUIT\n S: 221\n -- END`,
  );
  assert.equal(node.committed.length, 1);
  assert.match(node.committed[0]!.bytes, /^a: b\r\n\r\nx\r\n\.\r\nMAIL FROM:.*\r\nx\r\n$/s);
  assert.equal(node.events.last('receive.bare-newline')?.action, 'normalise');
});

test('a message smuggled across BDAT chunks by halving a CRLF is one message', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `${BEGIN}
    C: MAIL FROM:<>\\r\\nRCPT TO:<alice@example.com>
    S: 250
    S: 250
    C~ BDAT 6\\r\\na: b\\r\\nBDAT 4\\r\\n\\r\\n.\\rBDAT 7 LAST\\r\\n\\nRSET\\r\\n
    S: 250
    S: 250
    S: 250 2.0.0
  `,
  );
  assert.equal(node.committed[0]?.bytes, 'a: b\r\n\r\n.\r\nRSET\r\n');
});

test('a bare LF halved from its line by a BDAT chunk is found', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `${BEGIN}
    C: MAIL FROM:<>\\r\\nRCPT TO:<alice@example.com>
    S: 250
    S: 250
    C~ BDAT 1\\r\\naBDAT 2 LAST\\r\\n\\nb
    S: 250
    S: 554 5.6.0
  `,
  );
  assert.equal(node.openSpools(), 0);
});

test('a command ended by LF alone is not obeyed, nor is what follows', async (t) => {
  const node = await startReceiver(t);
  await held(node, `${BEGIN}\n C~ NOOP\\nMAIL FROM:<a@client.example>\\r\\n\n S: 521 5.5.2\n -- END`);
  assert.equal(node.sessions[0]?.end, 'closed-by-us');
});

test('commands pipelined behind STARTTLS are discarded, not run inside TLS', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `${BEGIN}
    C: STARTTLS\\r\\nMAIL FROM:<injected@attacker.example>
    S: 220 2.0.0
    -- TLS
    C: RCPT TO:<alice@example.com>
    S: 503 5.5.1
    C: EHLO client.example
    S: 250
    C: RCPT TO:<alice@example.com>
    S: 503 5.5.1
  `,
  );
  assert.equal(node.events.count('smtp.starttls.discarded'), 1);
});

test('a handshake that is no TLS ends the connection and is told', async (t) => {
  const node = await startReceiver(t);
  const client = await dialogue(node, `${BEGIN}\n C: STARTTLS\n S: 220`);
  client.socket().write('MAIL FROM:<a@client.example>\r\n');
  const record = await node.sessionEnded();
  client.close();
  assert.equal(record.end, 'lost');
  assert.equal(node.events.count('wire.tls-failed'), 1);
});

test('a PROXY header from an address that is not trusted is no header', async (t) => {
  const node = await startReceiver(t, { proxy: 'optional', trustedProxies: ['192.0.2.0/24'] });
  const client = await openClient({ ...node, first: 'PROXY TCP4 10.0.0.1 10.0.0.2 1 25\r\n' });
  assert.equal((await client.hear()).code, 554);
  client.close();
  const record = await node.sessionEnded();
  assert.equal(record.facts.client.address, '127.0.0.1');
});

test('a listener for proxies turns away who is none', async (t) => {
  const node = await startReceiver(t, { proxy: 'required' });
  await held(node, 'S: 421 4.7.0\n -- END');
  assert.equal(node.events.last('wire.refused')?.reason, 'proxy-untrusted');
});

test('XCLIENT from an address that is not trusted is refused', async (t) => {
  const node = await startReceiver(t);
  await held(node, `${BEGIN}\n C: XCLIENT ADDR=10.0.0.1\n S: 550 5.7.0`);
});

test('a proxy that claims a login gives none', async (t) => {
  const node = await startReceiver(t, { trustedProxies: ['127.0.0.1'], profile: 'submission' });
  await held(
    node,
    `${BEGIN}
    C: XCLIENT ADDR=10.0.0.1 LOGIN=alice@example.com
    S: 501 5.5.4
    C: EHLO x
    S: 250
    C: MAIL FROM:<alice@example.com>
    S: 530 5.7.0
  `,
  );
});

test('a BDAT whose size is no number ends the session: its octets would be commands', async (t) => {
  const node = await startReceiver(t);
  await held(node, `${BEGIN}\n C~ BDAT x\\r\\nMAIL FROM:<>\\r\\n\n S: 501 5.5.4\n -- END`);
});

test('a BDAT that promises more than it sends waits, and dies with the connection', async (t) => {
  const node = await startReceiver(t);
  const client = await dialogue(node, `${BEGIN}\n C: MAIL FROM:<>\\r\\nRCPT TO:<alice@example.com>\n S: 250\n S: 250`);
  await dialogue(client, 'C~ BDAT 1000 LAST\\r\\nabc\n -- HALF\n -- END');
  client.close();
  await node.sessionEnded();
  assert.deepEqual(node.committed, []);
  assert.equal(node.openSpools(), 0);
});

test('a BDAT of more than anything allowed is refused and left, its octets unread', async (t) => {
  const node = await startReceiver(t);
  await held(node, `${BEGIN}\n C: MAIL FROM:<>\n S: 250\n C: BDAT 99999999999999999999\n S: 552 5.3.4\n -- END`);
});
