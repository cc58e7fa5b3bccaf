/**
 * One way for every operation: the input is validated, the role of the actor checked, input and answer
 * kept to the actor's domains (reach.ts), the act run, its change written together with its audit row. Acts of the same topic go one after the other (turns.ts), so that
 * what was checked still holds when it is written.
 *
 * Errors: OperationalError `operation.unknown`, `operation.input`, `operation.denied`,
 * `operation.missing` (not there, or in a domain that is not the actor's), and those of the act itself.
 * A defect passes through.
 */
import { Check, Errors } from 'typebox/value';
import { isOperational, OperationalError } from '../model/errors.ts';
import { cleanLine } from '../protocol/text/unsafe.ts';
import { didYouMean } from '../world/nearest.ts';
import { auditRecord, createAudit } from './audit.ts';
import type { Operation } from './define.ts';
import { OPERATIONS, type OperationInput, type OperationName, type OperationOutput } from './index.ts';
import { mayChange } from './rank.ts';
import { alike, keptInput, keptOutput, mustHaveDomains } from './reach.ts';
import { type Actor, type Domains, domainsFor } from './roles.ts';
import type { OperationServices } from './services.ts';
import { createTurns } from './turns.ts';
import { unsafeText } from './unsafe-text.ts';

export interface Operations {
  execute<N extends OperationName>(name: N, input: OperationInput<N>, actor: Actor): Promise<OperationOutput<N>>;
  /** The same for names and inputs that come from outside. */
  executeUnknown(name: string, input: unknown, actor: Actor): Promise<unknown>;
}

type AnyOperation = Operation<never, unknown>;

export function createOperations(services: OperationServices): Operations {
  const { database, journal, events, clock, checkAnswer } = services;
  const audit = createAudit(services);
  const byName = new Map(Object.entries(OPERATIONS) as [string, AnyOperation][]);
  const turns = createTurns(audit.moveToLog());

  async function perform(operation: AnyOperation, input: never, actor: Actor): Promise<unknown> {
    const { output, change } = await operation.run(services, input, actor);
    if (operation.kind === 'look') return output;
    const record = auditRecord(operation, input, actor, clock.now(), { result: 'done' });
    await database.write([...(change?.statements ?? []), audit.row(record)]);
    change?.committed();
    events.emit('operation.done', { operation: operation.name, actor: actor.name });
    await audit.moveToLog();
    return output;
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

  async function kept(operation: AnyOperation, input: never, actor: Actor, domains: Domains): Promise<unknown> {
    if (domains === 'all') return perform(operation, input, actor);
    try {
      return keptOutput(operation, await perform(operation, input, actor), domains);
    } catch (error) {
      throw alike(operation.name, error);
    }
  }

  async function executeUnknown(name: string, input: unknown, actor: Actor): Promise<unknown> {
    const operation = byName.get(name);
    if (!operation) throw new OperationalError('operation.unknown', unknownName(name, byName.keys()));
    const prepare = (): { readonly checked: never; readonly domains: Domains } => {
      const domains = allowedDomains(operation, actor);
      const checked = checkedInput(operation, input);
      return { checked: domains === 'all' ? checked : keptInput(operation, checked, domains), domains };
    };
    if (operation.kind === 'look') {
      const { checked, domains } = prepare();
      return answered(operation, await kept(operation, checked, actor, domains));
    }
    try {
      const { checked, domains } = prepare();
      const turn = async (): Promise<unknown> => {
        await mayChange(services, operation, checked, actor);
        return kept(operation, checked, actor, domains);
      };
      return answered(operation, await turns.take(operation.topics(checked), turn));
    } catch (error) {
      tellFailure(operation, input, actor, error);
      throw error;
    }
  }

  function answered(operation: AnyOperation, output: unknown): unknown {
    checkAnswer?.(operation, output);
    return output;
  }

  return { execute: (name, input, actor) => executeUnknown(name, input, actor) as Promise<never>, executeUnknown };
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

/** Whatever is typed may come to stand in a header, a command, a reply or a line of the log. */
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
