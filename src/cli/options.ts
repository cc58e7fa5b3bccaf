/** Options that several commands share. */
import { InvalidArgumentError } from 'commander';

/** For values that are doubted: half of all addresses, a public suffix. */
export const FORCE = [
  '--force',
  'take what can hardly be meant: a network wider than /8 (IPv6: /16), a public suffix',
] as const;

/** For acts on a row that was read. */
export const EXPECTS = ['--expects <version>', 'only if it is still that version, as --json shows it'] as const;

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^-?\d{1,15}$/.test(text)) return value;
  throw new InvalidArgumentError('It must be a whole number.');
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `2026-01-31`, `2026-01-31T08:00Z`, or how long ago: `30m`, `2h`, `7d`. Milliseconds since the epoch. */
export function pointInTime(text: string, now: number): number {
  const ago = /^(\d{1,6})([mhd])$/.exec(text);
  if (ago) return now - Number(ago[1]) * UNITS[ago[2]!]!;
  const at = Date.parse(text);
  if (!Number.isNaN(at) && at >= 0) return at;
  throw new InvalidArgumentError('It must be a date, a time, or how long ago (30m, 2h, 7d).');
}
