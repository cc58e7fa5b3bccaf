/** A node with a million waiting recipients beside one with none: how it starts, and what new mail notices. */
import { type Contestant, contestant, type Round, round } from '../contest.ts';
import { median } from '../measure/statistics.ts';
import { postern, type RunningPostern } from '../product/postern.ts';
import type { Bench, Outcome, Scenario } from '../scenario.ts';
import { waitingMessages } from '../tool/queue-seed.ts';
import { fillState } from '../tool/state-database.ts';

const ROWS = 1_000_000;
const DESTINATIONS = 10_000;
const LOAD = { messages: 10_000, sessions: 20, sizeBytes: 10_240, kept: true };
const LONGEST_START_MS = 10_000;
const LEAST_RATIO = 0.9;

export const millionQueue: Scenario = {
  name: 'million-queue',
  what: 'a million queued recipients of 10,000 destinations: time to start, and throughput beside an empty queue',
  run,
};

interface Turn {
  readonly contestant: Contestant<RunningPostern>;
  readonly rounds: Round[];
}

async function run(bench: Bench): Promise<Outcome> {
  const seed = (data: string): void => fillState(data, waitingMessages({ rows: ROWS, destinations: DESTINATIONS }));
  const start = (name: string, options: object) =>
    contestant(bench, millionQueue.name, postern(bench.postern, { name, ...options }));
  await using empty = await start('empty', {});
  await using full = await start('a million rows', { seed });
  bench.tell(
    `started in ${full.product.startMs.toFixed(0)} ms with a million rows, ${empty.product.startMs.toFixed(0)} without`,
  );
  const turns: readonly [Turn, Turn] = [
    { contestant: empty, rounds: [] },
    { contestant: full, rounds: [] },
  ];
  for (const turn of turns) await round(turn.contestant, LOAD);
  for (let i = 1; i <= bench.rounds; i++) {
    for (const turn of turns) {
      const result = await round(turn.contestant, LOAD);
      turn.rounds.push(result);
      bench.tell(`round ${i}: ${turn.contestant.product.name}: ${result.deliveredPerSecond.toFixed(0)} messages/s`);
    }
  }
  return outcome(...turns);
}

function outcome(empty: Turn, full: Turn): Outcome {
  const rate = ({ rounds }: Turn, of: keyof Round): number => median(rounds.map((one) => one[of]));
  const delivered = rate(full, 'deliveredPerSecond') / rate(empty, 'deliveredPerSecond');
  const accepted = rate(full, 'acceptedPerSecond') / rate(empty, 'acceptedPerSecond');
  const { startMs } = full.contestant.product;
  const row = (turn: Turn): string[] => [
    turn.contestant.product.name,
    turn.contestant.product.startMs.toFixed(0),
    rate(turn, 'acceptedPerSecond').toFixed(0),
    rate(turn, 'deliveredPerSecond').toFixed(0),
  ];
  return {
    table: [['', 'start ms', 'accepted/s', 'delivered/s'], row(empty), row(full)],
    verdicts: [
      {
        promise: 'starts in less than 10 s',
        measured: `${(startMs / 1000).toFixed(1)} s`,
        kept: startMs < LONGEST_START_MS,
      },
      {
        promise: `accepts at ${LEAST_RATIO} of an empty queue's rate or better`,
        measured: accepted.toFixed(2),
        kept: accepted >= LEAST_RATIO,
      },
      {
        promise: `delivers at ${LEAST_RATIO} of an empty queue's rate or better`,
        measured: delivered.toFixed(2),
        kept: delivered >= LEAST_RATIO,
      },
    ],
    figures: { startMs, emptyStartMs: empty.contestant.product.startMs, empty: empty.rounds, full: full.rounds },
  };
}
