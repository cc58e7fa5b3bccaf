/**
 * How a setting is defined: once, next to the code that obeys it.
 *
 * The definition is the default, the validation, the form field in the console, the API schema, the
 * CLI's type and the manual's paragraph. `0` never means unlimited: where there is no bound, the
 * setting is a flag of its own.
 */
import { type TSchema, Type } from 'typebox';
import { networkDoubt, networkMust } from '../protocol/network/doubt.ts';
import { parseNetworks } from '../protocol/network/network.ts';
import { suffixDoubt, suffixMust } from '../protocol/network/suffix-doubt.ts';

/** The widest level a value may be set at; `domain` also allows global, `account` allows all three. */
export type Scope = 'global' | 'domain' | 'account';

export interface SettingDefinition<T> {
  /** `group.name`, filled in by defineSettings. */
  readonly key: string;
  readonly scope: Scope;
  readonly schema: TSchema;
  readonly default: T;
  /** The manual's paragraph: what it does, what the value means, when to change it. Markdown. */
  readonly manual: string;
  /** Shown after the value: ms, bytes, days. */
  readonly unit?: 'ms' | 'bytes' | 'days' | 'hours' | 'minutes' | 'seconds';
  /** A condition beyond the schema: a sentence on why the value is invalid (`must be ...`), or undefined. */
  check?(value: T): string | undefined;
  /** The same sentence for a valid value that is probably a mistake: it is taken only with `force`. */
  doubt?(value: T): string | undefined;
  /** The text may contain line ends and tabs; it goes into a body and never into a header or a command. */
  readonly lines?: boolean;
  /** The history keeps only that it changed. */
  readonly secret?: boolean;
}

type Options<T> = {
  scope?: Scope;
  check?: (value: T) => string | undefined;
  doubt?: (value: T) => string | undefined;
};
type Draft<T> = Omit<SettingDefinition<T>, 'key'>;

export function flag(value: boolean, manual: string, options: Options<boolean> = {}): Draft<boolean> {
  return { scope: 'global', schema: Type.Boolean(), default: value, manual, ...options };
}

export function count(
  value: number,
  bounds: { min: number; max: number },
  manual: string,
  options: Options<number> = {},
): Draft<number> {
  const schema = Type.Integer({ minimum: bounds.min, maximum: bounds.max });
  return { scope: 'global', schema, default: value, manual, ...options };
}

/** A whole number of `unit`; the value has that unit, so the name of the setting ends in it. */
export function amount(
  value: number,
  unit: NonNullable<SettingDefinition<number>['unit']>,
  bounds: { min: number; max: number },
  manual: string,
  options: Options<number> = {},
): Draft<number> {
  return { ...count(value, bounds, manual, options), unit };
}

export function text(
  value: string,
  manual: string,
  options: Options<string> & { maxLength?: number; lines?: boolean } = {},
): Draft<string> {
  const { maxLength = 1000, ...rest } = options;
  return { scope: 'global', schema: Type.String({ maxLength }), default: value, manual, ...rest };
}

export function choice<const C extends readonly string[]>(
  values: C,
  value: C[number],
  manual: string,
  options: Options<C[number]> = {},
): Draft<C[number]> {
  return { scope: 'global', schema: Type.Enum([...values]), default: value, manual, ...options };
}

export function list(
  value: readonly string[],
  manual: string,
  options: Options<readonly string[]> & { maxItems?: number } = {},
): Draft<readonly string[]> {
  const { maxItems = 10_000, ...rest } = options;
  return {
    scope: 'global',
    schema: Type.Array(Type.String({ maxLength: 1000 }), { maxItems }),
    default: value,
    manual,
    ...rest,
  };
}

/** A list of addresses and networks that grants trust or exemptions; `10.1.*.*` is allowed, too. */
export function networks(
  value: readonly string[],
  manual: string,
  options: Pick<Options<readonly string[]>, 'scope'> & { maxItems?: number } = {},
): Draft<readonly string[]> {
  return list(value, manual, { ...options, check: networksOnly, doubt: networksDoubt });
}

function networksOnly(values: readonly string[]): string | undefined {
  const wrong = values.find((value) => !parseNetworks(value.trim()));
  return wrong === undefined
    ? undefined
    : `must be a list of addresses and networks such as 192.0.2.1 or 192.0.2.0/24, and ${wrong} is none`;
}

function networksDoubt(values: readonly string[]): string | undefined {
  const doubts = values.flatMap((value) => networkDoubt(value) ?? []);
  return doubts[0] && `must be a list of networks that can be meant, each ${networkMust(doubts[0])}`;
}

/** The doubt about a list of domains or addresses; `below`: an entry also covers the names below a domain. */
export function domainsDoubt(below: boolean): (values: readonly string[]) => string | undefined {
  return (values) => {
    const doubts = values.flatMap((value) => suffixDoubt(value, below) ?? []);
    return doubts[0] && `must be a list of domains that can be meant, each ${suffixMust(doubts[0])}`;
  };
}

type Defined<G> = { readonly [K in keyof G]: G[K] extends Draft<infer T> ? SettingDefinition<T> : never };

// biome-ignore lint/suspicious/noExplicitAny: one group has settings of all types; `Defined` keeps each type.
type AnyDraft = Draft<any>;

/** `group` is the first part of every key: `defineSettings('smtp', { maxRecipients: count(...) })` defines `smtp.maxRecipients`. */
export function defineSettings<const G extends Record<string, AnyDraft>>(group: string, drafts: G): Defined<G> {
  const defined: Record<string, unknown> = {};
  for (const [name, draft] of Object.entries(drafts))
    defined[name] = Object.freeze({ key: `${group}.${name}`, ...draft });
  return Object.freeze(defined) as Defined<G>;
}
