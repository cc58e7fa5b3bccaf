import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MessageEvidence } from '../../../src/screen/engine/evidence.ts';
import { recheck } from '../../../src/screen/replay/recheck.ts';
import { tableResolver, txt } from '../checks/origin/table-resolver.ts';
import { address, content, LETTER, PLAIN, type ScreenOptions, screening, transact } from '../world.ts';

const MX = [{ preference: 10, exchange: 'mx.remote.example' }];
const resolver = tableResolver({ 'remote.example': { TXT: [txt('v=spf1 ip4:198.51.100.7 -all')], MX } });
const SPOOFED = LETTER.replace('Bob', 'Jane Doe');

/** Received then, and judged again in another world. */
async function again(text: string, then: ScreenOptions, now: ScreenOptions, to = ['alice@example.com']) {
  const from = 'bob@remote.example';
  const { message } = await transact(screening({ resolver, ...then }), from, to, content(text));
  const world = screening({ resolver, ...now });
  const evidence: MessageEvidence = JSON.parse(JSON.stringify(message!.evidence));
  const mail = { id: 'Q1', reversePath: address(from), parameters: PLAIN, content: content(text), evidence };
  return { before: message!, now: await recheck(world.services, mail), world };
}

test('a message judged again in the same world comes to the same findings and dispositions', async () => {
  const { before, now } = await again(
    SPOOFED,
    { people: { 'jane@example.com': 'Jane Doe' } },
    { people: { 'jane@example.com': 'Jane Doe' } },
  );
  assert.ok(before.kind === 'commit');
  assert.deepEqual(
    now.recipients.map(({ recipient, findings, disposition }) => ({ recipient, findings, disposition })),
    before.findings.map(({ recipient, findings }) => ({
      recipient,
      findings,
      disposition: before.dispositions[0]!.kind,
    })),
  );
  assert.equal(
    now.recipients[0]?.findings.some(({ code }) => code === 'directory-name'),
    true,
  );
});

test('checks of the content look again: a name protected since then is found', async () => {
  const { before, now } = await again(SPOOFED, {}, { people: { 'jane@example.com': 'Jane Doe' } });
  const names = (all: readonly { readonly code: string }[] = []) =>
    all.filter(({ code }) => code === 'directory-name').length;
  assert.equal(names(before.findings[0]?.findings), 0);
  assert.equal(names(now.recipients[0]?.findings), 1);
});

test('checks of the session are judged by what they saw: SPF asks nobody again', async () => {
  const deaf = tableResolver({});
  const { now } = await again(LETTER, {}, { resolver: deaf, settings: { 'spf.passCredit': 3 } });
  assert.deepEqual(
    now.recipients[0]?.findings.filter(({ check }) => check === 'spf').map(({ code, score }) => [code, score]),
    [['pass', -3]],
  );
  assert.ok(!deaf.asked.includes('TXT remote.example'));
});

test('what is stricter now is told as it would be answered', async () => {
  const { now } = await again(
    `${'Received: from a by b\r\n'.repeat(20)}${LETTER}`,
    {},
    { settings: { 'smtp.maxHops': 10 } },
  );
  assert.equal(now.reply?.enhanced, '5.4.6');
});

test('mail of an account is judged again as that account’s, and counts no correspondents twice', async () => {
  const own = LETTER.replace('bob@remote.example', 'alice@example.com');
  const who = { account: 'alice@example.com' };
  const from = 'alice@example.com';
  const { message } = await transact(screening({ resolver, ...who }), from, ['bob@remote.example'], content(own));
  const world = screening({ resolver });
  const mail = {
    id: 'Q1',
    reversePath: address(from),
    parameters: PLAIN,
    content: content(own),
    evidence: message!.evidence,
  };
  const now = await recheck(world.services, mail);
  assert.deepEqual(now.recipients, [{ recipient: 'bob@remote.example', findings: [], disposition: 'accept' }]);
  assert.equal(world.correspondents.knows('remote.example', 1), false);
});

test('without what was seen of its session a message cannot be checked again', async () => {
  const mail = { id: 'Q1', reversePath: null, parameters: PLAIN, content: content(LETTER), evidence: {} };
  await assert.rejects(recheck(screening({ resolver }).services, mail), { code: 'screen.recheck' });
});

test('a message of whose session the log cut what was seen cannot be checked again', async () => {
  const world = screening({ resolver });
  const { message } = await transact(world, 'bob@remote.example', ['alice@example.com'], content(LETTER));
  const evidence: MessageEvidence = JSON.parse(JSON.stringify(message!.evidence));
  const mail = { id: 'Q1', reversePath: null, parameters: PLAIN, content: content(LETTER), evidence };
  await assert.rejects(recheck(world.services, { ...mail, isCut: true }), {
    code: 'screen.recheck',
    message: /was cut/,
  });
});
