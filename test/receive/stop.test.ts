import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../support/clock.ts';
import { dialogue } from '../support/dialogue.ts';
import { startReceiver } from '../support/receive/services.ts';

const BEGIN = 'S: 220\n C: EHLO client.example\n S: 250';
const ENVELOPE = `${BEGIN}\n C: MAIL FROM:<bob@remote.example>\n S: 250\n C: RCPT TO:<alice@example.com>\n S: 250`;

test('on stop idle sessions are told 421, messages in hand are finished first', async (t) => {
  const node = await startReceiver(t);
  const idle = await dialogue(node, BEGIN);
  const sending = await dialogue(node, `${ENVELOPE}\n C: DATA\n S: 354`);
  const drained = node.receiver.drain(10_000);
  await dialogue(idle, 'S: 421 4.3.2\n -- END');
  await dialogue(sending, 'C: .\n S: 250 2.0.0\n S: 421 4.3.2\n -- END');
  idle.close();
  sending.close();
  await drained;
  assert.equal(node.committed.length, 1);
  assert.equal(node.receiver.connections, 0);
});

test('a message that does not end is told 421 when the node waits no longer, and leaves that in the journal', async (t) => {
  const clock = manualClock();
  const node = await startReceiver(t, { clock });
  const stuck = await dialogue(node, `${ENVELOPE}\n C: DATA\n S: 354\n C: Subject: half a mess`);
  const drained = node.receiver.drain(10_000);
  await clock.advance(4_999);
  assert.equal(stuck.unread.length, 0);
  await clock.advance(1);
  await dialogue(stuck, 'S: 421 4.3.2\n -- END');
  stuck.close();
  await drained;
  const { end, dialogue: said } = node.sessions[0]!;
  assert.equal(end, 'shutdown');
  assert.match(said, /C: DATA\nS: 354 .*\nS: 421 4\.3\.2/);
  assert.equal(node.openSpools(), 0);
});

test('a peer that neither ends nor reads is cut at the deadline', async (t) => {
  const clock = manualClock();
  const node = await startReceiver(t, { clock });
  const stuck = await dialogue(node, `${ENVELOPE}\n C: DATA\n S: 354`);
  const drained = node.receiver.drain(10_000);
  await clock.advance(10_000);
  await drained;
  assert.equal(node.receiver.connections, 0);
  stuck.close();
});
