import assert from 'node:assert/strict';
import test from 'node:test';
import { replay } from '../../../src/screen/engine/replay.ts';
import { content, LETTER, screening, settings, transact } from '../world.ts';

test('stored evidence, judged again with the same settings, comes to the same dispositions', async () => {
  const { message } = await transact(screening(), 'bob@remote.example', ['alice@example.com', 'team@example.com']);
  assert.ok(message?.kind === 'commit');
  // As the journal keeps it.
  const stored = JSON.parse(JSON.stringify(message.evidence));
  const again = replay(stored, settings().current());
  assert.deepEqual(
    again.recipients.map(({ disposition }) => disposition),
    message.dispositions,
  );
});

test('a changed setting shows what it would have done to past mail', async () => {
  const letter = content(`${'Received: from a by b\r\n'.repeat(20)}${LETTER}`);
  const { message } = await transact(screening(), 'bob@remote.example', ['alice@example.com'], letter);
  assert.equal(replay(message!.evidence, settings({ 'smtp.maxHops': 10 }).current()).reply?.enhanced, '5.4.6');
  assert.equal(replay(message!.evidence, settings({ 'smtp.maxHops': 20 }).current()).reply, undefined);
});

test('a domain’s setting changes the fate of its own recipients only', async () => {
  const letter = content(`From: eve@remote.example\r\n${LETTER}`);
  const open = { 'headerSanity.action': 'accept', 'dmarc.unclearAuthor': 'accept' };
  const { message } = await transact(
    screening({ settings: open }),
    'bob@remote.example',
    ['alice@example.com', 'postmaster'],
    letter,
  );
  const again = replay(
    message!.evidence,
    settings({ ...open, 'example.com/headerSanity.action': 'quarantine' }).current(),
  );
  assert.deepEqual(
    again.recipients.map(({ disposition }) => disposition?.kind),
    ['hold', 'accept'],
  );
});

test('evidence of a check that did not exist then says nothing', () => {
  const context = {
    address: 'a@example.com',
    direction: 'inbound',
    sender: 'stranger',
    policyDomain: 'example.com',
    role: false,
  };
  const again = replay({ recipients: { 'a@example.com': { who: context } } }, settings().current());
  assert.deepEqual(again.recipients, [{ address: 'a@example.com', findings: [], disposition: { kind: 'accept' } }]);
});
