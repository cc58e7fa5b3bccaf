import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { assertLife } from '../../../src/queue/model/states.ts';
import { claims, inlineEntries, recipients, TRANSITIONS } from '../../../src/queue/model/transitions.ts';

test('a transition from a state that it cannot begin in names the object, its state and the move', () => {
  assert.equal(recipients.release('held', '0123'), 'queued');
  assert.throws(() => recipients.release('queued', '0123'), /recipient 0123 is queued: it cannot release from there/);
  assert.throws(() => claims.handOver('settling', '0123'), /claim 0123 is settling: it cannot handOver/);
  assert.throws(() => inlineEntries.spill('ending', '0123'), /inline entry 0123 is ending: it cannot spill/);
});

test('what the ledger alone has is in somebody’s hand, and what is delivered is being settled', () => {
  assertLife('0123', 'taken', 'noted');
  assert.throws(() => assertLife('0123', 'nobody', 'noted'), /a recipient of 0123 may not be noted/);
  assert.throws(() => assertLife('0123', 'taken', 'ending'), /may not be ending and in the hand of taken/);
});

test('the manual’s table has every way of a recipient, and no other', () => {
  const page = readFileSync('docs/manual/mail-flow.md', 'utf8');
  const table = /\| from \| to \| by \| when \|\n\| --- .*\n((?:\|.*\n)+)/.exec(page)![1]!;
  const written = table
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [, from = '', to = '', by = '', why = ''] = line.split('|').map((cell) => cell.trim());
      return from.split(', ').flatMap((state) => by.split(', ').map((actor) => ({ from: state, to, by: actor, why })));
    });
  assert.deepEqual(written, TRANSITIONS);
});
