/**
 * The disk as the rooms use it for content: a few primitives, so that tests can make any one fail.
 *
 * Errors are Node's own (`code`: ENOSPC, EIO, ...); who calls says what they mean. After a failed
 * `sync` the file must be deleted and never synced again: the kernel may have dropped the pages and
 * would call the second one good. What only looks at tables of the kernel, as a close does, is done at
 * once: a way through the thread pool costs more than it.
 */
import {
  closeSync,
  type Dirent,
  fdatasync,
  fstatSync,
  fsync,
  ftruncate,
  mkdir,
  open,
  openSync,
  read,
  readdir,
  rename,
  stat,
  statfs,
  unlink,
  writev,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

export interface DiskFile {
  /** All of it, at the end of what was written so far. */
  append(chunks: readonly Uint8Array[]): Promise<void>;
  /** Bytes read; less than asked for only at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  sync(): Promise<void>;
  /** All of it, from that octet on: over what is there, or behind it. */
  writeAt(chunks: readonly Uint8Array[], position: number): Promise<void>;
  /** As `sync`, without what only others look at (times). */
  syncData(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  sizeBytes(): number;
  /** Nothing the second time. */
  close(): void;
}

export interface DiskEntry {
  readonly sizeBytes: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

export interface Disk {
  /** A file that did not exist, readable by its owner only. */
  create(path: string): Promise<DiskFile>;
  open(path: string): Promise<DiskFile>;
  /** A file that exists, to be read and written over. */
  change(path: string): Promise<DiskFile>;
  ensureFolder(path: string): Promise<void>;
  /** Makes new names in a folder durable. */
  syncFolder(path: string): Promise<void>;
  remove(path: string): Promise<void>;
  move(from: string, to: string): Promise<void>;
  /** Names only; empty where there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
  stat(path: string): Promise<DiskEntry>;
  freeBytes(folder: string): Promise<number>;
}

/**
 * With the folders above it. Not Node's `recursive`: where the system says ENOENT for a folder whose parent
 * is there, as /proc does, that asks for ever.
 */
async function makeFolder(path: string): Promise<void> {
  try {
    await calls.mkdir(path, 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await isFolder(path))) return;
    const above = dirname(path);
    if (code !== 'ENOENT' || (await isFolder(above))) throw error;
    await makeFolder(above);
    await makeFolder(path);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return calls.stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Linux takes this many buffers in one call (IOV_MAX). */
const VECTOR_LENGTH = 1024;

const calls = {
  open: promisify(open) as (path: string, flags: string, mode?: number) => Promise<number>,
  fsync: promisify(fsync) as (fd: number) => Promise<void>,
  fdatasync: promisify(fdatasync) as (fd: number) => Promise<void>,
  ftruncate: promisify(ftruncate) as (fd: number, sizeBytes: number) => Promise<void>,
  mkdir: promisify(mkdir) as (path: string, mode: number) => Promise<unknown>,
  rename: promisify(rename),
  unlink: promisify(unlink) as (path: string) => Promise<void>,
  readdir: promisify(readdir) as unknown as (path: string, options: { withFileTypes: true }) => Promise<Dirent[]>,
  stat: promisify(stat),
  statfs: promisify(statfs),
};

function file(fd: number): DiskFile {
  let isOpen = true;
  return {
    async append(chunks) {
      let left = chunks;
      while (left.length > 0) {
        const written = await vectored(fd, left.slice(0, VECTOR_LENGTH), null);
        left = behind(left, written);
      }
    },
    async writeAt(chunks, position) {
      let left = chunks;
      let at = position;
      while (left.length > 0) {
        const written = await vectored(fd, left.slice(0, VECTOR_LENGTH), at);
        left = behind(left, written);
        at += written;
      }
    },
    syncData: () => calls.fdatasync(fd),
    truncate: (sizeBytes) => calls.ftruncate(fd, sizeBytes),
    async read(into, position) {
      let total = 0;
      while (total < into.length) {
        const got = await readOnce(fd, into.subarray(total), position + total);
        if (got === 0) break;
        total += got;
      }
      return total;
    },
    sync: () => calls.fsync(fd),
    sizeBytes: () => fstatSync(fd).size,
    close() {
      if (!isOpen) return;
      // Even if it fails the descriptor is gone, and may soon be another file's.
      isOpen = false;
      closeSync(fd);
    },
  };
}

/** `position` null: behind what was written last. */
function vectored(fd: number, chunks: readonly Uint8Array[], position: number | null): Promise<number> {
  return new Promise((resolve, reject) => {
    writev(fd, chunks as Uint8Array[], position, (error, written) => (error ? reject(error) : resolve(written)));
  });
}

function readOnce(fd: number, into: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, into, 0, into.length, position, (error, got) => (error ? reject(error) : resolve(got)));
  });
}

/** What is left to write after a call that took only `written` bytes. */
function behind(chunks: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skip = 0;
  let rest = written;
  while (skip < chunks.length && rest >= chunks[skip]!.length) rest -= chunks[skip++]!.length;
  if (rest === 0) return skip === 0 ? chunks : chunks.slice(skip);
  return [chunks[skip]!.subarray(rest), ...chunks.slice(skip + 1)];
}

export const systemDisk: Disk = {
  create: async (path) => file(await calls.open(path, 'wx+', 0o600)),
  open: async (path) => file(await calls.open(path, 'r')),
  change: async (path) => file(await calls.open(path, 'r+')),
  ensureFolder: makeFolder,
  async syncFolder(path) {
    const fd = openSync(path, 'r');
    try {
      await calls.fsync(fd);
    } finally {
      closeSync(fd);
    }
  },
  remove: (path) => calls.unlink(path),
  move: (from, to) => calls.rename(from, to),
  async list(folder) {
    try {
      return (await calls.readdir(folder, { withFileTypes: true })).map((entry) => entry.name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  },
  async stat(path) {
    const { size, mtimeMs } = await calls.stat(path);
    return { sizeBytes: size, modifiedAt: mtimeMs };
  },
  async freeBytes(folder) {
    const { bavail, bsize } = await calls.statfs(folder);
    return bavail * bsize;
  },
};
