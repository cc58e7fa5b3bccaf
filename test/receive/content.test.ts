/** Content as a client sends it: chunks, binary and 8-bit, sizes, and addresses beyond ASCII. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BEGIN, ENVELOPE, held } from '../support/receive/held.ts';
import { startReceiver } from '../support/receive/services.ts';

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
    C~ BDAT 13 LAST\\r\\na: b\\r\\n\\r\\n\\0\\r\\xff\\n.
    S: 250 2.0.0
  `,
  );
  assert.equal(node.committed[0]?.bytes, 'a: b\r\n\r\n\0\r\xff\n.');
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
    -- END
  `,
  );
  await held(
    node,
    `${BEGIN}
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
