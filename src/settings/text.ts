/**
 * Values as people type and read them: `20MiB`, `4h`, `on`, `a, b`. The schema decides how a text is read; unreadable
 * text is returned as it is, for the validation to reject.
 */
import { Type } from 'typebox';
import type { SettingDefinition } from './define.ts';

type Shape = Pick<SettingDefinition<unknown>, 'schema' | 'unit'>;
type Unit = NonNullable<SettingDefinition<unknown>['unit']>;

const MS: Record<Exclude<Unit, 'bytes'>, number> = {
  ms: 1,
  seconds: 1000,
  minutes: 60_000,
  hours: 3_600_000,
  days: 86_400_000,
};

const DURATIONS: Readonly<Record<string, number>> = {
  ms: MS.ms,
  s: MS.seconds,
  sec: MS.seconds,
  seconds: MS.seconds,
  m: MS.minutes,
  min: MS.minutes,
  minutes: MS.minutes,
  h: MS.hours,
  hours: MS.hours,
  d: MS.days,
  days: MS.days,
  w: 7 * MS.days,
  weeks: 7 * MS.days,
};

const SIZES: Readonly<Record<string, number>> = {
  b: 1,
  bytes: 1,
  kb: 1000,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

const FLAGS: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  yes: true,
  false: false,
  off: false,
  no: false,
};

export function parseValue(setting: Shape, text: string): unknown {
  const { schema, unit } = setting;
  const trimmed = text.trim();
  if (Type.IsString(schema) || 'enum' in schema) return trimmed;
  if (Type.IsBoolean(schema)) return FLAGS[trimmed.toLowerCase()] ?? trimmed;
  if (Type.IsInteger(schema) || Type.IsNumber(schema)) return parseAmount(trimmed, unit) ?? trimmed;
  if (Type.IsArray(schema) && !trimmed.startsWith('['))
    return trimmed === '' ? [] : trimmed.split(',').map((item) => parseValue({ schema: schema.items }, item));
  try {
    return JSON.parse(trimmed);
  } catch {
    return trimmed;
  }
}

/** In the form that `parseValue` reads. */
export function formatValue(setting: Shape, value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return value.join(', ');
  if (typeof value === 'object') return JSON.stringify(value);
  return typeof value === 'number' ? formatAmount(value, setting.unit) : String(value);
}

function parseAmount(text: string, unit: Unit | undefined): number | undefined {
  const match = /^(-?\d{1,16}(?:\.\d{1,9})?)\s*([A-Za-z]*)$/.exec(text);
  if (!match) return undefined;
  const amount = Number(match[1]);
  const suffix = match[2]!.toLowerCase();
  if (suffix === '') return amount;
  if (unit === undefined) return undefined;
  const factor = unit === 'bytes' ? SIZES[suffix] : DURATIONS[suffix];
  return factor === undefined ? undefined : amount * (factor / (unit === 'bytes' ? 1 : MS[unit]));
}

function formatAmount(value: number, unit: Unit | undefined): string {
  if (unit === undefined) return String(value);
  if (unit !== 'bytes') return `${value} ${unit}`;
  for (const [name, factor] of [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const)
    if (value >= factor && value % factor === 0) return `${value / factor} ${name}`;
  return `${value} bytes`;
}
