/**
 * How a parser's time grows with its input: a pump makes inputs of 1, 2, 4 and 8 times a size, and no
 * doubling may cost more than 2.6 times as much.
 *
 * The least processor time of five runs counts for each size. Other load on the machine only ever adds time,
 * so a failed comparison measures again and keeps the least: an honest parser passes in the end, a quadratic
 * one costs 4 times as much at each doubling however often it is measured.
 *
 * Two doublings in a row are judged together (2.6 squared): where memory outgrows a cache or is asked of the
 * system, one doubling may cost 3 times as much, and the next costs 2 again. What is not linear has no such
 * next one: a square that makes the last doubling 2.8 has made the one before 2.5.
 */
import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface Pump<Input> {
  /** What is repeated, for the message of a failure. */
  readonly name: string;
  /** An input of about `size` bytes (or items); the same for the same size. */
  input(size: number): Input;
  /** The largest size that can reach the parser; 8 times the smallest one measured. */
  readonly largest: number;
}

export const DOUBLING_AT_MOST = 2.6;
const RUNS = 5;
const ATTEMPTS = 6;
/** Shorter than this, calls and compilation are most of what is measured: the parser is repeated. */
const LEAST_MEASURED_MS = 0.5;
/** Of the loop's time, a part in 25 of what one step may take. */
const AT_ONCE_MS = 2;
const REPEATS_AT_MOST = 4096;

setFlagsFromString('--expose-gc');
/** What earlier runs left must not be cleared away in the time of a later one. */
const collectGarbage = runInNewContext('gc') as () => void;

/** Fails if `parse` grows faster than its input; `parse` may be handed the same input many times. */
export function assertLinear<Input>(pump: Pump<Input>, parse: (input: Input) => unknown): void {
  const sizes = [8, 4, 2, 1].map((part) => Math.max(1, Math.floor(pump.largest / part)));
  const inputs = sizes.map((size) => pump.input(size));
  const leastMs = inputs.map(() => Number.POSITIVE_INFINITY);
  const repeats = inputs.map((input) => repeatsFor(() => parse(input)));
  const measure = (i: number): void => {
    const input = inputs[i]!;
    leastMs[i] = Math.min(
      leastMs[i]!,
      timeMs(() => parse(input), repeats[i]!),
    );
  };
  const last = sizes.length - 1;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) collectGarbage();
    for (let run = 0; run < RUNS; run++) for (let i = 0; i < last; i++) measure(i);
    // Too much time for the largest can only fail an honest parser, so one good run of it is enough.
    for (let run = 0; run < RUNS; run++) {
      measure(last);
      if (isLinear(leastMs)) return;
    }
  }
  const measured = sizes.map((size, i) => `${size}: ${leastMs[i]!.toFixed(3)} ms`).join(', ');
  assert.fail(`${pump.name}: time grows faster than the input: ${measured}`);
}

function isLinear(leastMs: readonly number[]): boolean {
  // What is over at once even for the largest input holds nobody up, and memory is most of what it costs.
  if (leastMs.at(-1)! < AT_ONCE_MS) return true;
  return leastMs.every((time, i) => i < 2 || time <= leastMs[i - 2]! * DOUBLING_AT_MOST ** 2);
}

/** How often to repeat the parser so that one measurement is long enough; warms it up as well. */
function repeatsFor(work: () => unknown): number {
  let repeats = 1;
  while (repeats < REPEATS_AT_MOST && timeMs(work, repeats) * repeats < LEAST_MEASURED_MS) repeats *= 2;
  return repeats;
}

/** Processor time of one call, in milliseconds: what others do on the machine is not in it. */
function timeMs(work: () => unknown, repeats: number): number {
  const before = process.cpuUsage();
  for (let i = 0; i < repeats; i++) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / repeats;
}
