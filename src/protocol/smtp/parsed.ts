/** The result of a parser of this folder: the value, or why there is none. */

/**
 * `syntax`: against the grammar. `address`: the mailbox is malformed. `too-long`: it exceeds a bound. `idna`: the
 * domain is no valid internationalised name. `smtputf8`: the address needs SMTPUTF8 and the command did not ask for
 * it. `parameter`: a known parameter has a bad value, or comes twice. `unknown-parameter`: no offered extension
 * defines it.
 */
export type ProblemKind = 'syntax' | 'address' | 'too-long' | 'idna' | 'smtputf8' | 'parameter' | 'unknown-parameter';

export interface Problem {
  readonly kind: ProblemKind;
  /** A phrase for the client, ASCII, without text from the client. */
  readonly text: string;
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function problem(kind: ProblemKind, text: string): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem: { kind, text } };
}
