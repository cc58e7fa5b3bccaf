/** PLAIN (RFC 4616) and the old LOGIN: messages to values. Undefined for malformed messages; never throws. */

export interface PlainCredentials {
  /** The account to act as; empty: the authentication identity itself. */
  readonly authorization: string;
  readonly username: string;
  readonly password: string;
}

/** RFC 4616 2: each part at most 255 bytes; more is no password but an attack on the hash. */
const LONGEST_BYTES = 255;

export function parsePlain(message: Uint8Array): PlainCredentials | undefined {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const first = bytes.indexOf(0);
  const second = first < 0 ? -1 : bytes.indexOf(0, first + 1);
  if (second < 0 || bytes.indexOf(0, second + 1) >= 0) return undefined;
  const authorization = decode(bytes.subarray(0, first));
  const username = decode(bytes.subarray(first + 1, second));
  const password = decode(bytes.subarray(second + 1));
  if (authorization === undefined || !username || !password) return undefined;
  return { authorization, username, password };
}

export function formatPlain({ authorization, username, password }: PlainCredentials): Buffer {
  return Buffer.from(`${authorization}\0${username}\0${password}`, 'utf8');
}

/** One answer of LOGIN: the user name, then the password. */
export function parseLoginAnswer(message: Uint8Array): string | undefined {
  return decode(message) || undefined;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array): string | undefined {
  if (bytes.byteLength > LONGEST_BYTES) return undefined;
  try {
    const text = UTF8.decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}
