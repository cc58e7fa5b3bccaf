import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { parseAllDocuments } from 'yaml';
import { suiteFolder } from '../../../protocol/mime/suites.ts';
import { signed, verify } from './signed.ts';
import { tableResolver, txt } from './table-resolver.ts';

interface Scenario {
  readonly tests: Record<string, { message: string; cv: string | null }>;
  readonly 'txt-records': Record<string, string>;
}

const { folder, skip } = suiteFolder('arc');

/** Cases whose expectation RFC 8617 does not hold, each with the reason. */
const EXCLUDED: Readonly<Record<string, string>> = {
  ams_fields_c_na:
    'signed relaxed/relaxed, as drafts of ARC had it; without c= RFC 8617 4.1.2 and RFC 6376 3.5 mean simple/simple',
  ams_fields_h_empty: 'an h= without a name is no value of RFC 6376 3.5, which RFC 8617 4.1.2 takes over',
};

/** A key that stands twice in one mapping hides the first of the two: the second gets a name of its own. */
function renameDuplicates(yaml: string): string {
  let seen = new Map<string, number>();
  return yaml
    .split('\n')
    .map((line) => {
      if (line.startsWith('---')) seen = new Map();
      const key = /^ {2}(\w+):\s*$/.exec(line)?.[1];
      if (key === undefined) return line;
      const times = (seen.get(key) ?? 0) + 1;
      seen.set(key, times);
      return times === 1 ? line : `  ${key}_again${times}:`;
    })
    .join('\n');
}

test('the ARC validation suite passes whole: 175 cases, exclusions argued', { skip }, async (t) => {
  const yaml = renameDuplicates(readFileSync(join(folder, 'arc-draft-validation-tests.yml'), 'utf8'));
  const wrong: string[] = [];
  let count = 0;
  for (const document of parseAllDocuments(yaml)) {
    const scenario = document.toJS() as Scenario | null;
    if (!scenario?.tests) continue;
    const records = Object.entries(scenario['txt-records'] ?? {}).map(
      ([name, text]) => [name, { TXT: [txt(text.trim())] }] as const,
    );
    for (const [name, { message, cv }] of Object.entries(scenario.tests)) {
      count++;
      const { arc } = await verify(
        signed(message.replaceAll('\n', '\r\n')),
        tableResolver(Object.fromEntries(records)),
      );
      // An empty `cv` means that the chain must fail.
      const expected = (cv ?? '').trim().toLowerCase() || 'fail';
      const isExcluded = EXCLUDED[name] !== undefined;
      if ((arc.result === expected) === isExcluded)
        wrong.push(`${name}: ${arc.result}, not ${expected} (${arc.detail ?? ''})`);
    }
  }
  t.diagnostic(`${count} cases, ${Object.keys(EXCLUDED).length} excluded`);
  assert.deepEqual(wrong, []);
  assert.equal(count, 175);
});
