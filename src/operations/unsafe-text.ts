/**
 * Every text in an operation's input is one line without control characters, unless its schema allows more: `Lines`
 * if line ends are valid (a file, a certificate), `ELSEWHERE` if the reader of the value checks it. So a new
 * operation is safe by default.
 */
import { type TSchema, Type } from 'typebox';
import { unsafeInLine, unsafeInLines } from '../protocol/text/unsafe.ts';

/** A text of several lines. */
export function Lines(maxLength: number) {
  return Type.String({ maxLength, textKind: 'lines' });
}

/** An option of the schema of a value whose reader checks its texts. */
export const ELSEWHERE = { textKind: 'elsewhere' } as const;

export type TextKind = 'line' | 'lines' | 'elsewhere';

export interface Unsafe {
  /** `servers.0`. */
  readonly at: string;
  /** `U+000A`. */
  readonly character: string;
}

type Node = TSchema & {
  readonly textKind?: TextKind;
  readonly properties?: Readonly<Record<string, TSchema>>;
  readonly patternProperties?: Readonly<Record<string, TSchema>>;
  readonly items?: TSchema;
};

/** The first invalid text; `value` matches the schema. */
export function unsafeText(schema: TSchema | undefined, value: unknown, at = ''): Unsafe | undefined {
  const { textKind = 'line', properties, patternProperties, items } = (schema ?? {}) as Node;
  if (textKind === 'elsewhere') return undefined;
  if (typeof value === 'string') {
    const character = textKind === 'lines' ? unsafeInLines(value) : unsafeInLine(value);
    return character === undefined ? undefined : { at: at || 'the input', character };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const others = patternProperties && Object.values(patternProperties)[0];
  for (const [key, inner] of Object.entries(value)) {
    const character = Array.isArray(value) ? undefined : unsafeInLine(key);
    if (character !== undefined) return { at: at || 'the input', character };
    const below = Array.isArray(value) ? items : (properties?.[key] ?? others);
    const found = unsafeText(below, inner, at === '' ? key : `${at}.${key}`);
    if (found) return found;
  }
  return undefined;
}
