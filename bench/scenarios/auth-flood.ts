/**
 * What a flood of wrong passwords on port 587 costs the mail on port 25. The same node takes turns:
 * quiet, flooded, quiet again; the median of the pairs counts.
 */
import { groupCpuMs } from '../../test/system/support/process-cpu.ts';
import { contestant, type Round, round } from '../contest.ts';
import { freePort } from '../measure/free-port.ts';
import { median } from '../measure/statistics.ts';
import { postern } from '../product/postern.ts';
import { RECIPIENT } from '../product/product.ts';
import type { Bench, Outcome, Scenario } from '../scenario.ts';
import { type FloodResult, startFlood } from '../tool/auth-flood.ts';

const LOAD = { messages: 10_000, sessions: 20, sizeBytes: 10_240, kept: true };
const FLOOD = { user: RECIPIENT, connections: 200, attemptsPerSecond: 500 };
/** All connections are up, and the queue of hashes is full. */
const FLOOD_SETTLES_MS = 5_000;
const AT_LEAST = 0.9;

/** The node has settled when it takes less than a tenth of a core. */
const QUIET = { lookMs: 500, cpuMs: 50 };

interface Pair {
  readonly quiet: Round;
  readonly flooded: Round;
  readonly flood: FloodResult;
}

export const authFlood: Scenario = {
  name: 'auth-flood',
  what: `the rate of mail on port 25 while ${FLOOD.connections} connections guess passwords on 587 inside TLS (${FLOOD.attemptsPerSecond} guesses/s offered), beside without`,
  run,
};

async function run(bench: Bench): Promise<Outcome> {
  const submission = { host: '127.0.0.1', port: await freePort('127.0.0.1') };
  const env = { POSTERN_LISTEN_SUBMISSION: `${submission.host}:${submission.port}` };
  await using ours = await contestant(bench, authFlood.name, postern(bench.postern, { env }));
  const pairs: Pair[] = [];
  await round(ours, { ...LOAD, messages: LOAD.messages / 5 });
  for (let i = 1; i <= bench.rounds; i++) {
    await settled(ours.product.pid);
    const quiet = await round(ours, LOAD);
    const bots = startFlood(submission, FLOOD);
    await pause(FLOOD_SETTLES_MS);
    const flooded = await round(ours, LOAD);
    pairs.push({ quiet, flooded, flood: await bots.end() });
    bench.tell(`round ${i}: ${rate(quiet)} messages/s, flooded ${rate(flooded)}`);
  }
  return outcome(pairs);
}

async function settled(pid: number): Promise<void> {
  for (let before = groupCpuMs(pid); ; ) {
    await pause(QUIET.lookMs);
    const now = groupCpuMs(pid);
    if (now - before < QUIET.cpuMs) return;
    before = now;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function rate({ deliveredPerSecond }: Round): string {
  return deliveredPerSecond.toFixed(0);
}

function outcome(pairs: readonly Pair[]): Outcome {
  const row = (name: string, rounds: readonly Round[]): string[] => [
    name,
    median(rounds.map((one) => one.deliveredPerSecond)).toFixed(0),
    median(rounds.map((one) => one.cpuMicrosecondsAMessage)).toFixed(0),
    rounds.map(rate).join(' '),
  ];
  const ratio = median(pairs.map(({ quiet, flooded }) => flooded.deliveredPerSecond / quiet.deliveredPerSecond));
  const [perSecond, checked] = [guesses, checkedGuesses].map((of) =>
    median(pairs.map(({ flood }) => of(flood) / flood.seconds)).toFixed(0),
  );
  return {
    table: [
      ['', 'delivered/s', 'CPU µs each, guesses included', 'rounds (delivered/s)'],
      row(
        'quiet',
        pairs.map(({ quiet }) => quiet),
      ),
      row(
        `${perSecond} guesses/s, ${checked} of them checked`,
        pairs.map(({ flooded }) => flooded),
      ),
    ],
    verdicts: [
      { promise: `at least ${AT_LEAST} of the rate without`, measured: ratio.toFixed(2), kept: ratio >= AT_LEAST },
    ],
    figures: { load: LOAD, flood: FLOOD, ratio, pairs },
  };
}

function guesses({ answers }: FloodResult): number {
  return Object.entries(answers).reduce((sum, [code, count]) => sum + (code === 'lost' ? 0 : count), 0);
}

/** 454: too many were waiting, so nobody looked. */
function checkedGuesses({ answers }: FloodResult): number {
  return (answers['535'] ?? 0) + (answers['421'] ?? 0);
}
