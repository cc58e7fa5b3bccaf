/**
 * Long acts in a command: started in the node, watched from here. A terminal shows the progress; Ctrl-C cancels the
 * act itself, and finished parts stay done. If no node runs, this process does the work, and there is no background.
 *
 * Errors: those of the act, `operation.cancelled`, `operation.interrupted`, and `cli.usage`.
 */
import { OperationalError } from '../model/errors.ts';
import type { OperationInput, OperationName, OperationOutput } from '../operations/index.ts';
import type { Clock } from '../world/clock.ts';
import type { CommandContext, Output } from './context.ts';

export const BACKGROUND = [
  '--background',
  'begin it, and come back at once: `postern operation show <id>` tells more',
] as const;

/** Short acts are over before the first check. */
const FIRST_LOOK_MS = 20;
const MOST_LOOK_MS = 1000;

export interface Watching {
  readonly clock: Clock;
  readonly stderr: Output;
  /** Return at once. */
  readonly background?: boolean;
}

/** Undefined: it runs in the background. */
export async function longAct<N extends OperationName>(
  context: Pick<CommandContext, 'ask' | 'begin' | 'print'>,
  name: N,
  input: OperationInput<N>,
  { clock, stderr, background = false }: Watching,
): Promise<OperationOutput<N> | undefined> {
  const begun = await context.begin(name, input);
  if (!begun) {
    if (!background) return context.ask(name, input);
    throw new OperationalError('cli.usage', `cannot do ${name} in the background, as a node must run: none does`);
  }
  if (background) {
    context.print(`begun: postern operation show ${begun.id}`);
    return undefined;
  }
  const stop = (): void => void context.ask('operation.cancel', { id: begun.id }).catch(() => undefined);
  process.once('SIGINT', stop);
  try {
    return (await watched(context, begun.id, { clock, stderr })) as OperationOutput<N>;
  } finally {
    process.off('SIGINT', stop);
  }
}

async function watched(
  { ask }: Pick<CommandContext, 'ask'>,
  id: string,
  { clock, stderr }: Pick<Watching, 'clock' | 'stderr'>,
): Promise<unknown> {
  let told = false;
  for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 2, MOST_LOOK_MS)) {
    const { state, done, output, error, operation } = await ask('operation.show', { id });
    if (state === 'waiting' || state === 'running') {
      if (stderr.isTTY && wait === MOST_LOOK_MS) {
        stderr.write(`\r${operation}: ${state === 'waiting' ? 'waits for its turn' : `${done} done`} `);
        told = true;
      }
      await clock.sleep(wait);
      continue;
    }
    if (told) stderr.write('\n');
    if (state === 'done') return output;
    if (state === 'failed' && error) throw new OperationalError(error.code, error.message);
    throw new OperationalError(
      state === 'cancelled' ? 'operation.cancelled' : 'operation.interrupted',
      `${operation} was ${state} after ${done}: what was done stays done`,
    );
  }
}
