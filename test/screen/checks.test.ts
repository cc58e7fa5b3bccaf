import assert from 'node:assert/strict';
import test from 'node:test';
import {
  content,
  directory,
  LETTER,
  outcome,
  PLAIN,
  type ScreenOptions,
  SERVER_ADDRESS,
  screening,
  transact,
} from './world.ts';

const run = async (options: ScreenOptions, from: string | null, to: string[], text = LETTER): Promise<string[]> =>
  outcome(await transact(screening(options), from, to, content(text)));

test('a stranger reaches local recipients', async () => {
  assert.deepEqual(await run({}, 'bob@remote.example', ['alice@example.com']), ['inbound', 'accept']);
});

test('a stranger who claims a local sender reaches no remote recipient', async () => {
  assert.deepEqual(await run({}, 'alice@example.com', ['bob@remote.example']), ['550 5.7.1']);
});

for (const [move, to] of [
  ['a percent hack', 'bob%remote.example@example.com'],
  ['a bang path', 'remote.example!bob@example.com'],
  ['a quoted @', '"bob@remote.example"@example.com'],
  ['a source route', '@example.com:bob@remote.example'],
  ['a source route to a recipient who exists', '@remote.example:alice@example.com'],
] as const) {
  test(`a stranger who tries ${move} is refused as a relay, whether such a user exists or not`, async () => {
    assert.deepEqual(await run({}, 'eve@remote.example', [to]), ['550 5.7.1']);
  });
}

test("a domain's mail server sends out for its own domain, and for no other", async () => {
  const options = { client: SERVER_ADDRESS };
  assert.deepEqual(await run(options, 'alice@example.com', ['bob@remote.example']), ['outbound', 'accept']);
  assert.deepEqual(await run(options, 'eve@other.example', ['bob@remote.example']), ['550 5.7.1']);
});

test("a domain's mail server sends out bounces, and a stranger does not", async () => {
  assert.deepEqual(await run({ client: SERVER_ADDRESS }, null, ['bob@remote.example']), ['outbound', 'accept']);
  assert.deepEqual(await run({}, null, ['bob@remote.example']), ['550 5.7.1']);
});

test('the policy domain is the recipient’s, for outbound mail the sender’s', async () => {
  const inbound = await transact(screening(), 'bob@remote.example', ['alice@example.com']);
  const outbound = await transact(screening({ client: SERVER_ADDRESS }), null, ['bob@remote.example']);
  const policyDomain = ([verdict]: typeof inbound.recipients) => verdict?.accepted && verdict.policyDomain;
  assert.equal(policyDomain(inbound.recipients), 'example.com');
  assert.equal(policyDomain(outbound.recipients), 'example.com');
  const bare = await transact(screening(), 'bob@remote.example', ['postmaster']);
  assert.equal(policyDomain(bare.recipients), 'oldest.example', 'whose settings a bare postmaster does not escape');
});

test('an account that signed in sends out; mail between accounts is internal', async () => {
  const account = 'alice@example.com';
  const own = LETTER.replace('bob@remote.example', account);
  assert.deepEqual(await run({ account, profile: 'submission' }, account, ['bob@remote.example', account], own), [
    'outbound',
    'internal',
    'accept,accept',
  ]);
});

test('where the DNS cannot say who the client is, a remote recipient waits and a local one passes', async () => {
  assert.deepEqual(await run({}, 'a@unsure.example', ['bob@remote.example', 'alice@example.com']), [
    '451 4.4.3',
    'inbound',
    'accept',
  ]);
});

test('unknown, disabled and uncertain recipients each get their own code', async () => {
  const to = ['nobody@example.com', 'dora@example.com', 'unsure@example.com'];
  assert.deepEqual(await run({}, 'bob@remote.example', to), ['550 5.1.1', '550 5.2.1', '451 4.4.3']);
});

test('a mailbox that exists and takes no mail now answers 450 4.2.1, one that is full 452 4.2.2', async () => {
  const to = ['resting@example.com', 'full@example.com'];
  assert.deepEqual(await run({}, 'bob@remote.example', to), ['450 4.2.1', '452 4.2.2']);
});

test('a user whose mailbox is full may still send', async () => {
  const options = { client: SERVER_ADDRESS };
  assert.deepEqual(await run(options, 'full@example.com', ['bob@remote.example']), ['outbound', 'accept']);
});

test('postmaster and abuse exist in every spelling; the bare postmaster needs no domain', async () => {
  assert.deepEqual(await run({}, 'bob@remote.example', ['PostMaster@example.com', 'ABUSE@example.com', 'postmaster']), [
    'inbound',
    'inbound',
    'inbound',
    'accept,accept,accept',
  ]);
});

test('an alias leads to all its targets, also those elsewhere', async () => {
  const { recipients } = await transact(screening(), 'bob@remote.example', ['team@example.com']);
  const [verdict] = recipients;
  assert.ok(verdict?.accepted && verdict.viaAlias);
  assert.deepEqual(
    verdict.targets.map(({ text }) => text),
    ['alice@example.com', 'out@remote.example'],
  );
});

test('a domain with nowhere to go defers, and tells the administrator once an hour', async () => {
  const world = screening();
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(outcome(await transact(world, 'bob@remote.example', ['a@empty.example'])), ['451 4.3.5']);
  }
  assert.equal(world.events.count('screen.no-destination'), 1);
  await world.clock.advance(3_600_000);
  await transact(world, 'bob@remote.example', ['a@empty.example']);
  assert.equal(world.events.count('screen.no-destination'), 2);
});

test('a message announced as too large ends at MAIL', async () => {
  const options = { settings: { 'smtp.maxMessageBytes': 100_000 } };
  const announced = { ...PLAIN, sizeBytes: 100_001 };
  const world = screening(options);
  assert.deepEqual(outcome(await transact(world, 'bob@remote.example', ['alice@example.com'], undefined, announced)), [
    '552 5.3.4',
  ]);
});

test('a domain with a smaller limit refuses at RCPT what was announced, and at the end of data what was not', async () => {
  const options = { settings: { 'example.com/smtp.maxMessageBytes': 70_000 } };
  const announced = { ...PLAIN, sizeBytes: 80_000 };
  const letter = content(LETTER + 'x'.repeat(80_000));
  assert.deepEqual(
    outcome(await transact(screening(options), 'bob@remote.example', ['alice@example.com'], letter, announced)),
    ['552 5.3.4'],
  );
  assert.deepEqual(outcome(await transact(screening(options), 'bob@remote.example', ['alice@example.com'], letter)), [
    'inbound',
    '552 5.3.4',
  ]);
});

test('postmaster is not exempt from size', async () => {
  const options = { settings: { 'smtp.maxMessageBytes': 70_000 } };
  const letter = content(LETTER + 'x'.repeat(80_000));
  const result = await transact(screening(options), 'bob@remote.example', ['postmaster@example.com'], letter);
  assert.equal(outcome(result).at(-1), '552 5.3.4');
});

test('a message that came through too many servers is in a loop', async () => {
  const hops = (count: number): string => `${'Received: from a by b\r\n'.repeat(count)}${LETTER}`;
  assert.equal((await run({}, 'b@remote.example', ['alice@example.com'], hops(25))).at(-1), 'accept');
  assert.equal((await run({}, 'b@remote.example', ['alice@example.com'], hops(26))).at(-1), '554 5.4.6');
  const raised = { settings: { 'smtp.maxHops': 100 } };
  assert.equal((await run(raised, 'b@remote.example', ['alice@example.com'], hops(26))).at(-1), 'accept');
});

for (const [what, text] of [
  ['no From field', 'Subject: x\r\n\r\nbody\r\n'],
  ['two From fields', `From: eve@remote.example\r\n${LETTER}`],
  ['a header without end', `X-Long: ${'x'.repeat(70_000)}\r\n${LETTER}`],
] as const) {
  test(`a message with ${what} is refused, or held where the domain says so, or passes`, async () => {
    const options = (action: string): ScreenOptions => ({
      settings: { 'example.com/headerSanity.action': action, 'dmarc.unclearAuthor': 'accept' },
    });
    const last = async (action: string) =>
      (await run(options(action), 'b@remote.example', ['alice@example.com'], text)).at(-1);
    assert.deepEqual(
      [await last('refuse'), await last('quarantine'), await last('accept')],
      ['550 5.6.0', 'hold', 'accept'],
    );
  });
}

test('what is odd but clear passes, and is reported', async () => {
  const text = `From: a@remote.example, b@remote.example\r\nSubject: gr\xfc\xdfe\r\nX-Long: ${'x'.repeat(2000)}\r\nnot a field\r\n\r\nbody\r\n`;
  const { message } = await transact(screening(), 'a@remote.example', ['alice@example.com'], content(text));
  assert.equal(message?.kind, 'commit');
  const odd = message?.findings[0]?.findings.filter(({ check }) => check === 'headerSanity');
  assert.deepEqual(odd?.map(({ code }) => code).sort(), [
    'eight-bit',
    'long-line',
    'malformed-line',
    'several-authors',
  ]);
});

test('a header in a file is read like one in memory', async () => {
  const [inFile, inMemory] = [content(LETTER + 'x'.repeat(300_000), false), content(LETTER)];
  for (const message of [inFile, inMemory]) {
    const result = await transact(screening(), 'b@remote.example', ['alice@example.com'], message);
    assert.deepEqual(result.message?.facts, {
      subject: 'hello',
      headerFrom: 'bob@remote.example',
      messageIdHeader: '<1@remote.example>',
    });
  }
});

test('a directory that cannot be read defers, and blames nobody', async () => {
  const { OperationalError } = await import('../../src/model/errors.ts');
  const broken = directory({
    answer() {
      throw new OperationalError('store.unavailable', 'the database does not answer');
    },
  });
  assert.deepEqual(await run({ directory: broken }, 'b@remote.example', ['alice@example.com']), ['451 4.4.3']);
});
