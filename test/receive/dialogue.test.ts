/** What an SMTP client experiences: the commands of RFC 5321 in their order, pipelined or not, and TLS. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialogue, openClient } from '../support/dialogue.ts';
import { BEGIN, ENVELOPE, held } from '../support/receive/held.ts';
import { startReceiver } from '../support/receive/services.ts';

test('a message is received as it was sent, and queued with its envelope', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `
    S: 220 .. mx.postern.example ESMTP
    C: EHLO client.example
    S: 250 .. PIPELINING
    C: MAIL FROM:<a@client.example> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=x+2By
    S: 250 2.1.0
    C: RCPT TO:<alice@example.com> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;alice@old.example
    S: 250 2.1.5
    C: DATA
    S: 354
    C~ From: a@client.example\\r\\nSubject: hello\\r\\n\\r\\nbody\\r\\n..dot\\r\\n
    C: .
    S: 250 2.0.0 .. queued as
    C: QUIT
    S: 221 2.0.0
    -- END
  `,
  );
  const [message] = node.committed;
  assert.equal(message?.bytes, 'From: a@client.example\r\nSubject: hello\r\n\r\nbody\r\n.dot\r\n');
  assert.equal(message.reversePath?.text, 'a@client.example');
  assert.equal(message.envid, 'x+y');
  assert.equal(message.ret, 'headers');
  assert.equal(message.body, '7BIT');
  const [recipient] = message.recipients;
  assert.deepEqual(recipient?.notify, ['success', 'failure']);
  assert.deepEqual(recipient.orcpt, { type: 'rfc822', address: 'alice@old.example' });
  assert.equal(recipient.destination, 'example.com');
  assert.equal(recipient.state, 'queued');
  assert.match(
    message.trace,
    /^Received: from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby mx\.postern\.example \(Postern\) with ESMTP id /,
  );
  assert.match(message.trace, /\tfor <alice@example\.com>;\r\n\t\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n$/);
  assert.equal(node.sessions[0]?.end, 'quit');
  assert.equal(node.openSpools(), 0);
});

test('EHLO offers every extension, and HELO none', async (t) => {
  const node = await startReceiver(t);
  const client = await openClient(node);
  await client.hear();
  await client.say('EHLO client.example\r\n');
  assert.deepEqual((await client.hear()).text, [
    'mx.postern.example',
    'PIPELINING',
    'SIZE 52428800',
    'STARTTLS',
    '8BITMIME',
    'BINARYMIME',
    'CHUNKING',
    'SMTPUTF8',
    'DSN',
    'ENHANCEDSTATUSCODES',
    'LIMITS MAILMAX=10000 RCPTMAX=1000',
    'HELP',
  ]);
  await client.say('HELO client.example\r\n');
  assert.equal((await client.hear()).text, 'mx.postern.example');
  client.close();
});

test('commands out of order are told so, and nothing else happens', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `
    S: 220
    C: MAIL FROM:<>
    S: 503 5.5.1
    C: EHLO
    S: 501 5.5.4
    C: EHLO client.example
    S: 250
    C: RCPT TO:<alice@example.com>
    S: 503 5.5.1
    C: DATA
    S: 503 5.5.1
    C: MAIL FROM:<>
    S: 250 2.1.0
    C: MAIL FROM:<>
    S: 503 5.5.1
    C: DATA
    S: 554 5.5.1
    C: RCPT TO:<alice@example.com>
    S: 250 2.1.5
    C: DATA now
    S: 501 5.5.4
    C: WHATISTHIS
    S: 500 5.5.1
    C: AUTH PLAIN AGZvbwBzZWNyZXQ=
    S: 502 5.5.1
    C: VRFY alice
    S: 252
    C: HELP
    S: 214 2.0.0
    C: NOOP anything
    S: 250 2.0.0
    C: RSET
    S: 250 2.0.0
    C: DATA
    S: 503 5.5.1
  `,
  );
  assert.deepEqual(node.committed, []);
  assert.doesNotMatch(node.sessions[0]!.dialogue, /AGZvbwBzZWNyZXQ/);
});

test('a pipelined batch is answered in one write, in order', async (t) => {
  const node = await startReceiver(t, { onRecipient: async () => undefined });
  const client = await dialogue(node, BEGIN);
  const writes: string[] = [];
  client.socket().on('data', (chunk: Buffer) => writes.push(String(chunk)));
  await dialogue(
    client,
    `
    C: MAIL FROM:<a@client.example>\\r\\nRCPT TO:<alice@example.com>\\r\\nRCPT TO:<nobody@example.com>\\r\\nDATA
    S: 250 2.1.0
    S: 250 2.1.5
    S: 550 5.1.1
    S: 354
  `,
  );
  assert.equal(writes.length, 1);
  client.close();
});

test('two messages, pipelined with their content, are two messages', async (t) => {
  const node = await startReceiver(t);
  const one =
    'MAIL FROM:<a@client.example>\\r\\nRCPT TO:<alice@example.com>\\r\\nDATA\\r\\nSubject: n\\r\\n\\r\\nx\\r\\n.\\r\\n';
  await held(
    node,
    `${BEGIN}
    C: ${one}${one}QUIT
    S: 250 2.1.0
    S: 250 2.1.5
    S: 354
    S: 250 2.0.0
    S: 250 2.1.0
    S: 250 2.1.5
    S: 354
    S: 250 2.0.0
    S: 221 2.0.0
    -- END
  `,
  );
  assert.deepEqual(
    node.committed.map(({ bytes }) => bytes),
    ['Subject: n\r\n\r\nx\r\n', 'Subject: n\r\n\r\nx\r\n'],
  );
});

test('a session that comes byte by byte is the same session', async (t) => {
  const node = await startReceiver(t);
  const client = await openClient({ ...node, byteByByte: true });
  await dialogue(
    client,
    `${ENVELOPE}
    C: DATA
    S: 354
    C~ a: b\\r\\n\\r\\n..\\r\\n
    C: .
    S: 250 2.0.0
    C: MAIL FROM:<>
    S: 250
    C: RCPT TO:<alice@example.com>
    S: 250
    C~ BDAT 3\\r\\nabc
    S: 250 2.0.0
    C~ BDAT 3 LAST\\r\\nde\\n
    S: 554 5.6.0
  `,
  );
  client.close();
  assert.equal(node.committed[0]?.bytes, 'a: b\r\n\r\n.\r\n');
});

test('STARTTLS encrypts, and what was said before counts no more', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `${BEGIN}
    C: MAIL FROM:<a@client.example>
    S: 250
    C: STARTTLS
    S: 220 2.0.0
    -- TLS
    C: MAIL FROM:<a@client.example>
    S: 503 5.5.1
    C: STARTTLS
    S: 503 5.5.1
    C: EHLO client.example
    S: 250
    C: MAIL FROM:<a@client.example>
    S: 250
    C: RCPT TO:<alice@example.com>
    S: 250
    C: DATA
    S: 354
    C~ a: b\\r\\n\\r\\n.\\r\\n
    S: 250 2.0.0
    C: QUIT
    S: 221
    -- END
  `,
  );
  assert.match(node.committed[0]!.trace, /\(using TLSv1\.3 with cipher \w+\)\r\n\tby .* with ESMTPS id /);
  assert.equal(node.sessions[0]?.facts.tls?.protocol, 'TLSv1.3');
});

test('submission asks for authentication, by STARTTLS or implicit TLS', async (t) => {
  for (const profile of ['submission', 'submissions'] as const) {
    const node = await startReceiver(t, { profile });
    const client = await dialogue(
      { ...node, implicitTls: profile === 'submissions' },
      `${BEGIN}
      C: MAIL FROM:<alice@example.com>
      S: 530 5.7.0
      C: QUIT
      S: 221
      -- END
    `,
    );
    client.close();
    assert.equal((await node.sessionEnded()).facts.tls !== undefined, profile === 'submissions');
  }
});

test('checks refuse at connection, at EHLO, and the session says why', async (t) => {
  const refusal = { code: 554, enhanced: '5.7.1', text: 'banned' };
  const atConnect = await startReceiver(t, { onConnect: async () => ({ findings: [], refusal }) });
  await held(atConnect, 'S: 554 5.7.1\n -- END');
  assert.equal(atConnect.sessions[0]?.end, 'refused');
  const atEhlo = await startReceiver(t, { onEhlo: () => ({ findings: [], refusal: { ...refusal, code: 550 } }) });
  await held(atEhlo, 'S: 220\n C: EHLO a\n S: 550 5.7.1\n C: MAIL FROM:<>\n S: 503\n C: QUIT\n S: 221');
  assert.equal(atEhlo.sessions[0]?.reason, 'refused at EHLO');
});

test('an attacker asks for a success report to a reverse-path that is not his: none is promised, nor asked of the next host', async (t) => {
  for (const [asked, left] of [
    ['SUCCESS,FAILURE', ['failure']],
    ['SUCCESS', 'never'],
  ] as const) {
    const node = await startReceiver(t, { spf: 'none' });
    await held(
      node,
      `
    S: 220
    C: EHLO client.example
    S: 250
    C: MAIL FROM:<victim@client.example>
    S: 250 2.1.0
    C: RCPT TO:<alice@example.com> NOTIFY=${asked}
    S: 250 2.1.5
    C: DATA
    S: 354
    C~ From: a@client.example\\r\\n\\r\\nbody\\r\\n
    C: .
    S: 250 2.0.0 .. queued as
    C: QUIT
    S: 221 2.0.0
    -- END
  `,
    );
    assert.deepEqual(node.committed[0]?.recipients[0]?.notify, left);
  }
});
