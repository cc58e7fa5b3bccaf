/**
 * Throughput: accepting, making durable and delivering all count. The products take turns, so that
 * what else the machine does meets both; each is warmed up as one that has run for a while.
 */
import { contestant, type Round, round } from './contest.ts';
import { median } from './measure/statistics.ts';
import { postern } from './product/postern.ts';
import { postfix } from './product/postfix.ts';
import type { Bench, Outcome, Scenario } from './scenario.ts';
import type { Load } from './tool/smtp-source.ts';

/** Rounds that are not counted: a server runs for weeks, and its runtime compiles what it sees often in the first seconds. */
const WARM_UP_ROUNDS = 4;
const WARM_UP_MESSAGES = 20_000;

export function throughputScenario(name: string, load: Load, atLeast: number): Scenario {
  const connections = load.kept ? `${load.sessions} kept connections` : `a connection each, ${load.sessions} at a time`;
  return {
    name,
    what: `${load.messages} messages of ${load.sizeBytes} bytes, ${connections}: accepted, durable and delivered`,
    run: (bench) => run(bench, name, load, atLeast),
  };
}

async function run(bench: Bench, name: string, load: Load, atLeast: number): Promise<Outcome> {
  await using ours = await contestant(bench, name, postern(bench.postern));
  await using theirs = await contestant(bench, name, postfix);
  const turns = [
    { contestant: ours, rounds: [] as Round[] },
    { contestant: theirs, rounds: [] as Round[] },
  ] as const;
  const warmUp = { ...load, messages: Math.min(WARM_UP_ROUNDS * load.messages, WARM_UP_MESSAGES) };
  for (const turn of turns) await round(turn.contestant, warmUp);
  for (let i = 1; i <= bench.rounds; i++) {
    for (const turn of turns) {
      const result = await round(turn.contestant, load);
      turn.rounds.push(result);
      bench.tell(`round ${i}: ${turn.contestant.product.name} ${result.deliveredPerSecond.toFixed(0)} messages/s`);
    }
  }
  return outcome(turns[0].rounds, turns[1].rounds, load, atLeast);
}

function outcome(ours: readonly Round[], theirs: readonly Round[], load: Load, atLeast: number): Outcome {
  const rate = (rounds: readonly Round[], of: keyof Round): number => median(rounds.map((one) => one[of]));
  const ratio = rate(ours, 'deliveredPerSecond') / rate(theirs, 'deliveredPerSecond');
  const row = (name: string, rounds: readonly Round[]): string[] => [
    name,
    rate(rounds, 'deliveredPerSecond').toFixed(0),
    rate(rounds, 'acceptedPerSecond').toFixed(0),
    rate(rounds, 'cpuMicrosecondsAMessage').toFixed(0),
    rounds.map((one) => one.deliveredPerSecond.toFixed(0)).join(' '),
  ];
  return {
    table: [
      ['', 'delivered/s', 'accepted/s', 'CPU µs each', 'rounds (delivered/s)'],
      row('Postern', ours),
      row('Postfix', theirs),
    ],
    verdicts: [{ promise: `at least ${atLeast}x Postfix`, measured: `${ratio.toFixed(1)}x`, kept: ratio >= atLeast }],
    figures: { load, ratio, postern: ours, postfix: theirs },
  };
}
