/**
 * A reporter beside `spec`: one JSON line for each result that scripts/suite.ts reports at the end (skips, failures,
 * durations).
 */
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

export type SuiteRecord =
  | { readonly kind: 'skip'; readonly file: string; readonly test: string; readonly reason: string }
  | { readonly kind: 'file'; readonly file: string; readonly durationMs: number }
  | { readonly kind: 'total'; readonly tests: number; readonly passed: number; readonly failed: number };

export default async function* record(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    const line = recordOf(event);
    if (line) yield `${JSON.stringify(line)}\n`;
  }
}

function recordOf(event: TestEvent): SuiteRecord | undefined {
  if (event.type === 'test:pass' && event.data.skip !== undefined) {
    const { name, file, skip } = event.data;
    return { kind: 'skip', file: shortened(file), test: name, reason: typeof skip === 'string' ? skip : '' };
  }
  if (event.type !== 'test:summary') return undefined;
  const { file, counts, duration_ms } = event.data;
  if (file) return { kind: 'file', file: shortened(file), durationMs: duration_ms };
  const failed = counts.tests - counts.passed - counts.skipped - counts.todo;
  return { kind: 'total', tests: counts.tests, passed: counts.passed, failed };
}

function shortened(file: string | undefined): string {
  return file ? relative(process.cwd(), file) : '';
}
