/** Processor time of a process and all its descendants, ended ones included. */
import { readdirSync, readFileSync } from 'node:fs';
import { processTree } from './process-memory.ts';

/** Linux counts in hundredths of a second (USER_HZ), whatever the kernel's own tick. */
const TICK_MS = 10;

export function groupCpuMs(root: number): number {
  return processTree(root).reduce((sum, pid) => sum + ownAndReapedMs(pid), 0);
}

/** The threads of one process by name; Node calls its own loop after the program. */
export function threadCpuMs(pid: number): ReadonlyMap<string, number> {
  const threads = new Map<string, number>();
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    const stat = readOrEmpty(`/proc/${pid}/task/${tid}/stat`);
    if (stat === '') continue;
    const name = `${stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))} ${tid}`;
    threads.set(name, ticks(stat, 2) * TICK_MS);
  }
  return threads;
}

/** proc_pid_stat(5): utime, stime, then those of children that were waited for. */
function ownAndReapedMs(pid: number): number {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  return stat === '' ? 0 : ticks(stat, 4) * TICK_MS;
}

/** Field 14 is the 12th behind the command, which ends with the last parenthesis. */
function ticks(stat: string, fields: number): number {
  const behindCommand = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return behindCommand.slice(11, 11 + fields).reduce((sum, field) => sum + Number(field), 0);
}

/** A process may end between listing and reading. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
