import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { domainToASCII } from 'node:url';
import { readHost } from '../../../../src/screen/checks/identity/hosts.ts';

const FILE = join(
  process.env['POSTERN_SUITES'] ?? resolve(import.meta.dirname, '../../../../../shared/suites'),
  'psl/tests.txt',
);
const skip = !existsSync(FILE) && `no suite at ${FILE}`;

function cases(): readonly (readonly [host: string, registered: string | undefined])[] {
  return readFileSync(FILE, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('//'))
    .map((line) => line.split(/\s+/))
    .filter(([host]) => host !== 'null')
    .map(([host, registered]) => [host!, registered === 'null' ? undefined : registered]);
}

test('the public suffix suite is answered as it says, in A-labels, but for names with a leading dot', { skip }, (t) => {
  const all = cases();
  assert.ok(all.length > 70, `${all.length} cases`);
  const wrong: string[] = [];
  for (const [host, registered] of all) {
    // No address has such a domain: protocol/smtp refuses an empty label.
    if (host.startsWith('.')) continue;
    const expected = registered && domainToASCII(registered);
    const found = readHost(host)?.registered;
    if (found !== expected) wrong.push(`${host}: ${found}, not ${expected}`);
  }
  for (const line of wrong) t.diagnostic(line);
  assert.deepEqual(wrong, []);
});
