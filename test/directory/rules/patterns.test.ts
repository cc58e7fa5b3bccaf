import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { readCsv, writeCsv } from '../../../src/directory/rules/csv.ts';
import { addressPattern, hostPattern, matchesWildcards } from '../../../src/directory/rules/pattern.ts';
import { compileWildcards, createPatternTable } from '../../../src/directory/rules/wildcards.ts';
import { canonicalNetwork, parseNetworks } from '../../../src/protocol/network/network.ts';
import { createNetworkTable } from '../../../src/protocol/network/table.ts';
import { canonicalAddress, networkSet } from '../../../src/wire/network.ts';

const RUNS = { numRuns: 300 };

test('networks are masked, compressed, and wildcards that are a prefix become one', () => {
  for (const [typed, stored] of [
    ['127.0.0.1/8', '127.0.0.0/8'],
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7/32', '192.0.2.7'],
    ['10.*.*.*', '10.0.0.0/8'],
    ['192.168.1.1?', '192.168.1.1?'],
    ['FD00::1/8', 'fd00::/8'],
    ['::ffff:192.0.2.0/120', '192.0.2.0/24'],
    ['2001:DB8:0::1', '2001:db8::1'],
  ] as const)
    assert.equal(canonicalNetwork(typed), stored, typed);
});

test('what is no network is refused, however odd', () => {
  for (const text of [
    '',
    '192.0.2',
    '192.0.2.0/33',
    '192.0.2.0/',
    '1.2.3.4/8/8',
    '0x7f.1',
    '010.0.0.1x',
    'fe80::1%eth0',
    '*',
    '10.*.0.0/8',
    '*.*.?.1',
    '999.1.1.1',
    '::/129',
    '-1.2.3.4',
  ])
    assert.equal(canonicalNetwork(text), undefined, text);
});

test('? stands for one digit and * for any number', () => {
  const table = createNetworkTable<true>();
  for (const network of parseNetworks('192.168.*.1?') ?? []) table.add(network, true);
  assert.ok(table.find('192.168.7.10') && table.find('192.168.250.19'));
  for (const other of ['192.168.7.1', '192.168.7.20', '192.168.7.110', '192.169.7.10', '::1'])
    assert.equal(table.find(other), undefined, other);
});

test('a table of networks agrees with a plain comparison of every network', () => {
  const four = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([address, length]) => `${address}/${length}`);
  const six = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })).map(([address, length]) => `${address}/${length}`);
  fc.assert(
    fc.property(
      fc.array(fc.oneof(four, six), { maxLength: 10 }),
      fc.oneof(fc.ipV4(), fc.ipV6()),
      (networks, address) => {
        const plain = networks.filter(
          (network) => network.includes(':') === address.includes(':') && !network.toLowerCase().includes('::ffff:'),
        );
        if (address.toLowerCase().includes('::ffff:')) return;
        const table = createNetworkTable<true>();
        for (const network of networks) for (const one of parseNetworks(network) ?? []) table.add(one, true);
        assert.equal(table.find(address) ?? false, networkSet(plain).has(address));
      },
    ),
    RUNS,
  );
});

test('an IPv6 address that ends in an IPv4 one is found in every spelling', () => {
  const table = createNetworkTable<true>();
  for (const one of parseNetworks('::192.0.2.0/120')!) table.add(one, true);
  for (const spelling of ['::192.0.2.7', '0:0::0:192.0.2.7', '::c000:207']) assert.ok(table.find(spelling), spelling);
  assert.equal(table.find('::192.0.3.7'), undefined);
});

test('an address is read as it is written, and what is none is in no network', () => {
  const everything = createNetworkTable<true>();
  for (const text of ['0.0.0.0/0', '::/0']) for (const one of parseNetworks(text)!) everything.add(one, true);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        fc.ipV6().map((text) => text.toUpperCase()),
      ),
      (address) => {
        assert.ok(everything.find(address), address);
        const one = createNetworkTable<true>();
        for (const network of parseNetworks(canonicalAddress(address))!) one.add(network, true);
        assert.ok(one.find(canonicalAddress(address)), address);
      },
    ),
    RUNS,
  );
  const text = fc.string({ unit: fc.constantFrom('0', '1', 'f', ':', '.', '255', '::', 'g', ' '), maxLength: 12 });
  fc.assert(
    fc.property(text, (address) => assert.equal(everything.find(address) === true, isIP(address) !== 0, address)),
    RUNS,
  );
});

test('the narrowest network answers', () => {
  const table = createNetworkTable<string>();
  for (const text of ['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3'])
    for (const one of parseNetworks(text)!) table.add(one, text);
  assert.deepEqual(
    ['10.1.2.3', '10.1.9.9', '10.9.9.9', '11.0.0.1'].map((address) => table.find(address)),
    ['10.1.2.3', '10.1.0.0/16', '10.0.0.0/8', undefined],
  );
});

test('wildcards agree with the regular expression that they stand for', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
  fc.assert(
    fc.property(letters, text, (pattern, value) => {
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(value);
      assert.equal(matchesWildcards(pattern, value), expected);
      assert.equal(compileWildcards(pattern)(value), expected);
      const table = createPatternTable<string>();
      table.add(pattern, pattern);
      assert.equal(
        table.find(value, () => true),
        expected ? pattern : undefined,
      );
    }),
    RUNS,
  );
});

test('a pattern made to backtrack ends in no time', () => {
  const started = process.cpuUsage();
  for (const matches of [matchesWildcards, (pattern: string, text: string) => compileWildcards(pattern)(text)]) {
    assert.equal(matches('*a'.repeat(150), `${'a'.repeat(100)}${'b'.repeat(200)}`), false);
    assert.equal(matches('*aaa?b'.repeat(60), 'a'.repeat(301)), false);
  }
  assert.ok(process.cpuUsage(started).user < 1_000_000);
});

test('addresses are brought into one form, and what nobody can have is refused', () => {
  for (const [typed, stored] of [
    ['Bob@Remote.Example', 'bob@remote.example'],
    ['@remote.example', '*@remote.example'],
    ['remote.example', '*@remote.example'],
    ['*@*.remote.example', '*@*.remote.example'],
    ['sales*@remote.example', 'sales*@remote.example'],
    ['bob@*.example', 'bob@*.example'],
  ] as const)
    assert.equal(addressPattern(typed), stored, typed);
  for (const text of [
    '',
    '*',
    '*@*',
    'a b@x.example',
    'a@',
    '@',
    'a@b@c.example',
    'a@-x.example',
    '"a*"@x.example',
    `${'a'.repeat(400)}@x.example`,
  ])
    assert.equal(addressPattern(text), undefined, text);
  assert.equal(hostPattern('*.Mail.Example.'), '*.mail.example');
  assert.equal(hostPattern('*'), undefined);
});

test('no text makes the readers of patterns throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      addressPattern(text);
      hostPattern(text);
      parseNetworks(text);
    }),
    RUNS,
  );
});

test('what is written as CSV is read again, whatever is in it', () => {
  const field = fc.string({ maxLength: 20 }).map((text) => text.trim());
  const row = fc.record({
    list: field,
    kind: field,
    owner: field,
    value: fc.string({ minLength: 1, maxLength: 20 }).map((text) => `x${text.trim()}`),
    comment: field,
    expires: field,
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 8 }), (rows) => {
      const read = readCsv(writeCsv(rows)).map(({ line: _, ...rest }) => rest);
      assert.deepEqual(
        read,
        rows.map((one) => ({ ...one })),
      );
    }),
    RUNS,
  );
});

test('the first line names the columns, in any order and with others among them', () => {
  const rows = readCsv('\ufeffComment,Score,Value\r\n"a, ""b""",5,bob@remote.example\r\n\r\nc,,eve@remote.example\n');
  assert.deepEqual(rows, [
    { comment: 'a, "b"', value: 'bob@remote.example', line: 2 },
    { comment: 'c', value: 'eve@remote.example', line: 4 },
  ]);
});

test('a CSV without names, with open quotes or beyond the bounds is refused', () => {
  for (const text of ['', 'bob@remote.example\n', 'value\n"open', `value\n${'a@b.example\n'.repeat(10_001)}`])
    assert.throws(() => readCsv(text), { code: 'rules.invalid' });
});
