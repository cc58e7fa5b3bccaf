/**
 * How a parser's time grows with its input: a pump makes inputs of 1, 2, 4 and so on to 32 times a size, and
 * the doublings cost at most 2.6 times as much.
 *
 * The least processor time of some runs counts for each size: other load only ever adds time, so what fails is
 * measured again, and an honest parser passes in the end. The median of the doublings is judged, or all of them
 * together if that is less: where memory outgrows a cache or is asked of the system, one or two of them may cost
 * 4 times as much, while what is not linear costs as much at each (a square 4 times, the power of 1.5 2.8 times).
 */
import assert from 'node:assert/strict';

export interface Pump<Input> {
  /** What is repeated, for the message of a failure. */
  readonly name: string;
  /** An input of about `size` bytes (or items); always the same for the same size. */
  input(size: number): Input;
  /** The largest size that can reach the parser; 32 times the smallest one measured. */
  readonly largest: number;
}

export const DOUBLING_AT_MOST = 2.6;
const PARTS = [32, 16, 8, 4, 2, 1] as const;
/** Not smaller than this, so that there are six sizes. */
const LEAST_LARGEST = 2048;
/** No other load makes three doublings of a linear parser look like this again and again. */
const HOPELESS = 3.4;
const RUNS = 2;
/** A failed comparison is measured again so often. */
const ATTEMPTS = 8;
/** From this one on each size parses as many bytes as the largest: a short run of a small one escapes the garbage collector, which no run of the largest does. */
const EVEN_FROM = 4;
/** Shorter than this, calls and compilation are most of what is measured: the parser is repeated. */
const LEAST_MEASURED_MS = 0.4;
const REPEATS_AT_MOST = 4096;
/** What is over at once even for the largest input holds nobody up: a part in 25 of what one step may take. */
const AT_ONCE_MS = 2;
/** If the smallest size takes longer, all are smaller: a square may take hours, and shows below as well. */
const SMALLEST_MS = 1;

interface Measured<Input> {
  readonly size: number;
  readonly input: Input;
  repeats: number;
  leastMs: number;
}

/** Fails if `parse` grows faster than its input; `parse` may be handed the same input many times. */
export function assertLinear<Input>(pump: Pump<Input>, parse: (input: Input) => unknown): void {
  const sizes = firstRuns(pump, parse);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt === EVEN_FROM) evenOut(sizes);
    for (let run = 0; run < RUNS; run++) {
      for (const one of sizes)
        one.leastMs = Math.min(
          one.leastMs,
          timeMs(() => parse(one.input), one.repeats),
        );
    }
    const doubling = Math.min(medianDoubling(sizes), meanDoubling(sizes));
    if (sizes.at(-1)!.leastMs < AT_ONCE_MS || doubling <= DOUBLING_AT_MOST) return;
    if (doubling > HOPELESS && attempt >= EVEN_FROM) break;
  }
  const measured = sizes.map(({ size, leastMs }) => `${size}: ${leastMs.toFixed(3)} ms`).join(', ');
  assert.fail(`${pump.name}: time grows faster than the input: ${measured}`);
}

/** What was measured until now is forgotten: it is no measure for longer runs. */
function evenOut(sizes: readonly Measured<unknown>[]): void {
  const largest = sizes.at(-1)!;
  for (const one of sizes) {
    one.repeats = Math.max(one.repeats, Math.ceil((largest.size * largest.repeats) / one.size));
    one.leastMs = Number.POSITIVE_INFINITY;
  }
}

/** From the smallest upwards, so that the larger ones find the parser compiled. */
function firstRuns<Input>(pump: Pump<Input>, parse: (input: Input) => unknown): readonly Measured<Input>[] {
  const sizes: Measured<Input>[] = [];
  const largest = largestOf(pump, parse);
  for (const part of PARTS) {
    const size = Math.max(1, Math.floor(largest / part));
    if (size === sizes.at(-1)?.size) continue;
    const input = pump.input(size);
    const repeats = repeatsFor(() => parse(input));
    const leastMs = timeMs(() => parse(input), repeats);
    sizes.push({ size, input, repeats, leastMs });
  }
  return sizes;
}

function largestOf<Input>(pump: Pump<Input>, parse: (input: Input) => unknown): number {
  let { largest } = pump;
  for (; largest > LEAST_LARGEST; largest /= 4) {
    const input = pump.input(Math.max(1, Math.floor(largest / PARTS[0])));
    // The first run compiles.
    if (timeMs(() => parse(input), 1) <= SMALLEST_MS || timeMs(() => parse(input), 1) <= SMALLEST_MS) break;
  }
  return largest;
}

function medianDoubling(sizes: readonly Measured<unknown>[]): number {
  const ratios = sizes.slice(1).map(({ leastMs }, i) => leastMs / sizes[i]!.leastMs);
  ratios.sort((a, b) => a - b);
  return ratios[(ratios.length - 1) >> 1] ?? 0;
}

function meanDoubling(sizes: readonly Measured<unknown>[]): number {
  return (sizes.at(-1)!.leastMs / sizes[0]!.leastMs) ** (1 / Math.max(1, sizes.length - 1));
}

/** How often to repeat the parser so that one measurement is long enough; warms it up as well. */
function repeatsFor(work: () => unknown): number {
  let repeats = 1;
  while (repeats < REPEATS_AT_MOST && timeMs(work, repeats) * repeats < LEAST_MEASURED_MS) repeats *= 2;
  return repeats;
}

/**
 * Processor time of one call, in milliseconds: what others do on the machine is not in it. Of the process: the
 * kernel brings that of one thread up to date only with its ticks.
 */
function timeMs(work: () => unknown, repeats: number): number {
  const before = process.cpuUsage();
  for (let i = 0; i < repeats; i++) work();
  const { user, system } = process.cpuUsage(before);
  return Math.max(1, user + system) / 1000 / repeats;
}
