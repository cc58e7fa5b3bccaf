/**
 * Where the control socket of a data folder is: in the folder, or, where that path would be longer
 * than the kernel allows, under a hashed name in a folder of the data folder's owner (0700). Both
 * sides find the same path without asking each other.
 */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OperationalError } from '../model/errors.ts';
import { SOCKET_PATH_BYTES } from './limits.ts';

/** Not `os.tmpdir()`: the environment of a service and of a shell differ. */
const RUNTIME = '/tmp';

/** `folder` exists. */
export function controlSocketPath(folder: string): string {
  const real = realpathSync(folder);
  const plain = join(real, 'control.sock');
  if (Buffer.byteLength(plain) <= SOCKET_PATH_BYTES) return plain;
  const name = createHash('sha256').update(real).digest('hex').slice(0, 32);
  return join(RUNTIME, `postern-${statSync(real).uid}`, `${name}.sock`);
}

/** Makes the runtime folder where one is needed. Errors: OperationalError `control.folder`, when it is somebody else's. */
export function ensureSocketFolder(folder: string, socketPath: string): void {
  const runtime = dirname(socketPath);
  if (runtime === realpathSync(folder)) return;
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(runtime);
  // Anybody may have made it before us, to own our socket's folder.
  if (lstatSync(runtime).isDirectory() && uid === process.getuid?.() && (mode & 0o077) === 0) return;
  throw new OperationalError(
    'control.folder',
    `cannot open the control socket, as ${runtime} must be a folder of this user that nobody else may enter: it is not`,
  );
}
