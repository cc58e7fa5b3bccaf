/** The results of `postern check`, for a person: verdicts in a column, and below each what to do. */

import type { OperationOutput } from '../operations/index.ts';
import { cleanLine } from '../protocol/text/unsafe.ts';
import type { Colour, Paint } from './colours.ts';
import { visible } from './table.ts';

export type Checked = OperationOutput<'check.node'> | OperationOutput<'check.domain'>;
type Result = Checked['results'][number];

const VERDICTS = {
  good: { word: 'good', colour: 'green' },
  wrong: { word: 'wrong', colour: 'red' },
  'cannot-tell': { word: 'cannot tell', colour: 'yellow' },
} as const satisfies Readonly<Record<Result['verdict'], { readonly word: string; readonly colour: Colour }>>;

const VERDICT_WIDTH = 'cannot tell'.length;
const TEST_WIDTH = 'certificate'.length;

export function render(all: readonly Checked[], paint: Paint): string {
  return all.map((checked) => section(checked, paint)).join('\n\n');
}

function section(checked: Checked, paint: Paint): string {
  const title = 'domain' in checked ? checked.domain : `this node, ${checked.hostname}`;
  return [paint(visible(title), 'bold'), ...checked.results.flatMap((result) => lines(result, paint))].join('\n');
}

function lines(result: Result, paint: Paint): readonly string[] {
  const { word, colour } = VERDICTS[result.verdict];
  const severity = result.severity === null ? '' : `${result.severity}: `;
  const indent = ' '.repeat(2 + VERDICT_WIDTH + 2 + TEST_WIDTH + 2);
  return [
    `  ${paint(word.padEnd(VERDICT_WIDTH), colour)}  ${result.test.padEnd(TEST_WIDTH)}  ${line(result.seen)}`,
    ...(result.why === '' ? [] : [`${indent}${severity}${line(result.why)}`]),
    ...result.publish.map((record) => `${indent}${paint('publish', 'dim')}  ${line(record)}`),
  ];
}

/** Names and texts are untrusted. */
function line(text: string): string {
  return cleanLine(text.replaceAll('\n', ' '));
}
