/**
 * Every text of every operation's input is one line without control characters, unless its schema says
 * otherwise: `Lines` where line ends belong (a file, a certificate), `ELSEWHERE` where the reader of the
 * value judges it itself. A new operation is safe before anybody thinks of it.
 */
import { type TSchema, Type } from 'typebox';
import { unsafeInLine, unsafeInLines } from '../protocol/text/unsafe.ts';

/** A text of several lines. */
export function Lines(maxLength: number) {
  return Type.String({ maxLength, textKind: 'lines' });
}

/** An option of the schema of a value whose reader judges its texts. */
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

/** The first text that may not be; `value` fits the schema. */
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
