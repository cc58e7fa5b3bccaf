/**
 * One way for every operation: the input is validated, the role of the actor checked, input and answer kept to the
 * actor's domains (reach.ts), the act run, its change written together with its audit row. Acts of the same topic run
 * one after the other (turns.ts), so that what was checked is still true when it is written.
 *
 * Errors: OperationalError `operation.unknown`, `operation.input`, `operation.denied`, `operation.missing` (it does
 * not exist, or is in a domain that is not the actor's), and those of the act itself. A defect passes through.
 */
import { Check, Errors } from 'typebox/value';
import { isOperational, isOvertaken, OperationalError } from '../model/errors.ts';
import { cleanLine } from '../protocol/text/unsafe.ts';
import type { Statement } from '../store/contract.ts';
import { didYouMean } from '../world/nearest.ts';
import { auditRecord, createAudit, shownInput } from './audit.ts';
import type { Operation } from './define.ts';
import { OPERATIONS, type OperationInput, type OperationName, type OperationOutput } from './index.ts';
import { PREPARED_AGAIN } from './limits.ts';
import { mayChange } from './rank.ts';
import { alike, keptInput, keptOutput, mustHaveDomains } from './reach.ts';
import { type Actor, type Domains, domainsFor } from './roles.ts';
import { createRuns, type LiveRun, NO_PROGRESS, type Progress, type Run } from './runs.ts';
import type { OperationServices } from './services.ts';
import { createTurns } from './turns.ts';
import { unsafeText } from './unsafe-text.ts';
import { changedMeanwhile, mustBeExpected } from './versions.ts';

export interface Operations {
  execute<N extends OperationName>(name: N, input: OperationInput<N>, actor: Actor): Promise<OperationOutput<N>>;
  /** The same for names and inputs from outside. */
  executeUnknown(name: string, input: unknown, actor: Actor): Promise<unknown>;
  /** Starts an act in the background; its run exists once this resolves. Errors: also `operation.busy`. */
  begin(name: string, input: unknown, actor: Actor): Promise<Run>;
  /** Interrupts acts in the background. */
  close(): Promise<void>;
}

type AnyOperation = Operation<never, unknown>;

export function createOperations(given: Omit<OperationServices, 'runs'>): Operations {
  const runs = createRuns(given);
  const services: OperationServices = { ...given, runs };
  const { database, journal, events, clock, checkAnswer } = services;
  const audit = createAudit(services);
  const byName = new Map(Object.entries(OPERATIONS) as [string, AnyOperation][]);
  const turns = createTurns(Promise.all([audit.moveToLog(), runs.recover()]));

  async function perform(operation: AnyOperation, prepared: Prepared, actor: Actor, progress: Progress) {
    const { checked: input, unchanged = [] } = prepared;
    for (let tries = 1; ; tries++) {
      const { output, change } = await operation.run(services, input, actor, progress);
      if (operation.kind === 'look') return output;
      // A prepared change that is not written yet can still be dropped.
      if (change && progress.signal.aborted) throw cancelled(operation.name);
      const detail = progress.signal.aborted ? { detail: 'stopped before its end' } : {};
      const record = auditRecord(operation, input, actor, clock.now(), { result: 'done', ...detail });
      try {
        await database.write([...unchanged, ...(change?.statements ?? []), audit.row(record)]);
      } catch (error) {
        if (unchanged.length > 0 && isOperational(error, 'store.expectation')) throw changedMeanwhile(operation.name);
        // A job or another node was quicker; checked again, the act goes through or says what is in its way.
        if (change && isOvertaken(error) && tries < PREPARED_AGAIN) continue;
        throw error;
      }
      change?.committed();
      events.emit('operation.done', { operation: operation.name, actor: actor.name });
      await audit.moveToLog();
      return output;
    }
  }

  function tellFailure(operation: AnyOperation, input: unknown, actor: Actor, error: unknown): void {
    const reason = (error as Error).message;
    const base = { operation: operation.name, actor: actor.name };
    const refused = isOperational(error);
    if (refused) events.emit('operation.refused', { ...base, code: error.code, reason });
    else events.emit('operation.failed', { ...base, error: reason });
    const result = refused ? 'refused' : 'failed';
    journal.audit(auditRecord(operation, input, actor, clock.now(), { result, detail: reason }));
  }

  async function kept(operation: AnyOperation, prepared: Prepared, actor: Actor, progress: Progress) {
    const { domains } = prepared;
    if (domains === 'all') return perform(operation, prepared, actor, progress);
    try {
      return keptOutput(operation, await perform(operation, prepared, actor, progress), domains);
    } catch (error) {
      throw alike(operation.name, error);
    }
  }

  function find(name: string): AnyOperation {
    const operation = byName.get(name);
    if (operation) return operation;
    throw new OperationalError('operation.unknown', unknownName(name, byName.keys()));
  }

  function inTurn(operation: AnyOperation, prepared: Prepared, actor: Actor, run: LiveRun): Promise<unknown> {
    return turns.take(operation.topics(prepared.checked), async () => {
      run.running();
      if (run.signal.aborted) throw cancelled(operation.name);
      await mayChange(services, operation, prepared.checked, actor);
      const { expects, ...input } = prepared.checked as { readonly expects?: string };
      const unchanged = expects === undefined ? [] : await expected(operation, input as never, expects);
      return answered(
        operation,
        await kept(operation, { ...prepared, checked: input as never, unchanged }, actor, run),
      );
    });
  }

  /** What insists on it when it is written: another node may act meanwhile. */
  async function expected({ name, version }: AnyOperation, input: never, expects: string) {
    if (!version) return [];
    const unchanged = await version.unchanged(services, input);
    mustBeExpected(name, await version.of(services, input), expects);
    return unchanged;
  }

  async function executeUnknown(name: string, input: unknown, actor: Actor): Promise<unknown> {
    const operation = find(name);
    if (operation.kind === 'look') {
      const prepared = prepare(operation, input, actor);
      return answered(operation, await kept(operation, prepared, actor, NO_PROGRESS));
    }
    try {
      const waited: LiveRun = { ...NO_PROGRESS, running: () => undefined };
      return await inTurn(operation, prepare(operation, input, actor), actor, waited);
    } catch (error) {
      tellFailure(operation, input, actor, error);
      throw error;
    }
  }

  async function begin(name: string, input: unknown, actor: Actor): Promise<Run> {
    const operation = find(name);
    try {
      if (!operation.long)
        throw new OperationalError('operation.input', `cannot do ${name} in the background, as it takes no time`);
      const prepared = prepare(operation, input, actor);
      const about = { operation: name, actor: actor.name, input: shownInput(operation, input) };
      return await runs.begin(about, async (run) => {
        try {
          return await inTurn(operation, prepared, actor, run);
        } catch (error) {
          tellFailure(operation, input, actor, error);
          throw error;
        }
      });
    } catch (error) {
      tellFailure(operation, input, actor, error);
      throw error;
    }
  }

  function answered(operation: AnyOperation, output: unknown): unknown {
    checkAnswer?.(operation, output);
    return output;
  }

  return {
    execute: (name, input, actor) => executeUnknown(name, input, actor) as Promise<never>,
    executeUnknown,
    begin,
    close: () => runs.close(),
  };
}

interface Prepared {
  readonly checked: never;
  readonly domains: Domains;
  /** Fails the unit if the row that the actor expects is another by then. */
  readonly unchanged?: readonly Statement[];
}

/** The arguments of the operation, after checking that the actor may run it. */
function prepare(operation: AnyOperation, input: unknown, actor: Actor): Prepared {
  const domains = allowedDomains(operation, actor);
  const checked = checkedInput(operation, input);
  return { checked: domains === 'all' ? checked : keptInput(operation, checked, domains), domains };
}

function cancelled(name: string): OperationalError {
  return new OperationalError('operation.cancelled', `cannot go on with ${name}, as somebody stopped it`);
}

function allowedDomains(operation: AnyOperation, actor: Actor): Domains {
  const { name, area, kind } = operation;
  const domains = domainsFor(actor, area, kind);
  if (domains !== undefined) {
    if (domains !== 'all') mustHaveDomains(operation);
    return domains;
  }
  throw new OperationalError(
    'operation.denied',
    `cannot do ${name}, as ${actor.name} must have a role that may ${kind === 'look' ? 'look at' : 'change'} ${area}`,
  );
}

function checkedInput(operation: AnyOperation, input: unknown): never {
  if (Check(operation.input, input)) return withoutControls(operation, input);
  const error = Errors(operation.input, input)[0];
  const at = error?.instancePath.slice(1).replaceAll('/', '.') || 'the input';
  throw new OperationalError(
    'operation.input',
    `cannot do ${operation.name}, as ${at} ${error?.message ?? 'is wrong'}`,
  );
}

/** Any text may later be in a header, a command, a reply or a line of the log. */
function withoutControls({ name, input: schema }: AnyOperation, input: unknown): never {
  const found = unsafeText(schema, input);
  if (found === undefined) return input as never;
  throw new OperationalError(
    'operation.input',
    `cannot do ${name}, as ${cleanLine(found.at)} must have no control characters: it has ${found.character}`,
  );
}

function unknownName(name: string, names: Iterable<string>): string {
  return `cannot do ${name.slice(0, 100)}, as it must be an operation that exists${didYouMean(name, names)}`;
}
