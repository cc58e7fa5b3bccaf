import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDkimKeys } from '../../../src/directory/signing-keys/dkim-keys.ts';
import { type RotationPolicy, rotationSteps } from '../../../src/directory/signing-keys/rotation.ts';
import type { DkimKeyRow } from '../../../src/directory/signing-keys/schema.ts';
import { openSrsKeys, srsTarget } from '../../../src/directory/signing-keys/srs-keys.ts';
import type { Secrets } from '../../../src/store/secrets.ts';
import { signingWorld } from '../../deliver/signing/support/world.ts';
import { addressOf } from '../../deliver/support/harness.ts';
import { seededRandom } from '../../support/random.ts';
import { OPEN_SECRETS } from '../../support/secrets.ts';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 0, 5);
const POLICY: RotationPolicy = {
  algorithms: ['rsa-sha256'],
  rotateAfterMs: 180 * DAY_MS,
  retireAfterMs: 7 * DAY_MS,
  selectors: 'dated',
};

function key(
  selector: string,
  state: DkimKeyRow['state'],
  ageDays: number,
  more: Partial<DkimKeyRow> = {},
): DkimKeyRow {
  const since = NOW - ageDays * DAY_MS;
  const names = { domain: 'example.com', selector, algorithm: 'rsa-sha256' } as const;
  return {
    ...names,
    state,
    private_key: 'sealed',
    public_key: 'p',
    created_at: since,
    since,
    checked_at: null,
    check_result: null,
    ...more,
  };
}

const told = (keys: readonly DkimKeyRow[], policy: Partial<RotationPolicy> = {}): string[] =>
  rotationSteps(keys, { ...POLICY, ...policy }, NOW).map((step) =>
    step.kind === 'create' ? `create ${step.selector}` : `${step.kind} ${step.key.selector}`,
  );

test('a domain without keys gets one of each kind, named by the day', () => {
  assert.deepEqual(told([], { algorithms: ['rsa-sha256', 'ed25519-sha256'] }), [
    'create p20260105r',
    'create p20260105e',
  ]);
});

test('a key waits for its record, then takes over from the one that signed', () => {
  const old = key('old', 'active', 200);
  assert.deepEqual(told([old, key('new', 'pending', 10)]), []);
  assert.deepEqual(told([old, key('new', 'pending', 10, { check_result: 'missing' })]), []);
  assert.deepEqual(told([old, key('new', 'pending', 10, { check_result: 'published' })]), ['activate new']);
});

test('a key that signed its time gets a successor, unless rotation is off', () => {
  assert.deepEqual(told([key('old', 'active', 179)]), []);
  assert.deepEqual(told([key('old', 'active', 180)]), ['create p20260105r']);
  assert.deepEqual(told([key('old', 'active', 999)], { rotateAfterMs: undefined }), []);
});

test('a key retires when no signature of it can be under way', () => {
  const active = key('new', 'active', 1);
  assert.deepEqual(told([active, key('old', 'retiring', 6)]), []);
  assert.deepEqual(told([active, key('old', 'retiring', 7)]), ['retire old']);
});

test('the two names of a pair take turns, and a third key waits until one is free', () => {
  const pair = { selectors: 'pair' } as const;
  assert.deepEqual(told([], pair), ['create postern1']);
  assert.deepEqual(told([key('postern1', 'active', 200)], pair), ['create postern2']);
  assert.deepEqual(told([key('postern1', 'retiring', 2), key('postern2', 'active', 200)], pair), []);
  assert.deepEqual(told([key('postern1', 'retired', 2), key('postern2', 'active', 200)], pair), ['create postern1']);
});

test('a domain that wants no signatures stops signing, and its keys retire in time', () => {
  assert.deepEqual(told([key('old', 'active', 3)], { algorithms: [] }), ['withdraw old']);
});

test('a key signs for its own domain only once it is active, and its secret goes when it retires', async (t) => {
  const world = await signingWorld(t);
  await world.write(await world.dkim.create('example.com', 'ed25519-sha256', 'e1'));
  assert.deepEqual(await world.dkim.active('example.com'), []);
  const [pending] = await world.dkim.ofDomain('example.com');
  await world.write(await world.dkim.change('example.com', [{ kind: 'activate', key: pending!, instead: undefined }]));
  assert.equal((await world.dkim.active('example.com'))[0]?.selector, 'e1');
  assert.deepEqual(await world.dkim.active('other.example'), []);
  const [active] = await world.dkim.ofDomain('example.com');
  await world.write(await world.dkim.change('example.com', [{ kind: 'retire', key: active! }]));
  assert.deepEqual(await world.dkim.active('example.com'), []);
  assert.equal((await world.dkim.ofDomain('example.com'))[0]?.private_key, null);
});

test('a sealed key that was moved to another name does not open', async (t) => {
  const world = await signingWorld(t);
  await world.activate('example.com', 'e1', 'ed25519-sha256');
  await world.db.write([{ sql: "update dkim_key set selector = 'e2'", parameters: [], writes: { topic: 'dkim_key' } }]);
  assert.throws(() => world.dkim.active('example.com'), /not sealed as dkim\/example\.com\/e2/);
});

test('a bounce to a rewritten sender goes on to him; attack: one made up, or too old, is nobody', async (t) => {
  const { srs, clock } = await signingWorld(t);
  const made = srs.forward(addressOf('bob@stranger.example'), 'example.com');
  const found = srsTarget(srs, made);
  assert.equal(found?.kind === 'local' && found.targets[0]?.text, 'bob@stranger.example');
  const shouted = { ...made, local: made.local.toUpperCase() };
  assert.equal(srsTarget(srs, shouted)?.kind, 'local');
  const other = { ...made, local: made.local.replace('stranger', 'victim') };
  assert.deepEqual(srsTarget(srs, other), { kind: 'unknown-user', return: 'forged' });
  await clock.advance(22 * DAY_MS);
  assert.deepEqual(srsTarget(srs, made), { kind: 'unknown-user', return: 'expired' });
  assert.equal(srsTarget(srs, addressOf('alice@example.com')), undefined);
});

/** What was sealed before opens no more. */
const LOST_KEY: Secrets = {
  ...OPEN_SECRETS,
  seal: (name, value) => `new ${OPEN_SECRETS.seal(name, value)}`,
  open(name, sealed) {
    if (!sealed.startsWith('new ')) throw new Error('there is no such key');
    return OPEN_SECRETS.open(name, sealed.slice(4));
  },
  isCurrent: (sealed) => sealed.startsWith('new '),
};

test('after the loss of the key file, rewriting goes on with another key', async (t) => {
  const { db, clock, events } = await signingWorld(t);
  const srs = await openSrsKeys(db, { secrets: LOST_KEY, clock, events, random: seededRandom(9) });
  const { local } = srs.forward(addressOf('bob@stranger.example'), 'example.com');
  assert.equal(srs.reverse(local).kind, 'valid');
  assert.equal(events.last('signing.secret-unreadable')?.name, 'srs/1');
});

test('after the loss of the key file, sealing again passes over what it cannot open', async (t) => {
  const { db, clock, activate } = await signingWorld(t);
  await activate('example.com', 'e1', 'ed25519-sha256');
  const dkim = createDkimKeys(db, { secrets: LOST_KEY, clock });
  assert.deepEqual(await dkim.reseal('example.com'), []);
});
