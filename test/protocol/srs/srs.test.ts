import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { srsForward, srsReverse } from '../../../src/protocol/srs/srs.ts';

const KEY = Buffer.from('a key of this test');
const OTHER = Buffer.from('a key of someone else');
const local = fc.stringMatching(/^[a-zA-Z0-9.+_-]{1,30}$/);
const sender = fc.record({ local, domain: fc.domain() });

test('a bounce to a rewritten address finds the sender again, also through a relay that changed its case', () => {
  fc.assert(
    fc.property(sender, fc.nat(100_000), fc.nat(20), (address, day, age) => {
      if (/^srs[01]/i.test(address.local)) return;
      const rewritten = srsForward(address, KEY, day);
      assert.deepEqual(srsReverse(rewritten, [KEY], day + age, 20), { kind: 'valid', address: { ...address } });
      assert.equal(srsReverse(rewritten.toUpperCase(), [OTHER, KEY], day + age, 20).kind, 'valid');
    }),
  );
});

test('a chain of forwarders unwinds hop by hop and never grows beyond two', () => {
  const first = srsForward({ local: 'bob', domain: 'elsewhere.example' }, KEY, 100);
  const second = srsForward({ local: first, domain: 'one.example' }, KEY, 100);
  const third = srsForward({ local: second, domain: 'two.example' }, KEY, 100);
  assert.match(second, /^SRS1=.+=one\.example==/);
  assert.match(third, /^SRS1=.+=one\.example==/);
  assert.deepEqual(srsReverse(third, [KEY], 100, 20), {
    kind: 'valid',
    address: { local: first, domain: 'one.example' },
  });
});

test('an address made without the key, with a changed target or after its life leads nowhere', () => {
  const rewritten = srsForward({ local: 'bob', domain: 'elsewhere.example' }, KEY, 1000);
  assert.equal(srsReverse(rewritten, [OTHER], 1000, 20).kind, 'forged');
  assert.equal(srsReverse(rewritten.replace('elsewhere', 'victim'), [KEY], 1000, 20).kind, 'forged');
  assert.equal(srsReverse(rewritten, [KEY], 1021, 20).kind, 'expired');
  assert.equal(srsReverse(rewritten, [KEY], 999, 20).kind, 'valid', 'a clock one day behind');
  assert.equal(srsReverse('alice', [KEY], 1000, 20).kind, 'foreign');
  assert.equal(srsReverse('SRS0=only=this', [KEY], 1000, 20).kind, 'foreign');
});

test('no local part, however odd, makes the reversal throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string().map((text) => `SRS0=${text}`),
      ),
      (text) => void srsReverse(text, [KEY], 5, 20),
    ),
  );
});
