/** The kill test of test/system with twenty times as many kills, each at another moment. */
import { killUnderLoad } from '../../test/system/support/kill-run.ts';
import type { Bench, Outcome, Scenario } from '../scenario.ts';

const KILLS = 500;

export const kill500: Scenario = {
  name: 'kill-500',
  what: '500 times kill -9 under load: every message that was answered 250 arrives, unaltered',
  run,
};

async function run(bench: Bench): Promise<Outcome> {
  await using ending = new AsyncDisposableStack();
  const seed = Math.floor(Math.random() * 2 ** 32);
  bench.tell(`seed ${seed}`);
  const account = await killUnderLoad(
    { after: (fn) => ending.defer(async () => void (await (fn as () => unknown)())) },
    { kills: KILLS, seed, tell: bench.tell },
  );
  const { acknowledged, arrived, lost, altered, repeated, leftInQueue } = account;
  return {
    table: [
      ['', 'acknowledged', 'arrived', 'lost', 'altered', 'repeated', 'left in queue'],
      ['Postern', ...[acknowledged, arrived, lost.length, altered.length, repeated, leftInQueue].map(String)],
    ],
    verdicts: [
      {
        promise: 'nothing that was acknowledged is lost, altered or left behind',
        measured: `${lost.length} lost, ${altered.length} altered, ${leftInQueue} left`,
        kept: lost.length + altered.length + leftInQueue === 0,
      },
    ],
    figures: { seed, kills: KILLS, ...account },
  };
}
