/** Whose address is everybody's: what is known, what is guessed, and what this machine's own programs do not change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionFacts } from '../../../src/model/session.ts';
import { createNatWatch } from '../../../src/screen/sender/nat.ts';
import { recordedEvents } from '../../support/events.ts';
import { settings } from '../world.ts';

const GATEWAY = '172.17.0.1';

function watch(values: Record<string, unknown> = {}) {
  const events = recordedEvents();
  const nat = createNatWatch(settings(values), events, [GATEWAY]);
  const facts = (address: string, port = 25, helo = 'mail.example', proxy = false): SessionFacts => ({
    id: 's',
    profile: 'mx',
    client: { address, port: 40_000 },
    local: { address: '192.0.2.1', port },
    ...(proxy && { proxy: { address: '10.0.0.1', port: 1 } }),
    helo,
    extended: true,
    startedAt: 0,
  });
  const sessions = (address: string, count: number, names = 1, port = 25): void => {
    for (let i = 0; i < count; i++) {
      const session = facts(address, port, `host${i % names}.example`);
      nat.count(session);
      nat.greeted(session);
    }
  };
  return { nat, events, sessions, facts, hides: (address: string, port?: number) => nat.hides(facts(address, port)) };
}

test('a private address that a listener sees alone is everybody’s after 50 sessions, and told of once', () => {
  const { nat, events, sessions, hides } = watch();
  sessions('10.0.0.1', 49);
  assert.equal(hides('10.0.0.1'), undefined);
  sessions('10.0.0.1', 1);
  assert.equal(hides('10.0.0.1'), 'counted');
  assert.equal(hides('10.0.0.1'), 'counted');
  assert.equal(events.count('screen.nat'), 1);
  assert.deepEqual(nat.found(), [{ port: 25, address: '10.0.0.1', known: 'counted' }]);
  assert.equal(hides('10.0.0.1', 587), undefined, 'another listener is another matter');
});

test('an office and a server that others reach too are no such address', () => {
  const { sessions, hides } = watch();
  sessions('10.0.0.1', 100);
  sessions('198.51.100.7', 1);
  assert.equal(hides('10.0.0.1'), undefined);
  const open = watch();
  open.sessions('198.51.100.7', 100);
  assert.equal(open.hides('198.51.100.7'), undefined);
});

test('programs of this machine neither are such an address nor hide one', () => {
  const { sessions, hides } = watch();
  sessions('127.0.0.1', 1000, 5);
  assert.equal(hides('127.0.0.1'), undefined);
  sessions('10.0.0.1', 50);
  sessions('::1', 10, 20);
  assert.equal(hides('10.0.0.1'), 'counted');
});

test('a forwarder on this machine is noticed by the many names that come through it', () => {
  const { sessions, hides } = watch();
  sessions('127.0.0.1', 60, 30);
  assert.equal(hides('127.0.0.1'), 'counted');
  const mixed = watch();
  mixed.sessions('198.51.100.7', 1);
  mixed.sessions('127.0.0.1', 60, 30);
  assert.equal(mixed.hides('127.0.0.1'), undefined, 'what sees others is no listener behind a forwarder');
  const spelled = watch();
  for (let i = 0; i < 60; i++) {
    const session = spelled.facts('127.0.0.1', 25, `${i % 2 ? 'Host' : 'host'}${i % 9}.example${i % 3 ? '.' : ''}`);
    spelled.nat.count(session);
    spelled.nat.greeted(session);
  }
  assert.equal(spelled.hides('127.0.0.1'), undefined, 'one name spelled in several ways is one');
});

test('the gateway of a container and what an operator names are known at once; PROXY tells the truth', () => {
  const { nat, hides, facts } = watch({ 'ipShield.natAddresses': ['127.0.0.0/8'] });
  assert.equal(hides(GATEWAY), 'gateway');
  assert.equal(hides('127.0.0.1'), 'setting');
  assert.equal(nat.hides(facts(GATEWAY, 25, 'x', true)), undefined);
});
