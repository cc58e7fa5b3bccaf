/**
 * How long the final reply takes while the server is half busy: each product at half of the rate at
 * which it delivers over kept connections (measured first), and Postern at Postfix's rate as well.
 */
import { type Contestant, contestant, round } from '../contest.ts';
import { median, percentile } from '../measure/statistics.ts';
import { postern } from '../product/postern.ts';
import { postfix } from '../product/postfix.ts';
import type { Bench, Outcome, Scenario } from '../scenario.ts';
import { sendPaced } from '../tool/paced-client.ts';

const LOAD = { messages: 6_000, sessions: 20, sizeBytes: 10_240, kept: true };
const SECONDS_A_ROUND = 5;

interface Turn {
  readonly name: string;
  readonly contestant: Contestant;
  readonly ratePerSecond: number;
  readonly rounds: { readonly p50: number; readonly p99: number; readonly dueP99: number }[];
}

export const latency: Scenario = {
  name: 'latency',
  what: 'milliseconds from the final dot to its reply, at half of the kept-connection load, 10 kB',
  run,
};

async function run(bench: Bench): Promise<Outcome> {
  await using ours = await contestant(bench, latency.name, postern(bench.postern));
  await using theirs = await contestant(bench, latency.name, postfix);
  const ourRate = (await kept(ours)) / 2;
  const theirRate = (await kept(theirs)) / 2;
  const turns: readonly Turn[] = [
    { name: 'Postern', contestant: ours, ratePerSecond: ourRate, rounds: [] },
    { name: 'Postfix', contestant: theirs, ratePerSecond: theirRate, rounds: [] },
    { name: "Postern at Postfix's rate", contestant: ours, ratePerSecond: theirRate, rounds: [] },
  ];
  for (let i = 1; i <= bench.rounds; i++) {
    for (const turn of turns) await takeTurn(bench, i, turn);
  }
  return { table: rows(turns), verdicts: [], figures: turns.map(({ contestant: _, ...figures }) => figures) };
}

/** The second of two rounds: the first warms up. */
async function kept(each: Contestant): Promise<number> {
  await round(each, LOAD);
  return (await round(each, LOAD)).deliveredPerSecond;
}

async function takeTurn(bench: Bench, i: number, turn: Turn): Promise<void> {
  const messages = Math.round(turn.ratePerSecond * SECONDS_A_ROUND);
  const { product, sink } = turn.contestant;
  const target = sink.count() + messages;
  const load = { messages, ratePerSecond: turn.ratePerSecond, connections: LOAD.sessions, sizeBytes: LOAD.sizeBytes };
  const [{ finalReplyMs, sinceDueMs }] = await Promise.all([sendPaced(product, load), sink.reaches(target)]);
  const result = {
    p50: percentile(finalReplyMs, 50),
    p99: percentile(finalReplyMs, 99),
    dueP99: percentile(sinceDueMs, 99),
  };
  turn.rounds.push(result);
  bench.tell(`round ${i}: ${turn.name} p50 ${result.p50.toFixed(1)} ms, p99 ${result.p99.toFixed(1)} ms`);
}

function rows(turns: readonly Turn[]): string[][] {
  const heading = ['', 'messages/s', 'p50 ms', 'p99 ms', 'since due, p99 ms'];
  const body = turns.map(({ name, ratePerSecond, rounds }) => [
    name,
    ratePerSecond.toFixed(0),
    median(rounds.map(({ p50 }) => p50)).toFixed(1),
    median(rounds.map(({ p99 }) => p99)).toFixed(1),
    median(rounds.map(({ dueP99 }) => dueP99)).toFixed(1),
  ]);
  return [heading, ...body];
}
