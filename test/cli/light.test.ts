/** What every command loads before it knows what is asked: most just ask a running node, many times an hour. */
import { strictEqual } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const SOURCE = join(import.meta.dirname, '../../src');
const STATIC_IMPORT = /^(?:import|export) (?!type )[^;]*?from '(\.[^']+)';/gms;
/** Rooms without a schema, a setting or a database. */
const LIGHT = /^(?:main|version)\.ts$|^(?:cli|world|model|protocol)\/|^operations\/roles\.ts$/;

test('a command loads no room of the node before it needs one', () => {
  const loaded = new Set<string>();
  const visit = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const [, path] of readFileSync(file, 'utf8').matchAll(STATIC_IMPORT)) visit(join(dirname(file), path!));
  };
  visit(join(SOURCE, 'main.ts'));

  const heavy = [...loaded].map((file) => relative(SOURCE, file)).filter((file) => !LIGHT.test(file));
  strictEqual(heavy.join(' '), '');
  strictEqual(loaded.has(join(SOURCE, 'cli/run.ts')), true, 'the imports were followed');
});
