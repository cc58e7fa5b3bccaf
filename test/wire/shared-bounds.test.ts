/** The table of shared bounds in the threat model names tests, and each is there. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

test('every shared bound of the threat model has a test, by the name that it is told by', () => {
  const model = readFileSync(join(ROOT, 'docs/threat-model.md'), 'utf8');
  const [, part = ''] = /### Shared bounds[^\n]*\n([\s\S]*?)\n### /.exec(model) ?? [];
  const rows = part.split('\n').filter((line) => line.startsWith('| ') && !/^\| (bound|---)/.test(line));
  assert.ok(rows.length >= 20);
  for (const row of rows) {
    const tests = row
      .split('|')
      .at(-2)!
      .replaceAll('`', '')
      .split(/; |, (?=test\/)/);
    let text: string | undefined;
    for (const named of tests) {
      const [, path, claim] = /^(test\/\S+?\.ts)?(?:: )?(.*)$/.exec(named.trim())!;
      if (path !== undefined) text = readFileSync(join(ROOT, path), 'utf8').toLowerCase();
      assert.ok(text?.includes(claim!.toLowerCase()), `"${claim}" in ${row}`);
    }
  }
});
