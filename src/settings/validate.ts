/** Whether a value is valid: TypeBox decides, and this module writes the sentence for the administrator. */
import { type TSchema, Type } from 'typebox';
import { Check, Errors } from 'typebox/value';
import { cleanLine, unsafeInLine, unsafeInLines } from '../protocol/text/unsafe.ts';
import type { SettingDefinition } from './define.ts';
import { QUOTED_LENGTH } from './limits.ts';

/** The sentence's `must be ...`, or undefined for a valid value. */
export function refusal<T>(setting: SettingDefinition<T>, value: unknown): string | undefined {
  if (!Check(setting.schema, value)) return `must be ${description(setting)}${place(setting.schema, value)}`;
  return unsafeText(setting, value) ?? setting.check?.(value as T);
}

/** The text of a setting goes into headers, commands and lines of the log, wherever it is within the value. */
function unsafeText({ lines = false }: Pick<SettingDefinition<unknown>, 'lines'>, value: unknown): string | undefined {
  if (typeof value === 'string') {
    const found = lines ? unsafeInLines(value) : unsafeInLine(value);
    if (found === undefined) return undefined;
    return `must be ${lines ? 'text' : 'one line'} without control characters, and ${found} is one`;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const must = unsafeText({ lines: false }, key) ?? unsafeText({ lines }, inner);
    if (must !== undefined) return must;
  }
  return undefined;
}

/** The form of a valid value, for errors, the manual and the CLI: `a whole number of days from 1 to 365`. */
export function description(setting: Pick<SettingDefinition<unknown>, 'schema' | 'unit'>): string {
  const { schema, unit } = setting;
  const bounds = schema as Bounds;
  if ('enum' in schema) return `one of ${(schema.enum as string[]).join(', ')}`;
  if (Type.IsBoolean(schema)) return 'true or false';
  if (Type.IsInteger(schema)) return `a whole number${unit ? ` of ${unit}` : ''}${range(bounds)}`;
  if (Type.IsNumber(schema)) return `a number${unit ? ` of ${unit}` : ''}${range(bounds)}`;
  if (Type.IsString(schema)) return `text${upTo(bounds.maxLength, 'characters')}`;
  if (Type.IsArray(schema))
    return `a list${upTo(bounds.maxItems, 'entries')}, each ${description({ schema: schema.items })}`;
  return 'a value of the form that the manual describes';
}

export function quoted(value: unknown): string {
  const text = cleanLine(typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)));
  if (text === '') return 'empty';
  return text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)}…` : text;
}

/** The bounds as JSON schema writes them. */
interface Bounds {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

function range({ minimum, maximum }: Bounds): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return maximum === undefined ? '' : ` of at most ${maximum}`;
}

function upTo(bound: number | undefined, what: string): string {
  return bound === undefined ? '' : ` of at most ${bound} ${what}`;
}

/** The place in a list or object of the wrong value. */
function place(schema: TSchema, value: unknown): string {
  if (typeof value !== 'object' || value === null) return '';
  const at = Errors(schema, value)[0]?.instancePath;
  return at ? ` (wrong at ${at})` : '';
}
