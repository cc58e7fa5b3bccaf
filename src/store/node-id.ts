/** The id of a data folder, made once and kept in it: a node is known by it wherever its database is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperationalError } from '../model/errors.ts';
import type { Disk } from '../world/disk.ts';
import type { Random } from '../world/random.ts';

const FILE = 'node.id';
const ID_BYTES = 15;
const ID = /^[\w-]{20}$/;

/** Errors: OperationalError `store.folder` if the file holds no id; the disk's own. */
export async function nodeId(
  folder: string,
  { disk, random }: { readonly disk: Disk; readonly random: Random },
): Promise<string> {
  const path = join(folder, FILE);
  const found = textOf(path);
  if (found !== undefined) {
    const id = found.trim();
    if (ID.test(id)) return id;
    throw new OperationalError(
      'store.folder',
      `cannot tell which node this is, as ${path} must hold its id of 20 characters`,
    );
  }
  const id = Buffer.from(random.bytes(ID_BYTES)).toString('base64url');
  // Under another name until it is whole, so that a crash leaves no half of an id.
  const partial = `${path}.partial`;
  if (textOf(partial) !== undefined) await disk.remove(partial);
  const file = await disk.create(partial);
  await file.append([Buffer.from(`${id}\n`)]);
  await file.sync();
  file.close();
  await disk.move(partial, path);
  await disk.syncFolder(folder);
  return id;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
