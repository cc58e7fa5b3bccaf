import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHandshakes } from '../../src/wire/handshakes.ts';
import { HANDSHAKE_TICK_MS, HANDSHAKES } from '../../src/wire/limits.ts';
import { manualClock } from '../support/clock.ts';
import { openClient } from '../support/dialogue.ts';
import { startReceiver } from '../support/receive/services.ts';

function begin() {
  const clock = manualClock();
  const handshakes = createHandshakes(clock);
  const said = new Map<string, boolean[]>();
  /** How many of `times` begin at once; what becomes of the others is in `said`. */
  const ask = (times: number, address: string, isGone = (): boolean => false): number => {
    const answers: boolean[] = [];
    said.set(address, answers);
    let atOnce = 0;
    for (let i = 0; i < times; i++) {
      const turn = handshakes.turn(address, isGone);
      if (turn === true) atOnce++;
      else if (turn !== false) void turn.then((mayBegin) => answers.push(mayBegin));
    }
    return atOnce;
  };
  const tick = (): Promise<void> => clock.advance(HANDSHAKE_TICK_MS);
  const begun = (address: string): number => said.get(address)!.filter((mayBegin) => mayBegin).length;
  const refused = (address: string): number => said.get(address)!.filter((mayBegin) => !mayBegin).length;
  return { ask, tick, begun, refused };
}

test('an attacker who begins a thousand handshakes from one network begins a few in a tick, others at once', async () => {
  const { ask, tick, begun } = begin();
  assert.equal(ask(1_000, '192.0.2.1'), HANDSHAKES.free);
  assert.equal(ask(HANDSHAKES.site, '198.51.100.7'), HANDSHAKES.site, 'another site waits for nothing');
  assert.equal(ask(1, '192.0.2.99'), 0, 'the neighbours of the attacker wait behind it');
  for (let i = 0; i < 10; i++) {
    await tick();
    assert.equal(begun('192.0.2.1'), (i + 1) * HANDSHAKES.free);
    assert.equal(ask(1, `203.0.${i}.1`), 1, 'in every tick');
  }
});

test('an attacker with the networks of an IPv6 /48 has the turns of one site', async () => {
  const { ask } = begin();
  let atOnce = 0;
  for (let i = 0; i < 500; i++) atOnce += ask(1, `2001:db8:1:${i.toString(16)}::1`);
  assert.equal(atOnce, HANDSHAKES.free);
  assert.equal(ask(1, '2001:db8:2::1'), 1);
});

test('a botnet that begins handshakes from a hundred sites takes turns with an honest one', async () => {
  const { ask, tick, begun } = begin();
  let atOnce = 0;
  for (let i = 0; i < 100; i++) atOnce += ask(40, `10.${i}.0.1`);
  assert.equal(atOnce, HANDSHAKES.most, 'half of the event loop, and no more');
  assert.equal(ask(1, '198.51.100.7'), 0);
  for (let i = 0; i < 100 / HANDSHAKES.free; i++) await tick();
  assert.equal(begun('198.51.100.7'), 1);
});

test('an attacker who asks for handshakes and goes takes no turn of its neighbours', async () => {
  const { ask, tick, begun } = begin();
  ask(HANDSHAKES.free, '192.0.2.1');
  ask(1_000, '192.0.2.1', () => true);
  assert.equal(ask(5, '192.0.2.99'), 0);
  await tick();
  assert.equal(begun('192.0.2.99'), 5);
  assert.equal(begun('192.0.2.1'), 0);
});

test('a line full of handshakes of one site has room for another, and refuses who has most', async () => {
  const { ask, tick, begun, refused } = begin();
  ask(HANDSHAKES.free + HANDSHAKES.waiting, '192.0.2.1');
  for (let i = 0; i < 8; i++) ask(HANDSHAKES.site, `10.${i}.0.1`);
  ask(5, '198.51.100.7');
  await tick();
  assert.equal(refused('198.51.100.7'), 0);
  assert.ok(refused('192.0.2.1') > 0);
  for (let i = 0; i < 5; i++) await tick();
  assert.equal(begun('198.51.100.7'), 5);
});

test('a client that floods a listener with STARTTLS waits for its 220, and a client of another site does not', async (t) => {
  const clock = manualClock();
  const node = await startReceiver(t, { clock });
  const upgrade = async (localAddress: string) => {
    const client = await openClient({ port: node.port, localAddress });
    t.after(() => client.close());
    await client.hear();
    await client.say('EHLO client.example\r\n');
    await client.hear();
    await client.say('STARTTLS\r\n');
    return client;
  };
  const first = [];
  for (let i = 0; i < HANDSHAKES.free + 3; i++) first.push(await upgrade('127.0.9.1'));
  for (const client of first.slice(0, HANDSHAKES.free)) assert.equal((await client.hear()).code, 220);
  assert.equal((await (await upgrade('127.0.8.1')).hear()).code, 220);
  const late = Promise.all(first.slice(HANDSHAKES.free).map((client) => client.hear()));
  assert.equal(await Promise.race([late, new Promise((resolve) => setImmediate(resolve, 'waits'))]), 'waits');
  await clock.advance(HANDSHAKE_TICK_MS);
  assert.deepEqual(
    (await late).map(({ code }) => code),
    [220, 220, 220],
  );
});
