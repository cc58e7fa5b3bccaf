/**
 * The domains that an operation touches, and how it is limited to the domains of its actor: here, once for all
 * operations. Objects in other domains are missing, not forbidden: the answer is the same whether they exist or not,
 * by id, by name, by a filter and in counts.
 */
import { OperationalError } from '../model/errors.ts';
import type { Page } from '../model/page.ts';

/** Undefined: the whole node, not one domain. */
export type Touched = readonly (string | undefined)[];

/** Whether all of these, and at least one, are the actor's. */
export type Has = (domains: Touched) => boolean;

/**
 * `node`: everything, so only for actors of all domains. `own`: acts that the actor started; the operation checks
 * that.
 */
export type Reach<I> = 'node' | 'own' | InDomains<I>;

/** At least one of these. */
export interface InDomains<I> {
  /** The domains that the input names. */
  readonly named?: (input: I) => Touched;
  /** The input takes `domains`, and nothing outside of them is read or changed. */
  readonly narrowed?: true;
  /** The part of the answer that is the actor's; undefined: nothing. */
  readonly cut?: (output: never, has: Has) => unknown;
}

/** Of a list. */
export function rowsOf<R>(touched: (row: R) => Touched): (output: readonly R[], has: Has) => readonly R[] {
  return (rows, has) => rows.filter((row) => has(touched(row)));
}

export function pageRowsOf<R>(touched: (row: R) => Touched): (output: Page<R>, has: Has) => Page<R> {
  return (page, has) => ({ ...page, rows: page.rows.filter((row) => has(touched(row))) });
}

interface Scoped<I> {
  readonly name: string;
  readonly reach: Reach<I>;
}

export function hasAll(domains: readonly string[]): Has {
  return (touched) => touched.length > 0 && touched.every((domain) => domain !== undefined && domains.includes(domain));
}

/** Errors: `operation.denied` if it touches the whole node. */
export function mustHaveDomains({ name, reach }: Scoped<never>): void {
  if (reach === 'node') throw forTheNode(name);
}

/** The input, limited to the domains. Errors: `operation.denied`, `operation.missing`. */
export function keptInput<I>({ name, reach }: Scoped<I>, input: I, domains: readonly string[]): I {
  if (reach === 'node') throw forTheNode(name);
  if (reach === 'own') return input;
  const named = reach.named?.(input);
  if (named?.includes(undefined)) throw forTheNode(name);
  if (named && !hasAll(domains)(named)) throw missing(name);
  if (!reach.narrowed) return input;
  const said = (input as { readonly domains?: readonly string[] }).domains;
  return { ...input, domains: said ? domains.filter((domain) => said.includes(domain)) : domains };
}

/** The answer, cut. Errors: `operation.missing`. */
export function keptOutput<I>({ name, reach }: Scoped<I>, output: unknown, domains: readonly string[]): unknown {
  if (typeof reach === 'string' || !reach.cut) return output;
  const kept = reach.cut(output as never, hasAll(domains));
  if (kept === undefined) throw missing(name);
  return kept;
}

function forTheNode(name: string): OperationalError {
  return new OperationalError('operation.denied', `cannot do ${name}, as it touches the whole node, not one domain`);
}

/** One sentence for everything that does not exist, or is not the actor's. */
export function missing(name: string): OperationalError {
  return new OperationalError(
    'operation.missing',
    `cannot do ${name}, as what it names must be there and in a domain that you administer: it is not`,
  );
}

/** Errors of an operation that would show the difference. */
export function alike(name: string, error: unknown): unknown {
  return error instanceof OperationalError && error.code.endsWith('.missing') ? missing(name) : error;
}
