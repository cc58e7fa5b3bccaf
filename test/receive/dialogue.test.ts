/** What an SMTP client experiences: the commands of RFC 5321 and the extensions, as dialogues. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '../../src/protocol/smtp/address.ts';
import { dialogue, openClient } from '../support/dialogue.ts';
import { acceptAll, decide, startReceiver, storeError, type TestReceiver } from '../support/receive/services.ts';

const BEGIN = `
  S: 220
  C: EHLO client.example
  S: 250
`;
const ENVELOPE = `${BEGIN}
  C: MAIL FROM:<a@client.example>
  S: 250 2.1.0
  C: RCPT TO:<alice@example.com>
  S: 250 2.1.5
`;

/** Holds the dialogue, closes, and waits for the session's record. */
async function held(node: TestReceiver, script: string): Promise<void> {
  const client = await dialogue(node, script);
  client.close();
  await node.sessionEnded();
}

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

test('chunks make one message, dots and all', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `${ENVELOPE}
    C~ BDAT 9\\r\\na: b\\r\\n\\r\\n.
    S: 250 2.0.0 .. 9 octets
    C: DATA
    S: 503 5.5.1
    C: RCPT TO:<bob@example.com>
    S: 503 5.5.1
    C~ BDAT 4\\r\\n\\r\\n.\\r
    S: 250 2.0.0
    C~ BDAT 1\\r\\n\\nBDAT 0 LAST\\r\\n
    S: 250 2.0.0
    S: 250 2.0.0 .. queued as
  `,
  );
  assert.equal(node.committed[0]?.bytes, 'a: b\r\n\r\n.\r\n.\r\n');
});

test('binary content goes by BDAT only, and is kept as it is', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `${BEGIN}
    C: MAIL FROM:<a@client.example> BODY=BINARYMIME
    S: 250 2.1.0
    C: RCPT TO:<alice@example.com>
    S: 250 2.1.5
    C: DATA
    S: 503 5.5.1
    C~ BDAT 5 LAST\\r\\n\\0\\r\\xff\\n.
    S: 250 2.0.0
  `,
  );
  assert.equal(node.committed[0]?.bytes, '\0\r\xff\n.');
  assert.equal(node.committed[0]?.body, 'BINARYMIME');
});

test('a chunk that is refused is read and dropped before that is said', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `${BEGIN}
    C~ BDAT 12\\r\\nMAIL FROM:<>BDAT 6 LAST\\r\\nRSET\\r\\n
    S: 503 5.5.1
    S: 503 5.5.1
    C: MAIL FROM:<a@client.example>
    S: 250 2.1.0
    C~ BDAT 6\\r\\nQUIT\\r\\n
    S: 554 5.5.1
    C: NOOP
    S: 250 2.0.0
  `,
  );
});

test('8-bit content without 8BITMIME is taken, and called what it is', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `${ENVELOPE}
    C: DATA
    S: 354
    C~ Subject: \\xe4\\r\\n\\r\\nx\\r\\n.\\r\\n
    S: 250 2.0.0
  `,
  );
  assert.equal(node.committed[0]?.body, '8BITMIME');
});

test('addresses beyond ASCII need SMTPUTF8, whose session says so in its trace', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `${BEGIN}
    C: MAIL FROM:<jürgen@client.example>
    S: 553 5.6.7
    C: MAIL FROM:<jürgen@bücher.example> SMTPUTF8
    S: 250 2.1.0
    C: RCPT TO:<jörg@example.com>
    S: 250 2.1.5
    C: RCPT TO:<\\xff@example.com>
    S: 500 5.5.2
    C: DATA
    S: 354
    C~ a: b\\r\\n\\r\\n.\\r\\n
    S: 250 2.0.0
    C: MAIL FROM:<>
    S: 250
    C: RCPT TO:<jörg@example.com>
    S: 553 5.6.7
  `,
  );
  const [message] = node.committed;
  assert.equal(message?.reversePath?.text, 'jürgen@xn--bcher-kva.example');
  assert.equal(message.recipients[0]?.address.local, 'jörg');
  assert.match(message.trace, / with UTF8SMTP id /);
});

test('postmaster is accepted without a domain', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `${BEGIN}
    C: MAIL FROM:<>
    S: 250
    C: RCPT TO:<Postmaster>
    S: 250 2.1.5
    C: RCPT TO:<alice>
    S: 501 5.1.3
  `,
  );
});

test('malformed addresses get the status of whose they are', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `${BEGIN}
    C: MAIL LALA:<>
    S: 501 5.5.4
    C: MAIL FROM:<a b@c.example>
    S: 501 5.1.7
    C: MAIL FROM:<a@xn--->
    S: 501 5.1.8
    C: MAIL FROM:<> FOO=bar
    S: 555 5.5.4
    C: MAIL FROM:<>
    S: 250
    C: RCPT TO:<a@[1.2.3]>
    S: 501 5.1.3
    C: RCPT TO:<a@xn--->
    S: 501 5.1.2
    C: RCPT TO:<alice@example.com> NOTIFY=NEVER,DELAY
    S: 501 5.5.4
  `,
  );
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

test('a message larger than allowed is refused when announced, and when sent', async (t) => {
  const node = await startReceiver(t, { settings: { 'smtp.maxMessageBytes': 100 } });
  await held(
    node,
    `${BEGIN}
    C: MAIL FROM:<> SIZE=101
    S: 552 5.3.4
    C: MAIL FROM:<> SIZE=100
    S: 250
    C: RCPT TO:<alice@example.com>
    S: 250
    C: DATA
    S: 354
    C~ ${'x'.repeat(99)}\\r\\n.\\r\\n
    S: 552 5.3.4
    C: MAIL FROM:<>
    S: 250
    C: RCPT TO:<alice@example.com>
    S: 250
    C~ BDAT 60\\r\\n${'x'.repeat(60)}BDAT 60\\r\\n${'y'.repeat(60)}
    S: 250
    S: 552 5.3.4
    C~ BDAT 1 LAST\\r\\nz
    S: 503 5.5.1
    C: NOOP
    S: 250
    C: BDAT 101
    S: 552 5.3.4
    -- END
  `,
  );
  assert.equal(node.openSpools(), 0);
  assert.deepEqual(node.committed, []);
  assert.deepEqual(
    node.messages.map(({ direction, recipients }) => [direction, recipients[0]?.disposition]),
    [
      ['refused', 'refuse'],
      ['refused', 'refuse'],
    ],
  );
});

test('recipients beyond the limit are put off, twice the same is one', async (t) => {
  const node = await startReceiver(t, { settings: { 'smtp.maxRecipients': 2 } });
  await held(
    node,
    `${ENVELOPE}
    C: RCPT TO:<alice@example.com>
    S: 250
    C: RCPT TO:<bob@example.com>
    S: 250
    C: RCPT TO:<carol@example.com>
    S: 452 4.5.3
    C: DATA
    S: 354
    C: .
    S: 250
  `,
  );
  assert.deepEqual(
    node.committed[0]?.recipients.map(({ address }) => address.text),
    ['alice@example.com', 'bob@example.com'],
  );
  assert.doesNotMatch(node.committed[0].trace, /for </);
});

test('with split policies a second domain comes in a message of its own', async (t) => {
  const node = await startReceiver(t, { settings: { 'receive.splitPolicies': true } });
  await held(
    node,
    `
    S: 220
    C: EHLO client.example
    S: 250 .. RCPTDOMAINMAX=1
    C: MAIL FROM:<>
    S: 250
    C: RCPT TO:<alice@example.com>
    S: 250
    C: RCPT TO:<alice@example.org>
    S: 452 4.5.3
    C: RCPT TO:<bob@example.com>
    S: 250
  `,
  );
});

test('with split policies domains of one policy share a message', async (t) => {
  const node = await startReceiver(t, { settings: { 'receive.splitPolicies': true }, haveOnePolicy: () => true });
  await held(
    node,
    `
    S: 220
    C: EHLO client.example
    S: 250
    C: MAIL FROM:<>
    S: 250
    C: RCPT TO:<alice@example.com>
    S: 250
    C: RCPT TO:<alice@example.org>
    S: 250
  `,
  );
});

test('each recipient gets its own disposition', async (t) => {
  const other = parseAddress('archive@example.org');
  assert.ok(other.ok);
  const node = await startReceiver(t, {
    onRecipient(recipient) {
      const verdict = decide(recipient);
      const isTeam = recipient.address.local === 'team' && verdict.accepted;
      return isTeam ? { ...verdict, targets: [recipient.address, other.value], viaAlias: true } : verdict;
    },
    onMessage: (envelope) => ({
      ...acceptAll(envelope),
      kind: 'commit',
      dispositions: [
        { kind: 'accept' },
        { kind: 'hold', class: 'user', reason: 'spam' },
        { kind: 'redirect', to: 'trap@example.org', reason: 'watched' },
        { kind: 'discard', reason: 'virus' },
        { kind: 'refuse', reply: { code: 550, text: 'no' }, reason: 'unwanted' },
      ],
      edits: [[{ kind: 'prepend', raw: 'X: y\r\n' }], [], [], [], []],
    }),
  });
  await held(
    node,
    `${BEGIN}
    C: MAIL FROM:<a@client.example>\\r\\nRCPT TO:<team@example.com>\\r\\nRCPT TO:<b@example.com>\\r\\nRCPT TO:<nobody@example.com>\\r\\nRCPT TO:<c@example.com>\\r\\nRCPT TO:<d@example.com>\\r\\nRCPT TO:<e@example.com>\\r\\nDATA
    S: 250
    S: 250
    S: 250
    S: 550
    S: 250
    S: 250
    S: 250
    S: 354
    C: .
    S: 250
  `,
  );
  assert.deepEqual(
    node.committed[0]?.recipients.map(({ address, original, state, expanded, edits }) => [
      address.text,
      original.text,
      state,
      expanded,
      edits?.length,
    ]),
    [
      ['team@example.com', 'team@example.com', 'queued', true, 1],
      ['archive@example.org', 'team@example.com', 'queued', true, 1],
      ['b@example.com', 'b@example.com', { held: 'user', reason: 'spam' }, undefined, undefined],
      ['trap@example.org', 'c@example.com', 'queued', undefined, undefined],
      ['d@example.com', 'd@example.com', { discarded: 'virus' }, undefined, undefined],
      ['e@example.com', 'e@example.com', { held: 'admin', reason: 'late refusal: unwanted' }, undefined, undefined],
    ],
  );
  assert.deepEqual(
    node.messages[0]?.recipients.map(({ address, disposition }) => `${address} ${disposition}`),
    [
      'team@example.com accept',
      'archive@example.org accept',
      'b@example.com hold',
      'trap@example.org redirect',
      'd@example.com discard',
      'e@example.com refuse',
      'nobody@example.com refuse',
    ],
  );
});

test('a message refused as a whole is answered by the screen and leaves its row', async (t) => {
  const node = await startReceiver(t, {
    onMessage: () => ({ kind: 'reply', reply: { code: 550, enhanced: '5.7.1', text: 'spam' }, findings: [] }),
  });
  await held(
    node,
    `${ENVELOPE}
    C: DATA
    S: 354
    C: .
    S: 550 5.7.1
    C: RSET
    S: 250
  `,
  );
  assert.equal(node.messages.length, 1);
  const [row] = node.messages;
  assert.equal(row?.direction, 'refused');
  assert.deepEqual(row.recipients, [{ address: 'alice@example.com', disposition: 'refuse', reason: 'spam' }]);
  assert.equal(row.trail.subject, 'as screened');
  assert.match(
    row.trail.dialogue!,
    /^C: MAIL FROM:<a@client\.example>\nS: 250 2\.1\.0.*\nC: RCPT.*\nS: 250.*\nC: DATA\nS: 354.*\nC: \(0 octets\)\nS: 550 5\.7\.1 spam\n$/,
  );
});

test('a transaction in which every recipient was refused leaves one row', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `${BEGIN}
    C: MAIL FROM:<a@client.example>
    S: 250
    C: RCPT TO:<bob@elsewhere.example>
    S: 550 5.7.1
    C: RCPT TO:<nobody@example.com>
    S: 550 5.1.1
    C: QUIT
    S: 221
  `,
  );
  assert.deepEqual(
    node.messages.map(({ direction, from, recipients }) => ({
      direction,
      from,
      to: recipients.map(({ reason }) => reason),
    })),
    [{ direction: 'refused', from: 'a@client.example', to: ['relaying denied', 'no such user'] }],
  );
});

test('a store that is full or fails asks the client to come again, and the next message is taken', async (t) => {
  let failure: 'store.full' | 'store.unavailable' | undefined = 'store.full';
  const node = await startReceiver(t, {
    async beforeCommit() {
      if (failure) throw storeError(failure);
    },
  });
  const send = '  C: MAIL FROM:<>\\r\\nRCPT TO:<alice@example.com>\\r\\nDATA\n S: 250\n S: 250\n S: 354\n C: .\n';
  const client = await dialogue(node, `${BEGIN}${send} S: 452 4.3.1`);
  failure = 'store.unavailable';
  await dialogue(client, `${send} S: 451 4.3.0`);
  failure = undefined;
  await dialogue(client, `${send} S: 250 2.0.0`);
  client.close();
  assert.deepEqual(
    node.events.seen.filter(({ name }) => name === 'receive.commit-failed').map(({ fields }) => fields['code']),
    ['store.full', 'store.unavailable'],
  );
  assert.deepEqual(
    node.messages.map(({ direction, recipients }) => [direction, recipients[0]?.disposition]),
    [
      ['refused', 'defer'],
      ['refused', 'defer'],
      ['inbound', 'accept'],
    ],
  );
});

test('a client that goes before the commit has nothing committed', async (t) => {
  const reached = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const node = await startReceiver(t, {
    async onMessage() {
      reached.resolve();
      await goOn.promise;
      return undefined;
    },
  });
  const client = await dialogue(node, `${ENVELOPE}\n C: DATA\n S: 354\n C: .`);
  await reached.promise;
  client.socket().resetAndDestroy();
  const record = await node.sessionEnded();
  goOn.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(record.end, 'lost');
  assert.deepEqual(node.committed, []);
  assert.equal(node.messages[0]?.recipients[0]?.disposition, 'defer');
});

test('a client that goes during the commit has its message committed whole', async (t) => {
  const reached = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const node = await startReceiver(t, {
    async beforeCommit() {
      reached.resolve();
      await goOn.promise;
    },
  });
  const client = await dialogue(node, `${ENVELOPE}\n C: DATA\n S: 354\n C: .`);
  await reached.promise;
  client.socket().resetAndDestroy();
  await node.sessionEnded();
  goOn.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(node.committed.length, 1);
  assert.equal(node.messages[0]?.direction, 'inbound');
});

test('a defect ends the session it happened in with 421, and is told', async (t) => {
  const node = await startReceiver(t, {
    onRecipient() {
      throw new Error('a defect');
    },
  });
  await held(
    node,
    `${BEGIN}
    C: MAIL FROM:<>
    S: 250
    C: RCPT TO:<alice@example.com>
    S: 421 4.3.0
    -- END
  `,
  );
  assert.equal(node.events.count('node.defect'), 1);
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

test('a spool that is slow is waited for, and nothing is lost', async (t) => {
  const node = await startReceiver(t, { drained: () => new Promise((resolve) => setImmediate(resolve)) });
  const line = `${'x'.repeat(998)}\r\n`;
  const client = await dialogue(node, `${ENVELOPE}\n C: DATA\n S: 354`);
  await client.say(line.repeat(2000));
  await dialogue(client, 'C: .\n S: 250 2.0.0');
  client.close();
  assert.equal(node.committed[0]?.bytes, line.repeat(2000));
});
