import assert from 'node:assert/strict';
import test from 'node:test';
import { DELIVERY_LIMITS } from '../../src/deliver/limits.ts';
import type { AttemptResult, Claim } from '../../src/queue/contract.ts';
import { claimOf, deliveryHarness } from './support/harness.ts';

/** Takes what is for live.example at once, and nothing else ever. */
const local = {
  deliver({ destination, recipients }: Claim): Promise<readonly AttemptResult[]> {
    if (destination !== 'live.example') return new Promise(() => {});
    const detail = { at: 0, status: '2.0.0', reply: 'in the mailbox', remote: false };
    return Promise.resolve(recipients.map(({ row }) => ({ row, kind: 'delivered', dsn: false, detail })));
  },
};

function claimFor(destination: string): Claim {
  return claimOf({ destination, to: [`someone@${destination}`] });
}

test('destinations that never answer leave the room of those that took mail alone', async (t) => {
  const dead = Array.from({ length: DELIVERY_LIMITS.opening }, (_, n) => `dead-${n}.example`);
  const servers = Object.fromEntries(['live.example', ...dead].map((name) => [name, []]));
  const { delivery, deliver } = deliveryHarness(t, { local, servers });
  await deliver(claimFor('live.example'));
  for (const name of dead) delivery.take(claimFor(name));

  assert.equal(delivery.room('unknown.example'), 0);
  assert.ok(delivery.room('live.example') > 0);
  assert.equal((await deliver(claimFor('live.example')))[0]?.kind, 'delivered');
  assert.equal(delivery.active(), DELIVERY_LIMITS.opening);
});
