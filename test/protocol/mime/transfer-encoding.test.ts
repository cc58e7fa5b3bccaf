import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BodyEncoder, createBase64Encoder, decodeBase64 } from '../../../src/protocol/mime/base64.ts';
import {
  createQuotedPrintableEncoder,
  decodeQuotedPrintable,
  encodeQuotedPrintable,
} from '../../../src/protocol/mime/quoted-printable.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const bytes = fc.uint8Array({ maxLength: 2000 });

function inChunks(encoder: BodyEncoder, input: Uint8Array, size: number): string {
  let out = '';
  for (let at = 0; at < input.length; at += size) out += text(encoder.push(input.subarray(at, at + size)));
  return out + text(encoder.end());
}

test('base64 decodes what it encoded, at every chunk size, in lines of 76', () => {
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 200 }), (input, size) => {
      const encoded = inChunks(createBase64Encoder(), input, size);
      assert.equal(encoded.replaceAll('\r\n', ''), Buffer.from(input).toString('base64'));
      assert.ok(encoded.split('\r\n').every((line) => line.length <= 76));
      assert.deepEqual(decodeBase64(Buffer.from(encoded)), { bytes: input, isMalformed: false });
    }),
  );
});

test('quoted-printable decodes what it encoded, at every chunk size, in lines of 76', () => {
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 200 }), (input, size) => {
      const encoded = inChunks(createQuotedPrintableEncoder(), input, size);
      assert.equal(encoded, text(encodeQuotedPrintable(input)));
      assert.ok(encoded.split('\r\n').every((line) => line.length <= 76));
      assert.deepEqual(decodeQuotedPrintable(Buffer.from(encoded)), { bytes: input, isMalformed: false });
    }),
  );
});

test('quoted-printable keeps line breaks and readable text readable', () => {
  assert.equal(
    text(encodeQuotedPrintable(Buffer.from('a = b\r\n\tend \r\nü.\r\n'))),
    'a =3D b\r\n\tend=20\r\n=C3=BC.\r\n',
  );
});

test('base64 passes over what is not of its alphabet, and tells it', () => {
  const decode = (input: string): [string, boolean] => {
    const { bytes: decoded, isMalformed } = decodeBase64(Buffer.from(input));
    return [text(decoded), isMalformed];
  };
  assert.deepEqual(decode('aGVs\r\n bG8='), ['hello', false]);
  assert.deepEqual(decode('aGVs!bG8='), ['hello', true]);
  assert.deepEqual(decode('aGVsbG8'), ['hello', true]);
  assert.deepEqual(decode('aGk=aGk='), ['hihi', true]);
  assert.deepEqual(decode('=aGk='), ['hi', true]);
});

test('quoted-printable drops white space at line ends and leaves wrong escapes as they are', () => {
  const decode = (input: string): [string, boolean] => {
    const { bytes: decoded, isMalformed } = decodeQuotedPrintable(Buffer.from(input));
    return [text(decoded), isMalformed];
  };
  assert.deepEqual(decode('a \t\r\nb= \t\r\nc=20 '), ['a\r\nbc ', false]);
  assert.deepEqual(decode('=3d=ZZ='), ['==ZZ', true]);
  assert.deepEqual(decode('soft=\nbreak'), ['softbreak', false]);
});
