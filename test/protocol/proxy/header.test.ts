/** PROXY v1 and v2: at every length, with lies and junk. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseProxyHeader } from '../../../src/protocol/proxy/header.ts';

const V2_MARK = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

function v2(command: number, family: number, block: Buffer, length = block.length): Buffer {
  const head = Buffer.from([command, family, length >> 8, length & 255]);
  return Buffer.concat([V2_MARK, head, block]);
}

const IPV4_BLOCK = Buffer.from([192, 0, 2, 1, 198, 51, 100, 2, 0x04, 0xd2, 0, 25]);

test('a v1 line and what is behind it are told apart at every length', () => {
  const line = 'PROXY TCP4 192.0.2.1 198.51.100.2 1234 25\r\n';
  const bytes = Buffer.from(`${line}EHLO a\r\n`);
  for (let length = 0; length < line.length; length++)
    assert.equal(parseProxyHeader(bytes.subarray(0, length)).kind, 'incomplete', `${length} bytes`);
  assert.deepEqual(parseProxyHeader(bytes), {
    kind: 'header',
    length: line.length,
    version: 1,
    endpoints: { source: { address: '192.0.2.1', port: 1234 }, destination: { address: '198.51.100.2', port: 25 } },
  });
});

test('a v2 header is read at every length, TLVs and all', () => {
  const bytes = Buffer.concat([
    v2(0x21, 0x11, Buffer.concat([IPV4_BLOCK, Buffer.from([4, 0, 1, 0])])),
    Buffer.from('X'),
  ]);
  for (let length = 0; length < bytes.length - 1; length++)
    assert.equal(parseProxyHeader(bytes.subarray(0, length)).kind, 'incomplete', `${length} bytes`);
  assert.deepEqual(parseProxyHeader(bytes), {
    kind: 'header',
    length: bytes.length - 1,
    version: 2,
    endpoints: { source: { address: '192.0.2.1', port: 1234 }, destination: { address: '198.51.100.2', port: 25 } },
  });
});

test('IPv6 comes in its one short form, mapped IPv4 as IPv4', () => {
  const block = Buffer.alloc(36);
  block.set([0x20, 0x01, 0x0d, 0xb8], 0);
  block[15] = 1;
  block.set([0xff, 0xff, 10, 0, 0, 1], 26);
  const header = parseProxyHeader(v2(0x21, 0x21, block));
  assert.equal(header.kind === 'header' && header.endpoints?.source.address, '2001:db8::1');
  assert.equal(header.kind === 'header' && header.endpoints?.destination.address, '10.0.0.1');
});

test('a proxy that speaks for itself names nobody', () => {
  for (const bytes of [
    Buffer.from('PROXY UNKNOWN\r\n'),
    Buffer.from('PROXY UNKNOWN a b c d\r\n'),
    v2(0x20, 0, Buffer.alloc(0)),
    v2(0x21, 0, Buffer.alloc(0)),
  ]) {
    const header = parseProxyHeader(bytes);
    assert.equal(header.kind, 'header');
    assert.equal('endpoints' in header, false);
  }
});

test('a header that lies is malformed, not guessed at', () => {
  const lies: Buffer[] = [
    'PROXY TCP4 2001:db8::1 198.51.100.2 1 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 1 99999\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n',
    'PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n',
    `PROXY TCP4 ${'1'.repeat(120)}`,
  ].map((text) => Buffer.from(text));
  lies.push(
    v2(0x31, 0x11, IPV4_BLOCK),
    v2(0x22, 0x11, IPV4_BLOCK),
    v2(0x21, 0x12, IPV4_BLOCK),
    v2(0x21, 0x11, IPV4_BLOCK.subarray(1)),
    v2(0x21, 0x11, IPV4_BLOCK, 60_000),
  );
  for (const bytes of lies)
    assert.equal(parseProxyHeader(bytes).kind, 'malformed', bytes.toString('latin1').slice(0, 60));
});

test('what is no header is none from its first wrong byte', () => {
  for (const text of ['E', 'EHLO a\r\n', 'PROXZ', 'proxy TCP4', '\r\n\r\n\0\r\nQUIX'])
    assert.equal(parseProxyHeader(Buffer.from(text, 'latin1')).kind, 'none', text);
});

test('no bytes make it throw, or take more than there are', () => {
  const block = fc.uint8Array({ maxLength: 80 });
  fc.assert(
    fc.property(fc.constantFrom(V2_MARK, Buffer.from('PROXY '), Buffer.alloc(0)), block, (mark, bytes) => {
      const all = Buffer.concat([mark, bytes]);
      const header = parseProxyHeader(all);
      if (header.kind === 'header') assert.ok(header.length <= all.length);
    }),
    { numRuns: 1000 },
  );
});
