/**
 * A list of texts, numbers and nulls as bytes: numbers (of a text, its length), then what each is,
 * then the texts in UTF-8. Made for speed: each message has two such lists.
 */

import { invariant } from '../../model/errors.ts';

export type Value = string | number | null;

const NULL = 0;
const NUMBER = 1;
const TEXT = 2;

/** The count; the rest of it is nothing. */
const HEAD_BYTES = 8;
const NUMBER_BYTES = 8;

interface Space {
  readonly bytes: Buffer;
  readonly numbers: Float64Array;
}

/** Short texts are joined and written in one go; of a long one, that would copy it once more. */
const LONG_CHARACTERS = 256;

/** What most lists fit in; used again, as fresh memory costs more than what is written. */
const SPACE = spaceOf(64 * 1024);

function spaceOf(size: number): Space {
  const bytes = Buffer.allocUnsafeSlow(size);
  return { bytes, numbers: new Float64Array(bytes.buffer, 0, Math.floor(size / NUMBER_BYTES)) };
}

export function encodeValues(values: readonly Value[]): Buffer {
  const count = values.length;
  const kindsAt = HEAD_BYTES + count * NUMBER_BYTES;
  // UTF-8 has at most three bytes for what is one character to JavaScript.
  let most = kindsAt + count;
  for (let i = 0; i < count; i++) {
    const value = values[i];
    if (typeof value === 'string') most += 3 * value.length;
  }
  const { bytes, numbers } = most <= SPACE.bytes.length ? SPACE : spaceOf(most + NUMBER_BYTES);
  numbers[0] = 0;
  bytes.writeUInt32LE(count, 0);
  let texts = '';
  let end = kindsAt + count;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (typeof value === 'string') {
      bytes[kindsAt + i] = TEXT;
      numbers[i + 1] = value.length;
      if (value.length < LONG_CHARACTERS) texts += value;
      else {
        end += bytes.write(texts, end);
        end += bytes.write(value, end);
        texts = '';
      }
    } else {
      bytes[kindsAt + i] = value === null ? NULL : NUMBER;
      numbers[i + 1] = value ?? 0;
    }
  }
  return Buffer.from(bytes.subarray(0, end + bytes.write(texts, end)));
}

/** Of what `encodeValues` made; throws on everything else. Half a surrogate pair comes back as U+FFFD. */
export function decodeValues(bytes: Buffer): Value[] {
  const count = bytes.length < HEAD_BYTES ? 0 : bytes.readUInt32LE(0);
  const kindsAt = HEAD_BYTES + count * NUMBER_BYTES;
  const textsAt = kindsAt + count;
  invariant(textsAt <= bytes.length, `values of the ledger are as many as they say: ${count}`);
  const texts = bytes.toString('utf8', textsAt);
  const values: Value[] = [];
  let from = 0;
  for (let i = 0; i < count; i++) {
    const kind = bytes[kindsAt + i];
    const number = bytes.readDoubleLE(HEAD_BYTES + i * NUMBER_BYTES);
    if (kind === NULL) values.push(null);
    else if (kind === NUMBER) values.push(number);
    else {
      invariant(kind === TEXT, `a value of the ledger is of a kind that it knows: ${kind}`);
      values.push(texts.slice(from, from + number));
      from += number;
    }
  }
  invariant(from === texts.length, `texts of the ledger are as long as they say: ${texts.length}`);
  return values;
}
