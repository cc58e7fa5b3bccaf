/** Lines out of chunks, networks out of addresses, and who may enter. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createAdmission } from '../../src/wire/admission.ts';
import { InputBuffer } from '../../src/wire/framing.ts';
import { canonicalAddress, networkOf, networkSet } from '../../src/wire/network.ts';

function linesOf(chunks: readonly string[], limit = 100): string[] {
  const input = new InputBuffer();
  const lines: string[] = [];
  for (const chunk of chunks) {
    input.push(Buffer.from(chunk));
    for (let line = input.takeLine(limit); line !== 'incomplete'; line = input.takeLine(limit)) {
      lines.push(String(line));
      if (line === 'bare-lf' || line === 'endless') return lines;
    }
  }
  return lines;
}

test('lines come out alike however they are cut', () => {
  const chunks = fc.array(fc.string({ unit: fc.constantFrom('a', '\r\n', '\r', 'bb'), maxLength: 20 }), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(chunks, (parts) => {
      const whole = parts.join('');
      assert.deepEqual(linesOf(parts), whole.split('\r\n').slice(0, -1));
      assert.deepEqual(linesOf([...whole]), linesOf(parts));
    }),
    { numRuns: 500 },
  );
});

test('a line beyond its limit is told once it has ended, and the next is whole', () => {
  assert.deepEqual(linesOf([...`${'a'.repeat(98)}\r\n${'b'.repeat(99)}\r\n${'c'.repeat(500)}\r\nd\r\n`]), [
    'a'.repeat(98),
    'too-long',
    'too-long',
    'd',
  ]);
});

test('a line that never ends is given up without being kept', () => {
  const input = new InputBuffer();
  let line: unknown = 'incomplete';
  for (let i = 0; line === 'incomplete'; i++) {
    input.push(Buffer.alloc(50, 'x'));
    line = input.takeLine(100);
    assert.ok(input.length <= 100 && i < 2000);
  }
  assert.equal(line, 'endless');
});

test('a bare LF ends nothing, at any place', () => {
  for (const text of ['\n', 'a\n', 'a\nb\r\n', `${'a'.repeat(200)}\n`])
    assert.deepEqual(linesOf([...text]), ['bare-lf'], JSON.stringify(text));
});

test('an address has one spelling, and a network', () => {
  const cases: readonly [string, string, string][] = [
    ['192.0.2.1', '192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80::1', 'fe80:0:0:0::/64'],
    ['::1', '::1', '0:0:0:0::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['1:0:0:4:5:6:7:8', '1::4:5:6:7:8', '1:0:0:4::/64'],
  ];
  for (const [address, canonical, network] of cases) {
    assert.equal(canonicalAddress(address), canonical);
    assert.equal(networkOf(canonical), network);
  }
});

test('two addresses of one /64 share a network, whatever zeros they hide', () => {
  const group = fc.constantFrom('0', '1', 'abcd');
  const eight = fc.tuple(group, group, group, group, group, group, group, group);
  fc.assert(
    fc.property(eight, (groups) => {
      const expected = `${groups.slice(0, 4).join(':')}::/64`;
      assert.equal(networkOf(canonicalAddress(groups.join(':'))), expected);
    }),
    { numRuns: 500 },
  );
});

test('a set of networks has what it was given, and a malformed one is named', () => {
  const set = networkSet(['192.0.2.0/24', '2001:db8::/32', '10.0.0.1']);
  for (const address of ['192.0.2.9', '2001:db8:5::1', '10.0.0.1']) assert.ok(set.has(address), address);
  for (const address of ['192.0.3.9', '2001:db9::1', '10.0.0.2']) assert.ok(!set.has(address), address);
  assert.ok(!networkSet([]).has('127.0.0.1'));
  for (const bad of ['x', '192.0.2.0/33', '192.0.2.0/-1', '192.0.2.0/', '::/129'])
    assert.throws(() => networkSet([bad]), { code: 'network.malformed' }, bad);
});

test('admission counts in all and by network, and gives back', () => {
  const admission = createAdmission();
  const limits = { connections: 2, connectionsPerNetwork: 1 };
  assert.equal(admission.enter(limits), undefined);
  assert.equal(admission.enter(limits), undefined);
  assert.equal(admission.enter(limits), 'too-many-connections');
  admission.leave();
  assert.equal(admission.enter(limits), undefined);
  assert.equal(admission.enterNetwork('192.0.2.1', limits), undefined);
  assert.equal(admission.enterNetwork('192.0.2.1', limits), 'too-many-from-network');
  admission.leaveNetwork('192.0.2.1');
  assert.equal(admission.enterNetwork('192.0.2.1', limits), undefined);
  for (let i = 0; i < 3; i++) assert.equal(admission.enterNetwork('127.0.0.1', limits), undefined);
});
