/**
 * `bench/run [--rounds n] [--postern command] [scenario...]`: runs scenarios, prints what came out
 * beside what was promised, and keeps all figures in bench/results/<scenario>.json. Exits 1 when a
 * promise was not kept. Needs root and Debian's postfix package, as it starts a Postfix of its own.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from './measure/table.ts';
import { obstacles } from './obstacles.ts';
import type { Bench, Outcome, Scenario } from './scenario.ts';
import { scenarios } from './scenarios/index.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, postern: { type: 'string' } },
});

const HOME = resolve(import.meta.dirname, '..');
const RESULTS = join(import.meta.dirname, 'results');

async function main(): Promise<number> {
  const unknown = positionals.filter((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown.length > 0) {
    console.error(`cannot run ${unknown.join(', ')}, as a scenario must be one of:`);
    for (const { name, what } of scenarios) console.error(`  ${name}: ${what}`);
    return 64;
  }
  const found = obstacles();
  for (const obstacle of found) console.error(`bench/run: cannot start, as ${obstacle}`);
  if (found.length > 0) return 69;

  // TMPDIR chooses the disk; both products keep their queues on it.
  const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  // Postfix's processes run as another user and must reach their queue.
  chmodSync(folder, 0o755);
  const bench: Bench = {
    folder,
    rounds: Number(values.rounds),
    postern: values.postern ? resolve(values.postern) : join(HOME, 'bin/postern'),
    tell: (line) => console.log(`  ${line}`),
  };
  try {
    const chosen = scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
    let kept = true;
    for (const scenario of chosen) kept = (await measure(scenario, bench)) && kept;
    return kept ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function measure(scenario: Scenario, bench: Bench): Promise<boolean> {
  console.log(`\n${scenario.name}: ${scenario.what}`);
  const outcome = await scenario.run(bench);
  console.log(`\n${table(outcome.table)}\n`);
  for (const { promise, measured, kept } of outcome.verdicts)
    console.log(`${kept ? 'kept' : 'NOT KEPT'}: ${promise}: ${measured}`);
  save(scenario, outcome);
  return outcome.verdicts.every(({ kept }) => kept);
}

function save(scenario: Scenario, outcome: Outcome): void {
  mkdirSync(RESULTS, { recursive: true });
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, memoryBytes: totalmem(), node: process.version };
  const result = {
    scenario: scenario.name,
    what: scenario.what,
    measuredAt: new Date().toISOString(),
    machine,
    ...outcome,
  };
  writeFileSync(join(RESULTS, `${scenario.name}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

process.exitCode = await main();
