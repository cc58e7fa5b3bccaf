/** Acts in the background: lists them, and cancels them. An actor who may not see the audit sees only its own. */
import { Type } from 'typebox';
import { OperationalError } from '../../model/errors.ts';
import { Answer, Nullable, PageAnswer } from '../answers.ts';
import { act, look } from '../define.ts';
import { type Actor, domainsFor, isFullAdministrator } from '../roles.ts';
import type { Run } from '../runs.ts';
import { RUN_STATES } from '../runs-schema.ts';
import type { OperationServices } from '../services.ts';
import { PAGE, Text } from './types.ts';

const DEFAULT_ROWS = 100;

const RunAnswer = Answer({
  id: Type.String(),
  operation: Type.String(),
  actor: Type.String(),
  input: Type.String(),
  state: Type.Enum([...RUN_STATES]),
  done: Type.Integer(),
  startedAt: Type.String(),
  endedAt: Nullable(Type.String()),
  output: Type.Optional(Type.Unknown()),
  error: Type.Optional(Answer({ code: Type.String(), message: Type.String() })),
});

export const operationOperations = {
  'operation.list': look('operation.list', {
    area: 'operations',
    reach: 'own',
    title: 'Lists acts in the background, newest first',
    input: PAGE,
    answer: PageAnswer(RunAnswer),
    run: async ({ runs }, { limit = DEFAULT_ROWS, after }, actor) => ({
      output: await runs.list({ limit, after, ...(seesAll(actor) ? {} : { actor: actor.name }) }),
    }),
  }),

  'operation.show': look('operation.show', {
    area: 'operations',
    reach: 'own',
    title: 'Shows how far an act in the background is, or what it came to',
    input: { id: Text },
    answer: RunAnswer,
    run: async ({ runs }, { id }, actor) => ({ output: await runOf({ runs }, id, actor, seesAll(actor)) }),
  }),

  'operation.cancel': act('operation.cancel', {
    area: 'operations',
    reach: 'own',
    // It is for acts that are running.
    topics: [],
    title: 'Stops an act in the background; what it has done stays done',
    input: { id: Text },
    answer: Answer({ id: Type.String() }),
    run: async ({ runs }, { id }, actor) => {
      const run = await runOf({ runs }, id, actor, isFullAdministrator(actor));
      if (runs.cancel(id)) return { output: { id } };
      throw new OperationalError(
        'operation.over',
        `cannot cancel ${id}, as it must be under way on this node: it is ${run.state}`,
      );
    },
  }),
};

function seesAll(actor: Actor): boolean {
  return domainsFor(actor, 'audit', 'look') === 'all';
}

async function runOf(
  { runs }: Pick<OperationServices, 'runs'>,
  id: string,
  actor: Actor,
  ofAnybody: boolean,
): Promise<Run> {
  const run = await runs.find(id);
  if (run && (ofAnybody || run.actor === actor.name)) return run;
  throw new OperationalError(
    'operation.missing',
    `cannot find the act ${id.slice(0, 100)}, as it must be one that \`operation list\` shows`,
  );
}
