/**
 * Where new content files go: `content/xx/<key>`, where xx spreads the files over 256 folders.
 *
 * Files that are made one after the other are neighbours, so that messages which end at the same time
 * share the sync of their folder; then comes another folder's turn.
 */
import { join } from 'node:path';
import type { Disk } from '../../world/disk.ts';
import type { Random } from '../../world/random.ts';
import { FOLDER_TURN_FILES } from '../limits.ts';
import { sharedSync } from './shared-sync.ts';

export interface Place {
  readonly key: string;
  readonly path: string;
  /** Makes the file's name durable. */
  syncFolder(): Promise<void>;
}

/** Our own names only: what else lies in the folder is not ours to delete. */
const KEY = /^[0-9a-f]{32}$/;
const KEY_BYTES = 16;

export function isKey(name: string): boolean {
  return KEY.test(name);
}

export function pathOf(root: string, key: string): string {
  return join(root, key.slice(0, 2), key);
}

/** Folders are made when their first turn comes. */
export function createPlaces(root: string, disk: Disk, random: Random): () => Promise<Place> {
  const folders = new Map<string, Promise<() => Promise<void>>>();
  let prefix = '';
  let left = 0;

  const makeFolder = async (name: string): Promise<() => Promise<void>> => {
    const path = join(root, name);
    await disk.ensureFolder(path);
    // The new folder's own name must be as durable as what will be in it.
    await disk.syncFolder(root);
    return sharedSync(() => disk.syncFolder(path));
  };

  const folderOf = (name: string): Promise<() => Promise<void>> => {
    let folder = folders.get(name);
    if (!folder) {
      folder = makeFolder(name);
      folders.set(name, folder);
      // The next message tries again.
      folder.catch(() => folders.delete(name));
    }
    return folder;
  };

  return async () => {
    const fresh = Buffer.from(random.bytes(KEY_BYTES)).toString('hex');
    if (left-- === 0) {
      prefix = fresh.slice(0, 2);
      left = FOLDER_TURN_FILES - 1;
    }
    const folder = prefix;
    const key = folder + fresh.slice(2);
    return { key, path: pathOf(root, key), syncFolder: await folderOf(folder) };
  };
}
