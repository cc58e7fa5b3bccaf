/** Colours at a terminal; none in files and pipes, and if NO_COLOR is set. */
import type { Output } from './context.ts';

export type Colour = 'green' | 'yellow' | 'red' | 'bold' | 'dim';
export type Paint = (text: string, colour: Colour) => string;

/** ECMA-48 8.3.117. */
const CODES: Readonly<Record<Colour, number>> = { green: 32, yellow: 33, red: 31, bold: 1, dim: 2 };

export function colours(output: Output, env: Readonly<Record<string, string | undefined>>): Paint {
  if (!output.isTTY || env['NO_COLOR']) return (text) => text;
  return (text, colour) => `\u001b[${CODES[colour]}m${text}\u001b[0m`;
}
