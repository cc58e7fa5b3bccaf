/**
 * How a parser's time grows with its input: a pump makes inputs of 1, 2, 4 and 8 times a size, and no
 * doubling may cost more than 2.6 times as much.
 *
 * The least processor time counts for each size: of five runs for the two smaller ones, and of the two
 * larger ones until they pass. Other load on the machine only ever adds time, so what fails is measured again:
 * an honest parser passes in the end, a quadratic one costs 4 times as much at each doubling however often it
 * is measured. The largest input is the largest that can reach the parser if that takes some 50 ms; for a
 * parser that needs longer, growth is measured at smaller sizes, where a square shows as well.
 *
 * Two doublings in a row are judged together: their product is at most 2.6 squared, unless one of them is
 * plainly linear. Where memory outgrows a cache or is asked of the system, one doubling may cost 4 times as
 * much, and the one before or behind it costs 2. What is not linear has no such neighbour: a square that makes
 * the last doubling 2.8 has made the one before 2.5.
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

const DOUBLING_AT_MOST = 2.6;
/** One doubling below this shows that the parser is linear, and the other one a step of the memory. */
const PLAINLY_LINEAR = 2.4;
const RUNS = 5;
/** A failed comparison is tried again so often, each time with a cleared memory. */
const ATTEMPTS = 5;
const RUNS_OF_AN_ATTEMPT = 3;
/** Shorter than this, calls and compilation are most of what is measured: the parser is repeated. */
const LEAST_MEASURED_MS = 0.5;
/** Of the loop's time, a part in 25 of what one step may take. */
const AT_ONCE_MS = 2;
/** The smallest size takes no longer, so that a square costs 64 times as much and still ends soon. */
const SMALLEST_MS = 4;
/** The first size looked at is this part of the largest. */
const FIRST_PART = 512;
const REPEATS_AT_MOST = 4096;

setFlagsFromString('--expose-gc');
/** What earlier runs left must not be cleared away in the time of a later one. */
const collectGarbage = runInNewContext('gc') as () => void;

interface Size<Input> {
  readonly size: number;
  readonly input: Input;
  readonly repeats: number;
  leastMs: number;
}

/** Fails if `parse` grows faster than its input; `parse` may be handed the same input many times. */
export function assertLinear<Input>(pump: Pump<Input>, parse: (input: Input) => unknown): void {
  const smallest = smallestOf(pump, parse);
  // From the smallest upwards: the larger ones find the parser compiled.
  const sizes: Size<Input>[] = [];
  for (const times of [8, 4, 2, 1]) {
    const size = Math.max(1, Math.floor((smallest * 8) / times));
    const input = pump.input(size);
    sizes.push({ size, input, repeats: repeatsFor(() => parse(input)), leastMs: Number.POSITIVE_INFINITY });
  }
  const measure = (of: Size<Input>): void => {
    of.leastMs = Math.min(
      of.leastMs,
      timeMs(() => parse(of.input), of.repeats),
    );
  };
  for (const of of sizes.slice().reverse()) measure(of);
  if (isAtOnce(sizes)) return;
  for (let run = 1; run < RUNS; run++) for (const of of sizes.slice(0, 2)) measure(of);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // More runs of what is small can only fail an honest parser, and fewer of it cannot pass another.
    for (let run = 0; run < RUNS_OF_AN_ATTEMPT; run++) {
      const tooLong = sizes.filter(
        (_, i) => !isLinearAt(sizes, i) || (i + 1 < sizes.length && !isLinearAt(sizes, i + 1)),
      );
      if (tooLong.length === 0) return;
      for (const of of tooLong) {
        collectGarbage();
        measure(of);
      }
    }
    if (isAtOnce(sizes)) return;
    if (isHopeless(sizes)) break;
  }
  if (sizes.every((_, i) => isLinearAt(sizes, i))) return;
  const measured = sizes.map(({ size, leastMs }) => `${size}: ${leastMs.toFixed(3)} ms`).join(', ');
  assert.fail(`${pump.name}: time grows faster than the input: ${measured}`);
}

/** An eighth of the largest size, or what of it is over soon: found from below, as a square may take hours. */
function smallestOf<Input>(pump: Pump<Input>, parse: (input: Input) => unknown): number {
  let size = pump.largest / 8;
  while (size > pump.largest / FIRST_PART && size > 16) size /= 2;
  while (size * 16 <= pump.largest) {
    const input = pump.input(Math.max(1, Math.floor(size)));
    // The first run compiles.
    timeMs(() => parse(input), 1);
    if (timeMs(() => parse(input), 1) > SMALLEST_MS / 2) break;
    size *= 2;
  }
  return size;
}

/** What is over at once even for the largest input holds nobody up, and memory is most of what it costs. */
function isAtOnce(sizes: readonly Size<unknown>[]): boolean {
  return sizes.at(-1)!.leastMs < AT_ONCE_MS;
}

/** No load makes four times the size cost this much more each time: it need not be waited for. */
function isHopeless(sizes: readonly Size<unknown>[]): boolean {
  return sizes.some(({ leastMs }, i) => i >= 2 && leastMs > sizes[i - 2]!.leastMs * DOUBLING_AT_MOST ** 2 * 2);
}

/** Judges the two doublings that end with this size. */
function isLinearAt(sizes: readonly Size<unknown>[], i: number): boolean {
  if (i < 2) return true;
  const [first, second, third] = sizes.slice(i - 2).map(({ leastMs }) => leastMs) as [number, number, number];
  return third <= first * DOUBLING_AT_MOST ** 2 || Math.min(third / second, second / first) <= PLAINLY_LINEAR;
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
