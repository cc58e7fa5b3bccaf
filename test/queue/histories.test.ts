import test from 'node:test';
import { runHistories } from './support/histories/histories.ts';

test('no history of commits, tries, acts, clocks and power cuts loses, repeats or lets go of a recipient', async () => {
  await runHistories(1000, 10);
});
