/** Two products, each with a folder and a sink of its own, taking turns. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { groupCpuMs } from '../test/system/support/process-cpu.ts';
import type { Product, RunningProduct } from './product/product.ts';
import type { Bench } from './scenario.ts';
import { type Sink, startSink } from './tool/smtp-sink.ts';
import { type Load, sendLoad } from './tool/smtp-source.ts';

export interface Contestant<R extends RunningProduct = RunningProduct> extends AsyncDisposable {
  readonly product: R;
  readonly sink: Sink;
}

export interface Round {
  readonly acceptedPerSecond: number;
  readonly deliveredPerSecond: number;
  /** Of all the product's processes, without the load and the sink. */
  readonly cpuMicrosecondsAMessage: number;
}

export async function contestant<R extends RunningProduct>(
  bench: Bench,
  scenario: string,
  product: Product<R>,
): Promise<Contestant<R>> {
  const folder = join(bench.folder, scenario, product.name);
  mkdirSync(folder, { recursive: true });
  await using started = new AsyncDisposableStack();
  const sink = started.use(await startSink(folder));
  const running = started.use(await product.start(folder, sink));
  const ending = started.move();
  return { product: running, sink, [Symbol.asyncDispose]: () => ending.disposeAsync() };
}

/** From the first connection until the sink has counted every message. */
export async function round({ product, sink }: Contestant, load: Load): Promise<Round> {
  const target = sink.count() + load.messages;
  const cpuBefore = groupCpuMs(product.pid);
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
    cpuMicrosecondsAMessage: ((groupCpuMs(product.pid) - cpuBefore) / load.messages) * 1000,
  };
}
