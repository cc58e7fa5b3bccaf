/** The memory of a process and all its descendants, as Linux accounts for it. */
import { readdirSync, readFileSync } from 'node:fs';

export interface GroupMemory {
  readonly processes: number;
  /** Pages shared by several processes counted once in all. */
  readonly proportionalBytes: number;
  readonly residentBytes: number;
}

export function groupMemory(root: number): GroupMemory {
  const members = processTree(root)
    .map(memoryOf)
    .filter((memory) => memory !== undefined);
  return {
    processes: members.length,
    proportionalBytes: members.reduce((sum, { pss }) => sum + pss, 0),
    residentBytes: members.reduce((sum, { rss }) => sum + rss, 0),
  };
}

/** `root` and its descendants. */
export function processTree(root: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(name);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (let i = 0; i < tree.length; i++) tree.push(...(children.get(tree[i]!) ?? []));
  return tree;
}

/** proc_pid_stat(5): the command, in parentheses, may itself contain any character; state and parent follow it. */
function parentOf(pid: string): number | undefined {
  const stat = readOrUndefined(`/proc/${pid}/stat`);
  return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function memoryOf(pid: number): { readonly pss: number; readonly rss: number } | undefined {
  const rollup = readOrUndefined(`/proc/${pid}/smaps_rollup`);
  if (rollup === undefined) return undefined;
  const kilobytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1] ?? 0);
  return { pss: kilobytes('Pss') * 1024, rss: kilobytes('Rss') * 1024 };
}

/** A process may end between listing and reading. */
function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
