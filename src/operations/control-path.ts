/**
 * The location of the control socket of a data folder: always `control.sock` in it, and never in a folder that others
 * share.
 *
 * A path that is longer than the kernel allows goes through a descriptor of the folder
 * (`/proc/self/fd/7/control.sock`). Without /proc such a folder has its socket under a hashed name in `.postern`
 * (0700) of this user's home. Errors: OperationalError `control.folder`.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  type Stats,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { OperationalError } from '../model/errors.ts';
import { currentUser, distrustOfLinks, isTrustedOwner, mayOthersWrite, modeOf } from '../world/ownership.ts';
import { SOCKET_PATH_BYTES } from './limits.ts';

export interface SocketPlace {
  /** For people: where the socket is. */
  readonly name: string;
  /** For the kernel, while the place is open. */
  readonly path: string;
  /** The state of the data folder when it was opened. */
  readonly folder: Pick<Stats, 'uid' | 'gid' | 'mode'>;
  close(): void;
}

/** The limit of the kernel, and where it shows descriptors; tests imitate a system without. */
export interface SocketSystem {
  readonly descriptors: string | undefined;
  readonly home: () => string;
}

export const SOCKET_SYSTEM: SocketSystem = {
  descriptors: process.platform === 'linux' && existsSync('/proc/self/fd') ? '/proc/self/fd' : undefined,
  // Not $HOME: a service and a shell have different environments.
  home: () => userInfo().homedir,
};

/** `folder` exists. Errors also those of the file system. */
export function openSocketPlace(folder: string, system: SocketSystem = SOCKET_SYSTEM): SocketPlace {
  const real = realpathSync(folder);
  const fd = openSync(real, constants.O_RDONLY | constants.O_DIRECTORY);
  let isOpen = true;
  const close = (): void => {
    // The number may soon belong to another file.
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  try {
    const opened = fstatSync(fd);
    const name = join(real, 'control.sock');
    if (system.descriptors !== undefined)
      return { name, path: join(system.descriptors, String(fd), 'control.sock'), folder: opened, close };
    if (Buffer.byteLength(name) <= SOCKET_PATH_BYTES) return { name, path: name, folder: opened, close };
    const path = join(homeFolder(system), `${createHash('sha256').update(real).digest('hex').slice(0, 32)}.sock`);
    return { name: path, path, folder: opened, close };
  } catch (error) {
    close();
    throw error;
  }
}

function homeFolder({ home }: SocketSystem): string {
  const runtime = join(home(), '.postern');
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(runtime);
  if (lstatSync(runtime).isDirectory() && uid === currentUser() && (mode & 0o077) === 0) return runtime;
  throw new OperationalError(
    'control.folder',
    `cannot open the control socket, as ${runtime} must be a folder of this user that nobody else may enter: it is not`,
  );
}

/**
 * Checked by a client before it sends anything, as that may be a password. Errors: `control.denied` if the folder is
 * not this user's, `control.folder` if somebody else could have put the socket there.
 */
export function insistOnOwnSocket(path: string, place: SocketPlace): void {
  const user = currentUser();
  const { folder } = place;
  if (user === undefined) return;
  if (user !== 0 && !isTrustedOwner(folder.uid))
    throw new OperationalError(
      'control.denied',
      `cannot reach the node, as ${path} must belong to this user (id ${user}): its owner is user id ${folder.uid}`,
    );
  const socket = lstatSync(place.path, { throwIfNoEntry: false });
  const problem =
    distrustOfLinks(path, folder.uid) ?? distrustOfAccess(path, folder, socket) ?? distrustOfSocket(place, socket);
  if (problem !== undefined) throw new OperationalError('control.folder', `cannot reach the node, as ${problem}`);
}

/** Root asks a node that runs as another user: then the group of that user counts. */
function distrustOfAccess(path: string, folder: SocketPlace['folder'], socket: Stats | undefined): string | undefined {
  if (!mayOthersWrite(folder) || !mayOthersWrite(folder, currentUser() === 0 ? socket?.gid : undefined))
    return undefined;
  return `nobody but its owner may write in ${path}: its mode is ${modeOf(folder)}`;
}

function distrustOfSocket({ name, folder }: SocketPlace, socket: Stats | undefined): string | undefined {
  if (!socket) return undefined;
  const isOwners = socket.uid === folder.uid || socket.uid === 0;
  // In a folder that root created for a service, the socket is the service's.
  if (!isOwners && !(folder.uid === 0 && socket.uid === currentUser()))
    return `${name} must belong to the owner of its folder (user id ${folder.uid}) or root: its owner is user id ${socket.uid}`;
  if (socket.isSymbolicLink()) return `${name} must be a socket: it is a link`;
  return mayOthersWrite(socket)
    ? `nobody but its owner may write to ${name}: its mode is ${modeOf(socket)}`
    : undefined;
}
