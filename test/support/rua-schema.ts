/**
 * The published schema of aggregate reports (RFC 9990), checked by xmllint. Tests that use it skip by `skipSchema`,
 * which names what is missing.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after } from 'node:test';

const SCHEMA = join(
  process.env['POSTERN_SUITES'] ?? resolve(import.meta.dirname, '../../../shared/suites'),
  'dmarc/rua-schema.xsd',
);
const hasXmllint = spawnSync('xmllint', ['--version']).error === undefined;

export const skipSchema: string | false =
  (!existsSync(SCHEMA) && `no schema at ${SCHEMA}`) || (!hasXmllint && 'xmllint is not installed');

/**
 * The published schema names its own types without their namespace, so no validator loads it unchanged; with the
 * namespace declared at its root, it loads. Children are qualified, as in the RFC's sample.
 */
function repairedSchema(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-xsd-'));
  after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'rua.xsd');
  const root = 'targetNamespace="urn:ietf:params:xml:ns:dmarc-2.0"';
  writeFileSync(
    file,
    readFileSync(SCHEMA, 'utf8').replace(
      root,
      `${root} xmlns="urn:ietf:params:xml:ns:dmarc-2.0" elementFormDefault="qualified"`,
    ),
  );
  return file;
}

const schema = skipSchema ? '' : repairedSchema();

export function assertValidReport(xml: string | Uint8Array): void {
  const result = spawnSync('xmllint', ['--noout', '--nonet', '--schema', schema, '-'], { input: xml });
  assert.equal(result.status, 0, result.stderr.toString());
}
