import assert from 'node:assert/strict';
import test from 'node:test';
import { isPromise } from '../../../src/model/maybe-promise.ts';
import { type Check, defineCheck, NOTHING, type RecipientContext } from '../../../src/screen/engine/check.ts';
import { CHECKS } from '../../../src/screen/index.ts';
import { address, content, directory, LETTER, outcome, PLAIN, screening, transact } from '../world.ts';

const BASE = { guide: 'a page', exempt: [], protects: false, settings: {}, codes: { bad: 'it is bad' } } as const;
const FROM = 'bob@remote.example';
const TO = ['alice@example.com'];

/** A check of the message stage whose evidence is a promise that the test keeps. */
function slow(protects: boolean, evidence: Promise<{ ok: boolean }>): Check {
  return defineCheck({
    ...BASE,
    id: 'slow',
    stage: 'message',
    protects,
    observe: () => evidence,
    judge: ({ ok }) => (ok ? NOTHING : [{ code: 'bad', action: 'refuse' }]),
  });
}

type Half = 'observe' | 'a promise of observe' | 'nothing from observe' | 'judge' | 'edits' | 'conclude';

function fail(): never {
  throw new Error('a defect');
}

/** Accepts whatever it finds, as far as its settings go. */
const defective = (protects: boolean, half: Half): Check =>
  defineCheck({
    ...BASE,
    id: 'defective',
    stage: 'message',
    protects,
    policy: { enabled: true, action: 'accept', quarantine: 'user', score: 0 },
    observe() {
      if (half === 'observe') fail();
      if (half === 'a promise of observe') return Promise.reject(new Error('a defect'));
      return (half === 'nothing from observe' ? undefined : {}) as Record<string, never>;
    },
    judge: () => (half === 'judge' ? fail() : NOTHING),
    edits: () => (half === 'edits' ? fail() : NOTHING),
    conclude: (evidence) => (half === 'conclude' ? fail() : evidence),
  });

test('while every check answers at once, no promise is made anywhere', () => {
  const checks = CHECKS.filter(({ lazy }) => !lazy);
  const { session, facts } = screening({ checks });
  const reversePath = address(FROM);
  const recipient = { address: address('alice@example.com') };
  const steps = [
    session.connect(),
    session.ehlo(facts),
    session.mail(facts, reversePath, PLAIN),
    session.recipient(recipient),
    session.message({ reversePath, ...PLAIN, recipients: [recipient] }, content(LETTER)),
  ];
  assert.deepEqual(
    steps.map((step) => isPromise<unknown>(step)),
    [false, false, false, false, false],
  );
});

test('a directory that answers later gives the same answers', async () => {
  const later = directory({ answer: () => Promise.resolve() });
  const result = await transact(screening({ directory: later }), FROM, [
    ...TO,
    'nobody@example.com',
    'x@remote.example',
  ]);
  assert.deepEqual(outcome(result), ['inbound', '550 5.1.1', '550 5.7.1', 'accept']);
});

for (const half of ['observe', 'a promise of observe', 'nothing from observe', 'judge', 'edits', 'conclude'] as const) {
  test(`a defect in ${half} is an event; mail waits where the check protects, and passes where it does not`, async () => {
    for (const [protects, last] of [
      [true, '451 4.3.0'],
      [false, 'accept'],
    ] as const) {
      const world = screening({ checks: [defective(protects, half)] });
      const result = await transact(world, FROM, TO);
      assert.equal(outcome(result).at(-1), last);
      assert.equal(result.message?.findings[0]?.findings[0]?.outcome, 'error');
      assert.equal(world.events.last('screen.defect')?.check, 'defective');
      const off = screening({ checks: [defective(protects, half)], settings: { 'defective.enabled': false } });
      assert.equal(outcome(await transact(off, FROM, TO)).at(-1), 'accept', 'a check that is off protects nothing');
    }
  });
}

test('a check that builds on one with a defect has no result either, and one event is enough', async () => {
  const building = defineCheck({
    ...BASE,
    id: 'building',
    stage: 'message',
    protects: true,
    observe: (view) => ({ found: view.observed('defective') !== undefined }),
    judge: () => NOTHING,
  });
  // The first is no protection by itself.
  const world = screening({ checks: [defective(false, 'observe'), building] });
  assert.equal(outcome(await transact(world, FROM, TO)).at(-1), '451 4.3.0');
  assert.equal(world.events.count('screen.defect'), 1);
  assert.equal(world.events.last('screen.defect')?.check, 'defective');
});

test('whatever may refuse, hold, score or mark mail protects; only what annotates passes with a defect', () => {
  const annotating = CHECKS.filter(({ protects }) => !protects).map(({ id }) => id);
  assert.deepEqual(annotating, ['bimi']);
});

test('a check that does not answer in time is a 451 where it protects, and left out where it does not', async () => {
  for (const [protects, last] of [
    [true, '451 4.3.0'],
    [false, 'accept'],
  ] as const) {
    const world = screening({ checks: [slow(protects, new Promise(() => {}))] });
    const result = transact(world, FROM, TO);
    await world.clock.advance(60_000);
    assert.equal(outcome(await result).at(-1), last);
    assert.deepEqual(world.events.last('screen.timeout')?.checks, ['slow']);
  }
});

test('an answer in time leaves no timer behind', async () => {
  const world = screening({ checks: [slow(true, Promise.resolve({ ok: false }))] });
  assert.equal(outcome(await transact(world, FROM, TO)).at(-1), '550 5.7.1');
  assert.equal(world.clock.pending(), 0);
});

test('a check may start at MAIL and be awaited at the end of data; it runs once for all recipients', async () => {
  const started: string[] = [];
  let answer = (_: { ok: boolean }): void => {};
  const early = defineCheck({
    ...BASE,
    id: 'early',
    stage: 'mail',
    answers: 'message',
    observe({ stage }) {
      started.push(stage);
      return new Promise<{ ok: boolean }>((resolve) => {
        answer = resolve;
      });
    },
    judge: ({ ok }) => (ok ? NOTHING : [{ code: 'bad', action: 'quarantine-user' }]),
  });
  const world = screening({ checks: [early] });
  const result = transact(world, FROM, ['alice@example.com', 'team@example.com']);
  await world.clock.advance(0);
  assert.deepEqual(started, ['mail']);
  answer({ ok: false });
  assert.equal(outcome(await result).at(-1), 'hold,hold');
  assert.deepEqual((await result).message?.evidence['early'], { ok: false });
});

test('what is observed at RCPT may be answered at the end of data, each recipient for itself', async () => {
  const late = defineCheck({
    ...BASE,
    id: 'late',
    stage: 'rcpt',
    answers: 'message',
    observe: ({ recipient }) => Promise.resolve({ local: recipient.address.local }),
    judge: ({ local }) => (local === 'alice' ? [{ code: 'bad', action: 'quarantine-user' }] : NOTHING),
  });
  const result = await transact(screening({ checks: [late] }), FROM, ['team@example.com', 'alice@example.com']);
  assert.deepEqual(outcome(result), ['inbound', 'inbound', 'accept,hold']);
});

test('before RCPT only a check of the whole server refuses; another speaks at RCPT', async () => {
  const atMail = (scope?: 'server'): Check =>
    defineCheck({
      ...BASE,
      id: 'atMail',
      stage: 'mail',
      ...(scope && { scope }),
      observe: () => ({}),
      judge: () => [{ code: 'bad', action: 'refuse' }],
    });
  assert.deepEqual(outcome(await transact(screening({ checks: [atMail('server')] }), FROM, TO)), ['550 5.7.1']);
  const spoken = await transact(screening({ checks: [atMail()] }), FROM, TO);
  assert.equal(spoken.mail.refusal, undefined);
  assert.deepEqual(outcome(spoken), ['550 5.7.1']);
});

test('a check with the shared schema obeys on, action, score and exemptions of the policy domain', async () => {
  const shared = defineCheck({
    ...BASE,
    id: 'shared',
    stage: 'message',
    exempt: ['authenticated'],
    policy: { enabled: true, action: 'quarantine', quarantine: 'user', score: 7 },
    observe: () => ({}),
    judge: () => [{ code: 'bad' }],
  });
  const run = async (table: Record<string, unknown>, account?: string) => {
    const options = { checks: [shared], settings: table, ...(account && { account }) };
    return transact(screening(options), FROM, TO);
  };
  const held = await run({});
  assert.equal(outcome(held).at(-1), 'hold');
  assert.equal(held.message?.findings[0]?.findings[0]?.score, 7);
  assert.equal(outcome(await run({ 'example.com/shared.enabled': false })).at(-1), 'accept');
  assert.equal(outcome(await run({ 'shared.action': 'refuse' })).at(-1), '550 5.7.1');
  assert.equal(outcome(await run({}, 'alice@example.com')).at(-1), 'accept');
  assert.equal(outcome(await run({ 'example.com/shared.exempt': [] }, 'alice@example.com')).at(-1), 'hold');
});

test('a setting that changes during a transaction counts from the next one', async () => {
  const world = screening();
  const { session, facts } = world;
  const reversePath = address(FROM);
  const recipient = { address: address('alice@example.com') };
  const letter = content(`${'Received: from a by b\r\n'.repeat(20)}${LETTER}`);
  await session.mail(facts, reversePath, PLAIN);
  await session.recipient(recipient);
  world.settings.set('smtp.maxHops', 10);
  const verdict = await session.message({ reversePath, ...PLAIN, recipients: [recipient] }, letter);
  assert.equal(verdict.kind, 'commit');
  assert.equal(outcome(await transact(world, FROM, TO, letter)).at(-1), '554 5.4.6');
});

test('domains share a policy while their settings for the whole message come to the same, wherever they were set', async () => {
  const { session, facts } = screening({
    settings: {
      'dmarc.score': 3,
      'same.example/dmarc.score': 3,
      'same.example/reverseLookupHelo.score': 9,
      'other.example/dmarc.score': 4,
    },
  });
  await session.mail(facts, address(FROM), PLAIN);
  for (const like of ['example.com', 'plain.example', 'same.example', ''])
    assert.ok(session.haveOnePolicy('example.com', like), like);
  assert.ok(!session.haveOnePolicy('example.com', 'other.example'));
});

test('a defect of the directory ends the command that needed it, and nothing else', async () => {
  const defective = directory({ answer: () => Promise.reject(new Error('a defect')) });
  const { session, facts } = screening({ directory: defective });
  await session.mail(facts, address(FROM), PLAIN);
  await assert.rejects(async () => session.recipient({ address: address('alice@example.com') }), /a defect/);
});

test('a recipient whom receive turned away after all has no disposition', async () => {
  const { session, facts } = screening();
  const reversePath = address(FROM);
  const [away, stays] = [{ address: address('postmaster') }, { address: address('alice@example.com') }];
  await session.mail(facts, reversePath, PLAIN);
  await session.recipient(away);
  await session.recipient(stays);
  const verdict = await session.message({ reversePath, ...PLAIN, recipients: [stays] }, content(LETTER));
  assert.equal(verdict.kind === 'commit' && verdict.dispositions.length, 1);
  assert.deepEqual(Object.keys(verdict.evidence['recipients'] ?? {}), ['alice@example.com']);
});

test('what a check calls clear says nothing and edits nothing, whatever the settings and whoever it is about', () => {
  const values = (check: Check, turned: boolean): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(check.settings).map(([name, { default: value }]) => [
        name,
        turned && typeof value === 'boolean' ? !value : value,
      ]),
    );
  const whoever: RecipientContext[] = [];
  for (const sender of ['authenticated', 'domain-server', 'shielded', 'stranger', 'cannot-tell'] as const)
    for (const direction of ['inbound', 'internal', 'outbound'] as const)
      whoever.push({ address: 'alice@example.com', direction, sender, policyDomain: 'example.com', role: false });
  const clear = CHECKS.filter((check) => check.clear);
  assert.ok(clear.length > 10);
  for (const check of clear)
    for (const turned of [false, true])
      for (const context of whoever) {
        const settings = values(check, turned);
        assert.equal(check.judge(check.clear!, settings, context, { score: 9, suspect: 'spf' }).length, 0, check.id);
        assert.equal(check.edits?.(check.clear!, settings, context).length ?? 0, 0, check.id);
      }
});

test('a check that is off everywhere is not observed at any stage, and leaves no word in the log', async () => {
  let looks = 0;
  const dear = defineCheck({
    ...BASE,
    id: 'dear',
    stage: ['mail', 'message'],
    lazy: true,
    policy: { enabled: false, action: 'accept', quarantine: 'user', score: 0 },
    observe: () => ({ look: ++looks }),
    judge: () => NOTHING,
  });
  const send = (settings: Record<string, unknown>) => transact(screening({ checks: [dear], settings }), FROM, TO);
  assert.equal((await send({})).message?.evidence['dear'], undefined);
  assert.equal(looks, 0);
  assert.deepEqual((await send({ 'example.com/dear.enabled': true })).message?.evidence['dear'], { look: 2 });
});

test('no list in evidence is frozen, which would make it slow to become JSON', async () => {
  const lists = (value: unknown): readonly unknown[][] => {
    if (typeof value !== 'object' || value === null) return [];
    return [...(Array.isArray(value) ? [value] : []), ...Object.values(value).flatMap(lists)];
  };
  const { message } = await transact(screening(), FROM, TO);
  const found = [...lists(message?.evidence), ...CHECKS.flatMap(({ clear }) => lists(clear))];
  assert.ok(found.length > 5);
  assert.ok(!found.some(Object.isFrozen));
});
