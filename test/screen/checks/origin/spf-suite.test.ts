import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { parseAllDocuments } from 'yaml';
import type { Address } from '../../../../src/model/address.ts';
import { evaluateSpf } from '../../../../src/screen/checks/origin/spf/evaluation.ts';
import { suiteFolder } from '../../../protocol/mime/suites.ts';
import { manualClock } from '../../../support/clock.ts';
import { type TableRecords, tableResolver, txt } from './table-resolver.ts';

interface Scenario {
  readonly description: string;
  readonly tests: Record<string, { helo: string; host: string; mailfrom: string; result: string | string[] }>;
  readonly zonedata: Record<string, readonly (string | Record<string, unknown>)[]>;
}

const { folder, skip } = suiteFolder('spf');

/** A record of type SPF also answers TXT, unless the name lists TXT; NONE is no record. */
function records(entries: Scenario['zonedata'][string]): TableRecords {
  const known: Record<string, unknown[]> = {};
  let fails: 'timeout' | undefined;
  for (const entry of entries) {
    if (typeof entry === 'string') {
      if (entry === 'TIMEOUT') fails = 'timeout';
      continue;
    }
    for (const [type, value] of Object.entries(entry)) known[type] = [...(known[type] ?? []), read(type, value)];
  }
  const texts = (known['TXT'] ?? known['SPF'] ?? []).filter((value) => value !== undefined);
  return { ...known, TXT: texts, ...(fails && { fails }) } as unknown as TableRecords;
}

function read(type: string, value: unknown): unknown {
  if (type === 'MX') {
    const [preference, exchange] = value as [number, string];
    return { preference, exchange };
  }
  if (type !== 'TXT' && type !== 'SPF') return value;
  return value === 'NONE' ? undefined : txt(...(Array.isArray(value) ? (value as string[]) : [String(value)]));
}

function address(text: string): Address | null {
  if (text === '') return null;
  const at = text.lastIndexOf('@');
  return { local: text.slice(0, Math.max(at, 0)), domain: text.slice(at + 1).toLowerCase(), text } as Address;
}

test('the SPF suite of RFC 7208 passes whole: 203 of 203', { skip }, async (t) => {
  const scenarios = parseAllDocuments(readFileSync(join(folder, 'rfc7208-tests.yml'), 'utf8')).map(
    (document) => document.toJS() as Scenario | null,
  );
  let count = 0;
  const wrong: string[] = [];
  for (const scenario of scenarios) {
    if (!scenario?.tests) continue;
    const zone = Object.fromEntries(Object.entries(scenario.zonedata).map(([name, list]) => [name, records(list)]));
    for (const [name, { helo, host, mailfrom, result }] of Object.entries(scenario.tests)) {
      count++;
      const services = { resolver: tableResolver(zone), hostname: 'mx.postern.example', clock: manualClock() };
      const { mail } = await evaluateSpf({ client: host, helo }, address(mailfrom), services);
      if (![result].flat().includes(mail.result)) wrong.push(`${name}: ${mail.result}, not ${result} (${mail.text})`);
    }
  }
  t.diagnostic(`${count} cases`);
  assert.deepEqual(wrong, []);
  assert.equal(count, 203);
});
