/**
 * Parsers and the pumps that could slow them down, as tests: one for each function. test/growth/coverage.test.ts
 * checks that none is missing.
 */
import { test } from 'node:test';
import { assertLinear, type Pump } from './growth.ts';

export interface Row<Input> {
  parse(input: Input): unknown;
  readonly pumps: readonly Pump<Input>[];
}

/** Any input: the rows of a table have different types. */
// biome-ignore lint/suspicious/noExplicitAny: each row fits its own pumps, which `row` checks.
type AnyRow = Row<any>;

/** By file and function: `protocol/mime/base64.ts decodeBase64`. */
export type Rows = Readonly<Record<string, AnyRow>>;

export function row<Input>(parse: (input: Input) => unknown, ...pumps: readonly Pump<Input>[]): Row<Input> {
  return { parse, pumps };
}

export function testGrowth(rows: Rows): void {
  for (const [name, { parse, pumps }] of Object.entries(rows)) {
    test(`${name} takes no more time a byte for more bytes, whatever they are (${pumps.length} pumps)`, () => {
      for (const pump of pumps) assertLinear({ ...pump, name: `${name}: ${pump.name}` }, parse);
    });
  }
}

/** Repeats `unit` between `before` and `after`. */
export function text(unit: string, largest: number, before = '', after = ''): Pump<string> {
  return {
    name: shown(before, unit, after),
    largest,
    input: (size) => before + unit.repeat(Math.max(1, Math.floor(size / unit.length))) + after,
  };
}

/** The same as bytes; characters up to U+00FF are one each. */
export function octets(unit: string, largest: number, before = '', after = ''): Pump<Buffer> {
  const pump = text(unit, largest, before, after);
  return { ...pump, input: (size) => Buffer.from(pump.input(size), 'latin1') };
}

export function of<From, To>(pump: Pump<From>, convert: (input: From) => To): Pump<To> {
  return { ...pump, input: (size) => convert(pump.input(size)) };
}

function shown(before: string, unit: string, after: string): string {
  const short = (part: string): string => JSON.stringify(part.length > 40 ? `${part.slice(0, 37)}...` : part);
  return [before && short(before), `${short(unit)}*`, after && short(after)].filter(Boolean).join(' ');
}
