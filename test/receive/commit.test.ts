/** The commit: a store that is slow, full or failing, and a client that goes meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialogue } from '../support/dialogue.ts';
import { BEGIN, ENVELOPE, held } from '../support/receive/held.ts';
import { startReceiver, storeError } from '../support/receive/services.ts';

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

test('a spool that is slow is waited for, and nothing is lost', async (t) => {
  const node = await startReceiver(t, { drained: () => new Promise((resolve) => setImmediate(resolve)) });
  const line = `${'x'.repeat(998)}\r\n`;
  const client = await dialogue(node, `${ENVELOPE}\n C: DATA\n S: 354`);
  await client.say(line.repeat(2000));
  await dialogue(client, 'C: .\n S: 250 2.0.0');
  client.close();
  assert.equal(node.committed[0]?.bytes, line.repeat(2000));
});
