/**
 * Throughput: from the first connection until the sink has counted every message, so accepting,
 * making durable and delivering all count. The products take turns, so that what else the machine
 * does meets both; each has one round to warm up that is not counted.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { median } from './measure/statistics.ts';
import { postern } from './product/postern.ts';
import { postfix } from './product/postfix.ts';
import type { Product, RunningProduct } from './product/product.ts';
import type { Bench, Outcome, Scenario } from './scenario.ts';
import { type Sink, startSink } from './tool/smtp-sink.ts';
import { type Load, sendLoad } from './tool/smtp-source.ts';

interface Contestant {
  readonly product: RunningProduct;
  readonly sink: Sink;
  readonly rounds: Round[];
}

interface Round {
  readonly acceptedPerSecond: number;
  readonly deliveredPerSecond: number;
}

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
  const warmUp = { ...load, messages: Math.ceil(load.messages / 5) };
  for (const each of [ours, theirs]) await round(each, warmUp);
  for (let i = 1; i <= bench.rounds; i++) {
    for (const each of [ours, theirs]) {
      const result = await round(each, load);
      each.rounds.push(result);
      bench.tell(`round ${i}: ${each.product.name} ${Math.round(result.deliveredPerSecond)} messages/s`);
    }
  }
  return outcome(ours, theirs, load, atLeast);
}

async function contestant(bench: Bench, name: string, product: Product): Promise<Contestant & AsyncDisposable> {
  const folder = join(bench.folder, name, product.name);
  mkdirSync(folder, { recursive: true });
  await using started = new AsyncDisposableStack();
  const sink = started.use(await startSink(folder));
  const running = started.use(await product.start(folder, sink));
  const ending = started.move();
  return { product: running, sink, rounds: [], [Symbol.asyncDispose]: () => ending.disposeAsync() };
}

async function round({ product, sink }: Contestant, load: Load): Promise<Round> {
  const target = sink.count() + load.messages;
  const startedAt = performance.now();
  let acceptedAt = 0;
  const accepted = sendLoad(product, load).then(() => {
    acceptedAt = performance.now();
  });
  await Promise.all([accepted, sink.reaches(target)]);
  const doneAt = Math.max(performance.now(), acceptedAt);
  return {
    acceptedPerSecond: (load.messages / (acceptedAt - startedAt)) * 1000,
    deliveredPerSecond: (load.messages / (doneAt - startedAt)) * 1000,
  };
}

function outcome(ours: Contestant, theirs: Contestant, load: Load, atLeast: number): Outcome {
  const rate = (each: Contestant, of: keyof Round): number => median(each.rounds.map((one) => one[of]));
  const ratio = rate(ours, 'deliveredPerSecond') / rate(theirs, 'deliveredPerSecond');
  const row = (each: Contestant): string[] => [
    each.product.name,
    rate(each, 'deliveredPerSecond').toFixed(0),
    rate(each, 'acceptedPerSecond').toFixed(0),
    each.rounds.map((one) => one.deliveredPerSecond.toFixed(0)).join(' '),
  ];
  return {
    table: [['', 'delivered/s', 'accepted/s', 'rounds (delivered/s)'], row(ours), row(theirs)],
    verdicts: [{ promise: `at least ${atLeast}x Postfix`, measured: `${ratio.toFixed(1)}x`, kept: ratio >= atLeast }],
    figures: { load, ratio, postern: ours.rounds, postfix: theirs.rounds },
  };
}
