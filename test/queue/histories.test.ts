import test from 'node:test';
import { runHistories } from './support/histories/histories.ts';

/** A thousand in all, in portions that a busy machine ends in time; bench/histories.ts takes other seeds. */
const SEEDS = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19];
const HISTORIES = 100;

for (const seed of SEEDS) {
  test(`no history of commits, tries, acts, clocks and power cuts loses, repeats or lets go of a recipient (seed ${seed})`, async () => {
    await runHistories(HISTORIES, seed);
  });
}
