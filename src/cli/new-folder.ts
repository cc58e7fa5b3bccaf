/**
 * A data folder in which no node ever ran, because it is new or because it is the wrong one.
 *
 * A question about it is answered as a new node would answer it, and nothing is created there: an administrator in
 * the wrong folder sees an empty queue and why, not a second node. An act creates the folder, as it prepares a node
 * that will be started there.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeConfig } from '../world/config.ts';
import type { OfflineNode, OpenOffline } from './session.ts';

/** An unreadable folder is not new: opening it reports the problem. */
export function isNew(folder: string): boolean {
  try {
    return statSync(join(folder, 'state.db'), { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** A new node elsewhere, removed when it is closed. */
export async function openInItsStead(config: NodeConfig, openOffline: OpenOffline): Promise<OfflineNode> {
  const data = mkdtempSync(join(tmpdir(), 'postern-new-'));
  const remove = (): void => rmSync(data, { recursive: true, force: true });
  try {
    const node = await openOffline({ ...config, data, secretKeyFile: join(data, 'keys', 'secret.key') });
    return {
      async executeUnknown(operation, input, actor) {
        const output = await node.executeUnknown(operation, input, actor);
        return operation === 'status' ? { ...(output as object), data: config.data } : output;
      },
      close: () => node.close().finally(remove),
    };
  } catch (error) {
    remove();
    throw error;
  }
}

export const NEW_FOLDER = {
  looked: (folder: string) =>
    `no node ever ran in ${folder}, so this is what a new one says: name another folder with POSTERN_DATA, or stand where its postern.toml is`,
  made: (folder: string) =>
    `the data folder ${folder} is made now, as nobody said where it is: name another with POSTERN_DATA, or stand where its postern.toml is`,
} as const;
