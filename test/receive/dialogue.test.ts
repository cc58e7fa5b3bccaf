/** What an SMTP client experiences: the commands of RFC 5321 and the extensions, as dialogues. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialogue } from '../support/dialogue.ts';
import { startReceiver } from '../support/receive/services.ts';

const MESSAGE = 'From: a@client.example\r\nSubject: hello\r\n\r\nbody\r\n';

test('a message is received as it was sent, and queued with its envelope', async (t) => {
  const node = await startReceiver(t);
  const client = await dialogue(
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
  client.close();
  const [message] = node.committed;
  assert.equal(message?.bytes, `${MESSAGE}.dot\r\n`);
  assert.equal(message.reversePath?.text, 'a@client.example');
  assert.equal(message.envid, 'x+y');
  assert.equal(message.ret, 'headers');
  assert.equal(message.body, '7BIT');
  const [recipient] = message.recipients;
  assert.deepEqual(recipient?.notify, ['success', 'failure']);
  assert.deepEqual(recipient.orcpt, { type: 'rfc822', address: 'alice@old.example' });
  assert.equal(recipient.destination, 'example.com');
  assert.match(
    message.trace,
    /^Received: from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby mx\.postern\.example \(Postern\) with ESMTP id /,
  );
  assert.match(message.trace, /\tfor <alice@example\.com>;\r\n\t\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n$/);
});
