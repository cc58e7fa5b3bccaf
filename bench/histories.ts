/**
 * Random histories of the queue against a plain model (test/queue/support/histories/histories.ts), as many as wanted.
 *
 *     node bench/histories.ts [--count 100000] [--seed n] [--path p]
 *
 * Prints the seed of each thousand; a failure prints its own seed and path, which repeat and shrink it.
 */
import { parseArgs } from 'node:util';
import { runHistories } from '../test/queue/support/histories/histories.ts';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '100000' }, seed: { type: 'string' }, path: { type: 'string' } },
});
const count = Number(values.count);
const first = Number(values.seed ?? Date.now() % 2 ** 31);
const startedAt = performance.now();
for (let done = 0; done < count; done += 1000) {
  const seed = first + done / 1000;
  await runHistories(Math.min(1000, count - done), seed, values.path);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage();
  console.log(
    `seed ${seed}: ${Math.min(done + 1000, count)} histories in ${seconds.toFixed(0)} s, ` +
      `${((cpu.user + cpu.system) / 1e6).toFixed(0)} s of processor time`,
  );
}
