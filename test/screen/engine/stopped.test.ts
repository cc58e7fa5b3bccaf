/** Checks that run out of time, or whose session ends, are told to stop, and stop. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Evidence } from '../../../src/model/finding.ts';
import type { ScreenSession } from '../../../src/screen/contract.ts';
import { type CheckServices, type CheckStage, defineCheck, NOTHING } from '../../../src/screen/engine/check.ts';
import { withSlowNames } from '../../support/slow-zone.ts';
import { setUp } from '../../world/resolver/support.ts';
import { address, content, LETTER, outcome, PLAIN, screening, transact } from '../world.ts';

const FROM = 'bob@remote.example';
const TO = ['alice@example.com'];
const BOUND_S = 5;
const SETTINGS = { 'screen.messageSeconds': BOUND_S };

interface Watched {
  readonly signals: AbortSignal[];
  readonly answers: string[];
}

/** A check that asks name servers that hang, and one name after the other, until it is stopped. */
function hanging(watched: Watched, stage: CheckStage, answers: 'rcpt' | 'message', id = 'hanging') {
  return defineCheck({
    guide: 'a page',
    exempt: [],
    protects: false,
    settings: {},
    codes: {},
    id,
    stage,
    answers,
    async observe(_, { resolver, signal }: CheckServices): Promise<Evidence> {
      watched.signals.push(signal);
      for (let n = 0; !signal.aborted; n++)
        watched.answers.push((await resolver.resolve(`${id}${n}.slow.test`, 'A')).kind);
      signal.throwIfAborted();
      return {};
    },
    judge: () => NOTHING,
  });
}

async function world(t: TestContext, stage: CheckStage, answers: 'rcpt' | 'message') {
  const dns = await setUp(t, withSlowNames({ 'good.test': { A: ['192.0.2.1'] } }));
  const watched: Watched = { signals: [], answers: [] };
  const screen = screening({ dns, settings: SETTINGS, checks: [hanging(watched, stage, answers)] });
  return { ...screen, watched, facts: screen.facts, used: () => dns.resolver.places().used };
}

for (const [stage, answers] of [
  ['mail', 'rcpt'],
  ['rcpt', 'rcpt'],
  ['mail', 'message'],
  ['message', 'message'],
] as const) {
  test(`a check that hangs at ${stage} is told to stop at the bound of ${answers}: its look-ups give their places back, and nothing is left`, async (t) => {
    const { clock, events, used, watched, ...screen } = await world(t, stage, answers);
    const sent = transact(screen, FROM, TO);
    await clock.advance(BOUND_S * 1000 - 1);
    const [signal] = watched.signals;
    assert.ok(signal && !signal.aborted);
    assert.equal(used(), 1);
    await clock.advance(1);
    assert.ok(signal.aborted);
    assert.equal(used(), 0);
    assert.equal(outcome(await sent).at(-1), 'accept');
    // What it asked came to an end, it asked no more, and that it failed is no defect.
    assert.deepEqual(watched.answers, ['unknown']);
    assert.deepEqual([events.count('screen.timeout'), events.count('screen.defect')], [1, 0]);
    assert.equal(clock.pending(), 0);
  });
}

test('a check that is stopped makes the transaction short of no look-up: the rest of it is judged as it is', async (t) => {
  const { clock, used, watched, ...screen } = await world(t, 'rcpt', 'rcpt');
  const sent = transact(screen, FROM, ['alice@example.com', 'team@example.com']);
  await clock.advance(BOUND_S * 1000);
  await clock.advance(BOUND_S * 1000);
  assert.deepEqual(outcome(await sent), ['inbound', 'inbound', 'accept,accept']);
  assert.equal(watched.signals.length, 2);
  assert.equal(used(), 0);
});

test('a check that is awaited later goes on when another one is stopped', async (t) => {
  const dns = await setUp(t, withSlowNames({}));
  const [soon, late]: readonly Watched[] = [
    { signals: [], answers: [] },
    { signals: [], answers: [] },
  ];
  const checks = [hanging(soon!, 'mail', 'rcpt', 'soon'), hanging(late!, 'mail', 'message', 'late')];
  const screen = screening({ dns, settings: SETTINGS, checks });
  const sent = transact(screen, FROM, TO);
  await dns.clock.advance(BOUND_S * 1000);
  assert.deepEqual([soon!.signals[0]?.aborted, late!.signals[0]?.aborted], [true, false]);
  await dns.clock.advance(BOUND_S * 1000);
  assert.deepEqual([late!.signals[0]?.aborted, dns.resolver.places().used], [true, 0]);
  await sent;
});

const ENDS: Readonly<Record<string, (session: ScreenSession) => void>> = {
  'the session ends': (session) => session.reset?.(),
  'another transaction begins': (session) => void session.mail(screening().facts, address(FROM), PLAIN),
};

for (const [when, end] of Object.entries(ENDS)) {
  test(`checks are told to stop when ${when}, and nothing is left`, async (t) => {
    const { clock, used, watched, session, facts } = await world(t, 'message', 'message');
    await session.mail(facts, address(FROM), PLAIN);
    const recipient = { address: address('alice@example.com') };
    await session.recipient(recipient);
    const envelope = { reversePath: address(FROM), ...PLAIN, recipients: [recipient] };
    const screened = session.message(envelope, content(LETTER));
    await clock.advance(1);
    assert.equal(used(), 1);
    end(session);
    assert.ok(watched.signals[0]?.aborted);
    assert.equal(used(), 0);
    await screened;
    assert.deepEqual(watched.answers, ['unknown']);
    assert.equal(clock.pending(), 0);
  });
}
