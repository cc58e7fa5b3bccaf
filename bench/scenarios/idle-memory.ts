/** What an idle node costs: the whole process group after a quiet minute, fresh and after a load. */
import { groupMemory } from '../../test/system/support/process-memory.ts';
import { type Contestant, contestant, round } from '../contest.ts';
import { postern } from '../product/postern.ts';
import { postfix } from '../product/postfix.ts';
import type { Bench, Outcome, Scenario } from '../scenario.ts';

const QUIET_MS = 60_000;
const MOST_BYTES = 150e6;
const LOAD = { messages: 10_000, sessions: 20, sizeBytes: 10_240, kept: true };

export const idleMemory: Scenario = {
  name: 'idle-memory',
  what: 'memory of all processes after 60 quiet seconds, fresh and after 10,000 messages',
  run,
};

interface Memory {
  readonly processes: number;
  readonly proportionalBytes: number;
  readonly residentBytes: number;
}

async function run(bench: Bench): Promise<Outcome> {
  await using ours = await contestant(bench, idleMemory.name, postern(bench.postern));
  await using theirs = await contestant(bench, idleMemory.name, postfix);
  const fresh = await quiet([ours, theirs]);
  for (const each of [ours, theirs]) await round(each, LOAD);
  const used = await quiet([ours, theirs]);
  return {
    table: [
      ['', 'processes', 'PSS MB', 'RSS MB'],
      row('Postern, fresh', fresh[0]!),
      row('Postern, after a load', used[0]!),
      row('Postfix, fresh', fresh[1]!),
      row('Postfix, after a load', used[1]!),
    ],
    verdicts: [
      {
        promise: `at most ${megabytes(MOST_BYTES)} MB resident, fresh`,
        measured: `${megabytes(fresh[0]!.residentBytes)} MB`,
        kept: fresh[0]!.residentBytes <= MOST_BYTES,
      },
    ],
    figures: { fresh: { postern: fresh[0], postfix: fresh[1] }, used: { postern: used[0], postfix: used[1] } },
  };
}

async function quiet(contestants: readonly Contestant[]): Promise<readonly Memory[]> {
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  return contestants.map(({ product }) => groupMemory(product.pid));
}

function row(name: string, memory: Memory): string[] {
  return [name, String(memory.processes), megabytes(memory.proportionalBytes), megabytes(memory.residentBytes)];
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
