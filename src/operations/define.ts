/**
 * How an administrative act is defined: once for all interfaces (CLI, control socket, API).
 *
 * A definition has the input, the answer, the area by which roles allow it, whether it looks or acts, and the domains
 * that it touches; `execute` enforces all of that. `run` checks and prepares; it returns the statements for the
 * database as a change, so that `execute` can write them in one unit with the audit row. Parts outside the database
 * (the queue's own transitions) it awaits itself.
 */
import type { Static, TObject, TProperties, TSchema } from 'typebox';
import { Type } from 'typebox';
import type { PreparedChange } from '../store/contract.ts';
import type { Area, Topic } from './areas.ts';
import type { Reach } from './reach.ts';
import type { Actor } from './roles.ts';
import type { Progress } from './runs.ts';
import type { OperationServices } from './services.ts';
import type { Versioning } from './versions.ts';

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
  /**
   * `look`: changes nothing except cached knowledge of the world; `act`: changes something, and leaves an audit row.
   */
  readonly kind: 'look' | 'act';
  readonly reach: Reach<I>;
  /** For an act: it waits for earlier acts that share one of these. */
  topics(input: I): readonly Topic[];
  readonly input: TObject;
  /** The version of the row that it changes; with it the input takes `expects` (versions.ts). */
  readonly version?: Versioning<OperationServices, I> | undefined;
  readonly answer: TSchema;
  /** Keys of the input that must not be logged. */
  readonly secrets: readonly string[];
  /** It may take long: it can run in the background, reports its progress, and can be cancelled. */
  readonly long: boolean;
  run(services: OperationServices, input: I, actor: Actor, progress: Progress): Promise<OperationResult<O>>;
}

interface Draft<P extends TProperties, O> {
  readonly title: string;
  readonly area: Area;
  readonly reach: Reach<Static<TObject<P>>>;
  /** By default its area. */
  readonly topics?: readonly Topic[] | ((input: Static<TObject<P>>) => readonly Topic[]);
  readonly input: P;
  readonly answer: TSchema;
  /** Keys of the input, at any depth. */
  readonly secrets?: readonly string[];
  readonly long?: boolean;
  readonly version?: Versioning<OperationServices, Static<TObject<P>>>;
  run(
    services: OperationServices,
    input: Static<TObject<P>>,
    actor: Actor,
    progress: Progress,
  ): Promise<OperationResult<O>>;
}

/** The additional input of every act with a version. */
interface Expecting {
  readonly expects?: string;
}

export function act<const P extends TProperties, O>(
  name: string,
  draft: Draft<P, O>,
): Operation<Static<TObject<P>> & Expecting, O> {
  return { ...define(name, draft), kind: 'act' };
}

export function look<const P extends TProperties, O>(
  name: string,
  draft: Draft<P, O>,
): Operation<Static<TObject<P>>, O> {
  return { ...define(name, draft), kind: 'look' };
}

function define<P extends TProperties, O>(name: string, draft: Draft<P, O>) {
  const { title, area, reach, topics = [area], input, answer, secrets = [], long = false, version, run } = draft;
  const expects = version ? { expects: Type.Optional(Type.String({ maxLength: 100 })) } : {};
  return {
    name,
    title,
    area,
    reach,
    topics: typeof topics === 'function' ? topics : () => topics,
    input: Type.Object({ ...input, ...expects }, { additionalProperties: false }),
    version,
    answer,
    secrets,
    long,
    run,
  };
}
