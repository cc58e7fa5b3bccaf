import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { unpack } from '../../src/report/incoming/unpack.ts';
import { UNPACKED_AT_LEAST, UNPACKED_BYTES, UNPACKED_RATIO } from '../../src/report/limits.ts';
import { zip } from './zip.ts';

const XML = Buffer.from('<feedback/>');

test('a report comes out of gzip, of ZIP, and as it is', async () => {
  for (const packed of [XML, gzipSync(XML), zip([{ name: 'report.xml', bytes: XML }])])
    assert.deepEqual(Buffer.from(await unpack(packed)), XML);
});

test('a folder in front of the file in a ZIP is passed over', async () => {
  const packed = zip([
    { name: 'reports/', bytes: Buffer.alloc(0) },
    { name: 'reports/one.xml', bytes: XML },
  ]);
  assert.deepEqual(Buffer.from(await unpack(packed)), XML);
});

test('an attacker who sends a gzip bomb has it cut off at the bound', async () => {
  const bomb = gzipSync(Buffer.alloc(UNPACKED_BYTES + 1));
  assert.ok(bomb.length < 100_000);
  await assert.rejects(unpack(bomb), /more than \d+ bytes/);
});

test('an attacker who sends a ZIP bomb has it refused by what it promises', async () => {
  await assert.rejects(unpack(zip([{ name: 'a.xml', bytes: Buffer.alloc(UNPACKED_BYTES + 1) }])), /more than/);
});

test('an attacker whose ZIP promises little and holds much has it refused', async () => {
  const lie = zip([{ name: 'a.xml', bytes: Buffer.alloc(UNPACKED_BYTES + 1), claimedSize: 100 }]);
  await assert.rejects(unpack(lie), /too many bytes|more than/);
});

test('an attacker who packs an archive into an archive has it left alone', async () => {
  await assert.rejects(unpack(gzipSync(gzipSync(XML))), /archive in an archive/);
  await assert.rejects(unpack(zip([{ name: 'a.zip', bytes: zip([{ name: 'a.xml', bytes: XML }]) }])), /archive in an/);
});

test('an attacker who sends folders without end, or an encrypted file, gets a sentence each', async () => {
  const folders = Array.from({ length: 50 }, (_, i) => ({ name: `${i}/`, bytes: Buffer.alloc(0) }));
  await assert.rejects(unpack(zip(folders)), /too many folders/);
  await assert.rejects(unpack(zip([{ name: 'a.xml', bytes: XML, encrypted: true }])), /encrypted/);
});

test('an attacker who names the file ../../etc/passwd writes nowhere', async () => {
  await assert.rejects(unpack(zip([{ name: '../../etc/passwd', bytes: XML }])), /relative path/);
});

test('whatever follows the first octets of an archive, the answer is its inside or a sentence', async () => {
  const packings = fc.constantFrom([0x1f, 0x8b, 8, 0], [0x50, 0x4b, 3, 4]);
  const tails = fc.uint8Array({ maxLength: 200 });
  const whole = zip([{ name: 'a.xml', bytes: XML }]);
  await fc.assert(
    fc.asyncProperty(packings, tails, fc.nat(), fc.nat(255), async (start, tail, at, value) => {
      const broken = Buffer.from(whole);
      broken[at % broken.length] = value;
      for (const bytes of [Buffer.from([...start, ...tail]), broken])
        await unpack(bytes).catch((error: unknown) => assert.ok(error instanceof Error));
    }),
    { numRuns: 300 },
  );
});

test('an attacker packs 19 MB of blanks, or of anything that repeats, into some kilobytes: it is cut off in proportion', async () => {
  for (const filling of [' ', '<a/>', '{},']) {
    const bomb = gzipSync(filling.repeat(19_000_000 / filling.length));
    await assert.rejects(unpack(bomb), ({ message }: Error) => {
      const most = Number(/more than (\d+) bytes/.exec(message)?.[1]);
      return most <= Math.max(UNPACKED_AT_LEAST, bomb.length * UNPACKED_RATIO) && most < 19_000_000 / 2;
    });
  }
});

test('ten thousand honest records come out of their packing', async () => {
  const record = (i: number): string =>
    `<record><row><source_ip>192.0.${i >> 8}.${i & 255}</source_ip><count>${i}</count></row><identifiers><header_from>receiver.example</header_from></identifiers></record>`;
  const xml = Array.from({ length: 10_000 }, (_, i) => record(i)).join('\n');
  assert.equal((await unpack(gzipSync(xml, { level: 9 }))).length, xml.length);
});
