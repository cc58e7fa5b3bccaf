import assert from 'node:assert/strict';
import test from 'node:test';
import type { Action, Finding } from '../../../src/model/finding.ts';
import { decide, strongest } from '../../../src/screen/engine/decide.ts';

const DECLARED = ['first', 'second'];
const finding = (check: string, action: Action): Finding => ({
  check,
  outcome: 'fail',
  code: 'bad',
  text: 'it is bad',
  action,
  reply: { code: action === 'defer' ? 451 : 550, enhanced: '5.7.1', text: check },
});
const kinds = (decision: ReturnType<typeof decide>): string[] =>
  decision.kind === 'reply'
    ? [`reply ${decision.reply.code} ${decision.reply.text}`]
    : decision.dispositions.map(({ kind }) => kind);

test('one deferred recipient defers the message for all', () => {
  const deciding = [undefined, finding('first', 'refuse'), finding('second', 'defer')];
  assert.deepEqual(kinds(decide(deciding, 'stranger', DECLARED)), ['reply 451 second']);
});

test('when all are refused, the first refusing check in declared order gives the one reply', () => {
  const deciding = [finding('second', 'refuse'), finding('first', 'refuse')];
  assert.deepEqual(kinds(decide(deciding, 'stranger', DECLARED)), ['reply 550 first']);
});

test('a late refusal is held for administrators, and tells only a sender whom we know', () => {
  const deciding = [undefined, finding('first', 'refuse')];
  const stranger = decide(deciding, 'stranger', DECLARED);
  assert.deepEqual(stranger.kind === 'commit' && stranger.dispositions, [
    { kind: 'accept' },
    { kind: 'hold', class: 'admin', reason: 'late refusal: first: it is bad', by: { check: 'first', code: 'bad' } },
  ]);
  const known = decide(deciding, 'domain-server', DECLARED);
  const late = known.kind === 'commit' && known.dispositions[1];
  assert.equal(late && late.kind === 'hold' && late.tellSender?.code, 550);
});

test('of several findings the strongest decides, whatever their order', () => {
  const order: readonly Action[] = [
    'accept',
    'quarantine-user',
    'redirect',
    'discard',
    'quarantine-admin',
    'refuse',
    'defer',
  ];
  for (let weak = 0; weak < order.length; weak++) {
    for (let strong = Math.max(weak, 1); strong < order.length; strong++) {
      const pair = [
        finding('first', order[weak]!),
        { ...finding('second', order[strong]!), outcome: 'error' } as const,
      ];
      assert.equal(strongest(pair)?.action, order[strong]);
      assert.equal(strongest(pair.toReversed())?.action, order[strong]);
    }
  }
});

test('a defer for what a check knows yields to a refusal, and one for what it cannot tell does not', () => {
  const refused = finding('first', 'refuse');
  const mild = finding('second', 'defer');
  const unknown: Finding = { ...mild, outcome: 'error' };
  for (const [findings, decides] of [
    [[refused, mild], refused],
    [[refused, unknown], unknown],
    [[mild, unknown], unknown],
    [[mild, finding('first', 'quarantine-admin')], mild],
  ] as const) {
    assert.equal(strongest(findings), decides);
    assert.equal(strongest(findings.toReversed()), decides);
  }
});

test('a redirection without a target is held, never lost', () => {
  assert.deepEqual(kinds(decide([finding('first', 'redirect')], 'stranger', DECLARED)), ['hold']);
});
