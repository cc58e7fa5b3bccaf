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
import type { Area, Topic } from './areas.ts';
import type { OperationServices } from './services.ts';

export interface Actor {
  /** For the audit: `cli:root`. */
  readonly name: string;
  readonly permissions: readonly ('look' | 'act')[];
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
  readonly area: Area;
  /** `look`: changes nothing but what this node knows of the world; `act`: changes something, and leaves an audit row. */
  readonly kind: 'look' | 'act';
  /** Of an act: it goes after those that share one of these, in turn. */
  topics(input: I): readonly Topic[];
  readonly input: TObject;
  /** Keys of the input that no log may see. */
  readonly secrets: readonly string[];
  run(services: OperationServices, input: I, actor: Actor): Promise<OperationResult<O>>;
}

interface Draft<P extends TProperties, O> {
  readonly title: string;
  readonly area: Area;
  /** By default its area. */
  readonly topics?: readonly Topic[] | ((input: Static<TObject<P>>) => readonly Topic[]);
  readonly input: P;
  /** Keys of the input, at any depth. */
  readonly secrets?: readonly string[];
  run(services: OperationServices, input: Static<TObject<P>>, actor: Actor): Promise<OperationResult<O>>;
}

export function act<const P extends TProperties, O>(
  name: string,
  draft: Draft<P, O>,
): Operation<Static<TObject<P>>, O> {
  return { ...define(name, draft), kind: 'act' };
}

export function look<const P extends TProperties, O>(
  name: string,
  draft: Draft<P, O>,
): Operation<Static<TObject<P>>, O> {
  return { ...define(name, draft), kind: 'look' };
}

function define<P extends TProperties, O>(name: string, draft: Draft<P, O>) {
  const { title, area, topics = [area], input, secrets = [], run } = draft;
  return {
    name,
    title,
    area,
    topics: typeof topics === 'function' ? topics : () => topics,
    input: Type.Object(input, { additionalProperties: false }),
    secrets,
    run,
  };
}
