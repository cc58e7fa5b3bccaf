/**
 * Random histories of a queue against a plain model of it: what an administrator, a recipient, the clock, the
 * next hosts and a power cut may do, in any order.
 *
 * The model knows rows and nothing of leases, ledgers or memory. Where a crash comes into an act, each
 * row must be as before it or as after it, and a message is committed whole or not at all. A history that
 * fails is shrunk and printed as its steps.
 */
import fc from 'fast-check';
import { Crash, Happens, Look } from './commands.ts';
import { type Act, DESTINATIONS, type Model, type Outcome } from './model.ts';
import { begin, finish, type Real } from './real.ts';
import {
  actStep,
  commitStep,
  type Fate,
  holdAuthorStep,
  idle,
  keepStep,
  letGoStep,
  type Step,
  settleStep,
  type Target,
  timeStep,
  worldStep,
} from './steps.ts';

const nth = fc.nat(20);
const target: fc.Arbitrary<Target> = fc.oneof(
  { weight: 3, arbitrary: nth.map((n) => ({ nth: n })) },
  { weight: 1, arbitrary: fc.constant({ all: true as const }) },
);
const fate = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Fate>('queued') },
  { weight: 2, arbitrary: fc.constantFrom<Fate>('user', 'admin', 'timed', 'doomed', 'discarded') },
);
const to = fc.nat(DESTINATIONS.length - 1);
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.nat(2), fc.array(fc.record({ to, fate }), { minLength: 1, maxLength: 3 }))
      .map(([author, fates]) => commitStep(author, fates)),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        nth,
        fc.array(fc.constantFrom<Outcome>('relayed', 'deferred', 'failed', 'nothing'), { minLength: 1, maxLength: 3 }),
      )
      .map(([n, outcomes]) => settleStep(n, outcomes)),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        fc.constantFrom<Act>(
          'retry',
          'hold',
          'hold for a minute',
          'release',
          'delete',
          'bounce',
          'redirect',
          'reclass',
          'release own',
        ),
        target,
      )
      .map(([act, what]) => actStep(act, what)),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 2 }), fc.boolean(), fc.boolean())
      .map(([author, stops, timed]) => holdAuthorStep(author, stops, timed)),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('no room' as const, 'room' as const, 'back-off' as const), to)
      .map(([what, destination]) => worldStep(what, destination)),
  },
  { weight: 2, arbitrary: nth.map(keepStep) },
  { weight: 1, arbitrary: nth.map(letGoStep) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(300, 11_000, 61_000, 310_000).map(timeStep),
  },
);

/** What a history is made of. */
export const happenings: fc.Arbitrary<fc.AsyncCommand<Model, Real>>[] = [
  steps.map((step) => new Happens(step)),
  steps.map((step) => new Happens(step)),
  steps.map((step) => new Happens(step)),
  fc.tuple(steps, fc.nat(12)).map(([step, after]) => new Crash(step, after)),
  fc.constant(new Look()),
  fc.constantFrom(5 * 3_600_000, 6 * 24 * 3_600_000).map((downMs) => new Crash(idle, 0, downMs)),
];

export const MOST_STEPS = 24;

/** Random ones; throws with the seed and the steps of the shortest that fails. */
export async function runHistories(count: number, seed: number, path?: string): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.commands(happenings, { maxCommands: MOST_STEPS, size: 'max' }), async (commands) => {
      const history = await begin();
      let isWhole = false;
      try {
        await fc.asyncModelRun(() => ({ model: history.model, real: history.real }), commands);
        isWhole = true;
      } finally {
        await finish(history).catch((error: unknown) => {
          if (isWhole) throw error;
        });
      }
    }),
    { numRuns: count, seed, ...(path !== undefined && { path }), endOnFailure: false },
  );
}
