/**
 * The mails of mime/hide-content each hide payload.zip from some readers. A scanner must get it byte
 * for byte, or be told that the message is not clear: a silent miss is the failure.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesOf, readLeaves, readWithCrLf, suiteFolder } from './suites.ts';

const { folder, skip } = suiteFolder('mime/hide-content');

/**
 * Their payload has an LF that quoted-printable writes as a line break. Made CRLF with the rest of the
 * mail it is no longer the payload, so only the suite's own line ends can tell.
 */
const ONLY_WITH_LF = /qph-basic-qp-(allenc-cont|allenc-cont-space|allenc-cont-tab|no_nl)\.eml$/;

function verdict(message: Uint8Array, payload: Buffer): 'found' | 'flagged' | 'missed' {
  const { leaves, problems } = readLeaves(message);
  if (leaves.some((leaf) => payload.equals(leaf.bytes))) return 'found';
  return problems.size > 0 ? 'flagged' : 'missed';
}

test('no hidden payload is missed in silence', { skip }, () => {
  const payload = readFileSync(join(folder, 'payload.zip'));
  const verdicts = new Map<string, string[]>();
  for (const file of filesOf(folder, '.eml')) {
    const path = join(folder, file);
    const asStored = verdict(readFileSync(path), payload);
    const asSent = ONLY_WITH_LF.test(file) ? asStored : verdict(readWithCrLf(path), payload);
    for (const each of [asStored, asSent]) verdicts.set(each, [...(verdicts.get(each) ?? []), file]);
  }
  assert.deepEqual(verdicts.get('missed') ?? [], []);
  assert.ok(verdicts.get('found')!.length >= 2 * 70, `found ${verdicts.get('found')!.length}`);
});

test('fully valid mails are read with no problem told', { skip }, () => {
  for (const file of filesOf(folder, '.eml').filter((name) => name.startsWith('valid3'))) {
    const { problems } = readLeaves(readWithCrLf(join(folder, file)));
    assert.deepEqual([...problems], [], file);
  }
});
