/**
 * How an administrative act is defined: once, whatever door it comes through (CLI, control socket, API).
 *
 * `run` checks and prepares; what it wants written to the database it hands back as a change, so that
 * `execute` can write it in one unit with the audit row. The parts that are not in the database's
 * hands (the queue's own transitions) it awaits itself.
 */
import type { Static, TObject, TProperties } from 'typebox';
import { Type } from 'typebox';
import type { PreparedChange } from '../store/contract.ts';
import type { OperationServices } from './services.ts';

/** `read`: looks; `administer`: changes. */
export type Permission = 'read' | 'administer';

export interface Actor {
  /** For the audit: `cli:root`. */
  readonly name: string;
  readonly permissions: readonly Permission[];
}

export interface OperationResult<O> {
  readonly output: O;
  readonly change?: PreparedChange;
}

export interface Operation<I, O> {
  /** `domain.add`. */
  readonly name: string;
  /** The manual's line. */
  readonly title: string;
  readonly permission: Permission;
  /** Whether it leaves an audit row: all that change something do. */
  readonly audit: boolean;
  readonly input: TObject;
  /** Keys of the input that no log may see. */
  readonly secrets: readonly string[];
  run(services: OperationServices, input: I, actor: Actor): Promise<OperationResult<O>>;
}

interface Draft<P extends TProperties, O> {
  readonly title: string;
  readonly input: P;
  /** Keys of the input, at any depth. */
  readonly secrets?: readonly string[];
  run(services: OperationServices, input: Static<TObject<P>>, actor: Actor): Promise<OperationResult<O>>;
}

/** An act that changes something, and is audited. */
export function act<const P extends TProperties, O>(
  name: string,
  draft: Draft<P, O>,
): Operation<Static<TObject<P>>, O> {
  return { ...define(name, draft), permission: 'administer', audit: true };
}

/** A question: changes nothing but what this node knows of the world, leaves no audit row. */
export function question<const P extends TProperties, O>(
  name: string,
  draft: Draft<P, O>,
): Operation<Static<TObject<P>>, O> {
  return { ...define(name, draft), permission: 'read', audit: false };
}

function define<P extends TProperties, O>(name: string, { title, input, secrets = [], run }: Draft<P, O>) {
  return { name, title, input: Type.Object(input, { additionalProperties: false }), secrets, run };
}
