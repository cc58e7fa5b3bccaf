/**
 * The disk as the rooms use it for content: a few primitives, so that tests can make each of them fail.
 *
 * Errors are Node's own (`code`: ENOSPC, EIO, ...); the caller decides what they mean. After a failed `sync` the file
 * must be deleted and never synced again: the kernel may have dropped the pages, and the second sync would succeed
 * wrongly. An act that only changes tables of the kernel, as a close does, is done synchronously: the thread pool
 * would cost more than the act.
 */
import {
  closeSync,
  constants,
  copyFile,
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
  /** Writes all of it, behind the end of what was written so far. */
  append(chunks: readonly Uint8Array[]): Promise<void>;
  /** Bytes read; less than asked for only at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  sync(): Promise<void>;
  /** Writes all of it, from that byte on: over what is there, or behind it. */
  writeAt(chunks: readonly Uint8Array[], position: number): Promise<void>;
  /** As `sync`, without metadata that only other programs read (times). */
  syncData(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  sizeBytes(): number;
  /** Does nothing the second time. */
  close(): void;
}

export interface DiskEntry {
  readonly sizeBytes: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

export interface Disk {
  /** A new file, readable by its owner only; an error if it exists. */
  create(path: string): Promise<DiskFile>;
  open(path: string): Promise<DiskFile>;
  /** Opens a file that exists, to read it and to write over it. */
  change(path: string): Promise<DiskFile>;
  ensureFolder(path: string): Promise<void>;
  /** Makes new names in a folder durable. */
  syncFolder(path: string): Promise<void>;
  remove(path: string): Promise<void>;
  move(from: string, to: string): Promise<void>;
  /** A file of the same bytes, durable when it resolves but for its name; an error if `to` exists. */
  copy(from: string, to: string): Promise<void>;
  /** Names only; empty where there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
  stat(path: string): Promise<DiskEntry>;
  freeBytes(folder: string): Promise<number>;
}

/**
 * Creates it with the folders above it. Not Node's `recursive`: where the system answers ENOENT for a folder whose
 * parent exists, as /proc does, Node asks again for ever.
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
  copyFile: promisify(copyFile) as (from: string, to: string, mode: number) => Promise<void>,
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
      // Even if the close fails the descriptor is gone, and may soon belong to another file.
      isOpen = false;
      closeSync(fd);
    },
  };
}

/** `position` null: behind the last write. */
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

async function syncPath(path: string): Promise<void> {
  const fd = openSync(path, 'r');
  try {
    await calls.fsync(fd);
  } finally {
    closeSync(fd);
  }
}

export const systemDisk: Disk = {
  create: async (path) => file(await calls.open(path, 'wx+', 0o600)),
  open: async (path) => file(await calls.open(path, 'r')),
  change: async (path) => file(await calls.open(path, 'r+')),
  ensureFolder: makeFolder,
  syncFolder: syncPath,
  remove: (path) => calls.unlink(path),
  move: (from, to) => calls.rename(from, to),
  async copy(from, to) {
    await calls.copyFile(from, to, constants.COPYFILE_EXCL);
    await syncPath(to);
  },
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
