/**
 * Secrets at rest: AES-256-GCM under keys of `secret.key`, a file of its own that ordinary backups
 * leave out.
 *
 * A sealed value is `v1.<key id>.<nonce>.<bytes and tag>`, bound to the name it is kept under, so
 * that one value cannot be put in another's place. Rotation adds a key that seals from then on; older
 * ones still open. Errors: OperationalError `secrets.key-file`, `secrets.unknown-key`,
 * `secrets.damaged`.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { isOperational, OperationalError } from '../model/errors.ts';
import { systemDisk } from '../world/disk.ts';
import { distrustOfFile, distrustOfFolder, isTrustedOwner } from '../world/ownership.ts';
import type { Random } from '../world/random.ts';
import { diskError, isFull } from './blobs/disk-error.ts';

export interface Secrets {
  /** `name`: what the value is, e.g. `dkim/example.com/2026`. */
  seal(name: string, value: Uint8Array): string;
  open(name: string, sealed: string): Uint8Array;
  /** Whether the newest key sealed it; if not, seal it anew. */
  isCurrent(sealed: string): boolean;
  /** Adds a key; returns its id. */
  rotate(): string;
}

interface Key {
  readonly id: string;
  readonly bytes: Buffer;
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const LINE = /^([0-9a-f]{8}) ([A-Za-z0-9+/]{43}=)$/;

/** As `openSecrets`, with its folder. Errors: `secrets.key-file`, and `store.full` or `store.unavailable` where the disk takes no new one. */
export async function openKeyFile(path: string, random: Random): Promise<Secrets> {
  try {
    await systemDisk.ensureFolder(dirname(path));
    // A mounted secret is a link in a folder with the sticky bit. The owner of the file knows every secret.
    const problem = distrustOfFolder(dirname(path), { sticky: true }) ?? distrustOfFile(path, { sticky: true });
    if (problem !== undefined) throw keyFile(path, problem);
    return openSecrets(path, random);
  } catch (cause) {
    if (isOperational(cause)) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    if (isFull(cause) || code === 'EIO') throw diskError(cause, `write the key file ${path}`);
    throw keyFile(path, `this user must be able to read and write it: it says "${message}"`);
  }
}

/** Made on first use. The file has a line a key, the newest last. */
export function openSecrets(path: string, random: Random): Secrets {
  const keys: Key[] = existsSync(path) ? readKeys(path) : [];
  const rotate = (): string => {
    const key = { id: Buffer.from(random.bytes(4)).toString('hex'), bytes: Buffer.from(random.bytes(KEY_BYTES)) };
    writeKeys(path, [...keys, key]);
    keys.push(key);
    return key.id;
  };
  if (keys.length === 0) rotate();

  return {
    seal(name, value) {
      const { id, bytes } = keys.at(-1)!;
      const nonce = Buffer.from(random.bytes(NONCE_BYTES));
      const cipher = createCipheriv('aes-256-gcm', bytes, nonce).setAAD(Buffer.from(name));
      const sealed = Buffer.concat([cipher.update(value), cipher.final(), cipher.getAuthTag()]);
      return `v1.${id}.${nonce.toString('base64url')}.${sealed.toString('base64url')}`;
    },
    open(name, sealed) {
      const [version, id, nonce, rest] = sealed.split('.');
      const octets = Buffer.from(rest ?? '', 'base64url');
      if (version !== 'v1' || octets.length < TAG_BYTES) throw damaged(name);
      const key = keys.find((candidate) => candidate.id === id);
      if (!key) throw unknownKey(name, id ?? '', path);
      try {
        const decipher = createDecipheriv('aes-256-gcm', key.bytes, Buffer.from(nonce ?? '', 'base64url'))
          .setAAD(Buffer.from(name))
          .setAuthTag(octets.subarray(-TAG_BYTES));
        return Buffer.concat([decipher.update(octets.subarray(0, -TAG_BYTES)), decipher.final()]);
      } catch (cause) {
        throw damaged(name, cause);
      }
    },
    isCurrent: (sealed) => sealed.split('.')[1] === keys.at(-1)!.id,
    rotate,
  };
}

function readKeys(path: string): Key[] {
  const keys: Key[] = [];
  for (const line of readClosed(path).split('\n').filter(Boolean)) {
    const [, id, text] = LINE.exec(line) ?? [];
    if (!id || !text) throw keyFile(path, 'each line must be a key id and a key: one is not');
    keys.push({ id, bytes: Buffer.from(text, 'base64') });
  }
  return keys;
}

/** Looked at once it is open: in a folder with the sticky bit a name may be another file's by then. */
function readClosed(path: string): string {
  const file = openSync(path, 'r');
  try {
    const { mode, uid } = fstatSync(file);
    if (!isTrustedOwner(uid)) throw keyFile(path, `it must belong to this user or root: its owner is user id ${uid}`);
    if ((mode & 0o077) !== 0)
      throw keyFile(path, `only its owner may read it (mode 600): its mode is ${(mode & 0o777).toString(8)}`);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

/** A new file takes the old one's place, so that a crash leaves one of them whole. */
function writeKeys(path: string, keys: readonly Key[]): void {
  const draft = `${path}.new`;
  // Exclusively: nothing that lies there already, a link least of all, gets the key.
  rmSync(draft, { force: true });
  const file = openSync(draft, 'wx', 0o600);
  writeSync(file, keys.map(({ id, bytes }) => `${id} ${bytes.toString('base64')}\n`).join(''));
  fsyncSync(file);
  closeSync(file);
  renameSync(draft, path);
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

function keyFile(path: string, why: string): OperationalError {
  return new OperationalError('secrets.key-file', `cannot use the key file ${path}, as ${why}`);
}

function unknownKey(name: string, id: string, path: string): OperationalError {
  return new OperationalError(
    'secrets.unknown-key',
    `cannot open the secret ${name}, as its key must be in ${path}: there is no key ${id}`,
  );
}

function damaged(name: string, cause?: unknown): OperationalError {
  return new OperationalError('secrets.damaged', `cannot open the secret ${name}, as it must be as it was sealed`, {
    cause,
  });
}
