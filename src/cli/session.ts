/**
 * The session of a command: an `ask` that reaches the running node by its control socket, or else takes the data
 * folder itself and runs the same operation there.
 *
 * Offline work is only for the folder's owner: files created by another user would stop the node from starting. Root
 * becomes that owner first. While another command holds the folder, this one waits a little. A question to a folder
 * in which no node ever ran creates nothing there (new-folder.ts).
 */
import { statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { isOperational, OperationalError } from '../model/errors.ts';
import type { OperationInput, OperationName, OperationOutput } from '../operations/index.ts';
import { type Actor, fullAdministrator } from '../operations/roles.ts';
import type { Run } from '../operations/runs.ts';
import { becomeOwner } from '../world/become-owner.ts';
import type { Clock } from '../world/clock.ts';
import type { NodeConfig } from '../world/config.ts';
import { isTrustedOwner, mayOthersWrite } from '../world/ownership.ts';
import { isNew, NEW_FOLDER, openInItsStead } from './new-folder.ts';

export interface OfflineNode {
  executeUnknown(operation: string, input: unknown, actor: Actor): Promise<unknown>;
  close(): Promise<void>;
}

export type OpenOffline = (config: NodeConfig) => Promise<OfflineNode>;

export interface CliSession {
  ask<N extends OperationName>(operation: N, input: OperationInput<N>): Promise<OperationOutput<N>>;
  /** In a running node only; undefined if there is none. */
  begin(operation: OperationName, input: unknown): Promise<Run | undefined>;
  close(): Promise<void>;
}

interface Door {
  ask(operation: string, input: unknown): Promise<unknown>;
  /** Absent if no node runs. */
  begin?(operation: string, input: unknown): Promise<Run>;
  close(): Promise<void>;
}

/** A command that holds the folder is done by then; a node that starts has its socket. */
const LOCKED_TRIES = 50;
const LOCKED_WAIT_MS = 100;

export interface SessionParts {
  readonly config: NodeConfig;
  /** No setting names the data folder. */
  readonly isDefaultFolder: boolean;
  readonly openOffline: OpenOffline;
  readonly clock: Clock;
  warn(sentence: string): void;
}

export function createSession(parts: SessionParts): CliSession {
  const { config, isDefaultFolder, openOffline, clock, warn } = parts;
  const actor = `cli:${userName()}`;
  let door: Promise<Door> | undefined;
  /** Answers while the folder is new and only questions were asked. */
  let instead: Promise<Door> | undefined;

  async function doorFor(operation: OperationName): Promise<Door> {
    if (!door && isNew(config.data)) {
      const { OPERATIONS } = await import('../operations/index.ts');
      if (OPERATIONS[operation].kind === 'look') {
        if (!instead) warn(NEW_FOLDER.looked(config.data));
        instead ??= openInItsStead(config, openOffline).then((node) => doorOf(node, actor));
        return instead;
      }
      if (isDefaultFolder) warn(NEW_FOLDER.made(config.data));
    }
    door ??= openDoor();
    return door;
  }

  async function openDoor(): Promise<Door> {
    if (isDefaultFolder) insistOnMeantFolder(config.data);
    for (let tries = 1; ; tries++) {
      try {
        return (await online(config.data, actor)) ?? (await offline(config, openOffline, actor));
      } catch (error) {
        if (!isOperational(error, 'store.locked') || tries === LOCKED_TRIES) throw error;
        await clock.sleep(LOCKED_WAIT_MS);
      }
    }
  }

  return {
    async ask(operation, input) {
      return (await (await doorFor(operation)).ask(operation, input)) as never;
    },
    async begin(operation, input) {
      return (await doorFor(operation)).begin?.(operation, input);
    },
    async close() {
      for (const opening of [door, instead]) await (await opening?.catch(() => undefined))?.close();
    },
  };
}

async function online(folder: string, actor: string): Promise<Door | undefined> {
  const { connectControl } = await import('../operations/control-client.ts');
  try {
    const client = await connectControl(folder);
    return {
      ask: (operation, input) => client.ask({ operation, input, actor }),
      begin: (operation, input) => client.ask({ operation, input, actor, background: true }) as Promise<Run>,
      close: async () => client.close(),
    };
  } catch (error) {
    if (isOperational(error, 'control.absent')) return undefined;
    throw error;
  }
}

async function offline(config: NodeConfig, openOffline: OpenOffline, name: string): Promise<Door> {
  workAsOwner(config.data);
  return doorOf(await openOffline(config), name);
}

function doorOf(node: OfflineNode, name: string): Door {
  const actor = fullAdministrator(name);
  return {
    ask: (operation, input) => node.executeUnknown(operation, input, actor),
    close: () => node.close(),
  };
}

/** Errors: OperationalError `cli.owner`. */
function workAsOwner(folder: string): void {
  const uid = process.getuid?.();
  if (uid === undefined) return;
  const found = statSync(folder, { throwIfNoEntry: false });
  if (!found || found.uid === uid) return;
  if (uid === 0) becomeOwner(folder, found);
  // A folder that root created for this user's group: opening it shows whether access is allowed.
  else if (found.uid !== 0)
    throw new OperationalError(
      'cli.owner',
      `cannot work on ${folder}, as this must be run by its owner (user id ${found.uid}): current user id is ${uid}`,
    );
}

/** In a folder that everyone may write, `data` may belong to anybody: root would give them the command's input. */
function insistOnMeantFolder(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (!found || isTrustedOwner(found.uid) || !mayOthersWrite(statSync(dirname(folder)))) return;
  throw new OperationalError(
    'cli.owner',
    `cannot take ${folder} for the data folder, as it must belong to this user or root where others may write beside it: its owner is user id ${found.uid}; name it with POSTERN_DATA if it is meant`,
  );
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a user id that has no name.
    return String(process.getuid?.() ?? 'unknown');
  }
}
