/**
 * `npm test`: the static checks, the tests of the rooms side by side, then the system tests two files at a time, and
 * last those that measure, one at a time. Every stage runs even when an earlier one failed; at the end it lists
 * failures, skips with their reason, and slow files, and the exit code is 1 if anything failed.
 */
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { installMissingPackages } from './debian.ts';
import type { SuiteRecord } from './suite-record.ts';

interface Stage {
  readonly name: string;
  readonly ok: boolean;
  readonly tookMs: number;
}

/** A test that takes longer hangs: the slowest honest one takes a quarter of this. */
const LONGEST_TEST_MS = 120_000;
/** A file that its tests left running never ends by itself; an honest stage takes a third of this on an idle machine, and all stages end within 40 minutes. */
const LONGEST_STAGE_MS = 1_200_000;
const SLOWEST_FILES_SHOWN = 10;
/** Each test file is a process of its own that loads hundreds of modules: what is compiled once serves all. */
const COMPILE_CACHE = resolve('node_modules/.cache/compiled');
/** System tests that measure what the machine does (its processors, its disk, how long clients wait): nothing runs beside them. */
const ALONE = ['durable', 'event-loop', 'faults', 'flow', 'idle', 'kill', 'log-size', 'look-ups', 'start'].map(
  (name) => `test/system/${name}.test.ts`,
);

const CHECKS = [
  ['types', 'tsc', '--noEmit'],
  ['lint', 'biome', 'check', '--error-on-warnings'],
  ['boundaries', 'node', 'scripts/boundaries.ts'],
  ['drift', 'node', 'scripts/drift.ts'],
] as const;

const records: SuiteRecord[] = [];

function main(mode: string, paths: readonly string[]): void {
  const startedAt = performance.now();
  const stages: Stage[] = [];
  if (mode === 'all' || mode === 'system') installMissingPackages();
  if (mode === 'all' || mode === 'check') {
    for (const [name, command, ...args] of CHECKS) stages.push(timed(name, () => run(command, args)));
  }
  // Sockets and fsync make a test wait about as long as it computes, so two files share a core.
  if (mode === 'all' || mode === 'unit') stages.push(tests('unit', unitFiles(paths), availableParallelism() * 2));
  if (mode === 'all' || mode === 'system') stages.push(...systemStages(systemFiles(paths)));
  tell(stages, performance.now() - startedAt);
  process.exitCode = stages.length > 0 && stages.every(({ ok }) => ok) ? 0 : 1;
}

function unitFiles(paths: readonly string[]): readonly string[] {
  return testFiles(paths, 'test').filter((file) => paths.length > 0 || !file.startsWith('test/system/'));
}

function systemFiles(paths: readonly string[]): readonly string[] {
  return testFiles(paths, 'test/system');
}

/** A node waits as long as it computes, so two files fill two cores. */
function systemStages(files: readonly string[]): readonly Stage[] {
  const alone = files.filter((file) => ALONE.includes(file));
  const others = files.filter((file) => !ALONE.includes(file));
  return [
    ...(others.length > 0 || alone.length === 0 ? [tests('system', others, availableParallelism())] : []),
    ...(alone.length > 0 ? [tests('system, one by one', alone, 1)] : []),
  ];
}

function testFiles(paths: readonly string[], everything: string): readonly string[] {
  return (paths.length > 0 ? paths : [everything])
    .flatMap((path) => (statSync(path).isDirectory() ? globSync(join(path, '**/*.test.ts')) : [path]))
    .sort();
}

function tests(name: string, files: readonly string[], concurrency: number): Stage {
  return timed(name, () => {
    if (files.length === 0) {
      console.log(`${name}: no test files`);
      return false;
    }
    const folder = mkdtempSync(join(tmpdir(), 'postern-suite-'));
    const recordFile = join(folder, 'records');
    const ok = run('node', [
      '--disable-warning=ExperimentalWarning',
      '--test',
      `--test-concurrency=${concurrency}`,
      `--test-timeout=${LONGEST_TEST_MS}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      '--test-reporter=./scripts/suite-record.ts',
      `--test-reporter-destination=${recordFile}`,
      ...files,
    ]);
    records.push(...readRecords(recordFile));
    rmSync(folder, { recursive: true });
    return ok;
  });
}

function readRecords(file: string): readonly SuiteRecord[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as SuiteRecord);
}

function run(command: string, args: readonly string[]): boolean {
  console.log(`\n$ ${command} ${args.filter((arg) => !arg.startsWith('--test')).join(' ')}`.slice(0, 160));
  const { status, error } = spawnSync(command, args, {
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...process.env },
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: LONGEST_STAGE_MS,
  });
  if (error) console.error(`cannot run ${command}: ${error.message}`);
  return status === 0;
}

function timed(name: string, work: () => boolean): Stage {
  const startedAt = performance.now();
  const ok = work();
  return { name, ok, tookMs: performance.now() - startedAt };
}

function tell(stages: readonly Stage[], tookMs: number): void {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`.padStart(8);
  const slowest = records
    .filter((record) => record.kind === 'file')
    .sort((a, b) => b.durationMs - a.durationMs)
    .slice(0, SLOWEST_FILES_SHOWN);
  if (slowest.length > 0) console.log('\nslowest files');
  for (const { file, durationMs } of slowest) console.log(`${seconds(durationMs)}  ${file}`);

  const skipped = records.filter((record) => record.kind === 'skip');
  if (records.length > 0) console.log(skipped.length === 0 ? '\nnothing was skipped' : `\nskipped: ${skipped.length}`);
  for (const { file, test, reason } of skipped) console.log(`  ${file}: ${test}: ${reason || 'no reason given'}`);

  console.log('\nstages');
  for (const stage of stages) console.log(`${seconds(stage.tookMs)}  ${stage.ok ? 'ok    ' : 'FAILED'}  ${stage.name}`);
  const totals = records.filter((record) => record.kind === 'total');
  const sum = (pick: (total: (typeof totals)[number]) => number): number =>
    totals.reduce((all, total) => all + pick(total), 0);
  console.log(
    `${seconds(tookMs)}  in all; ${sum((t) => t.tests)} tests, ${sum((t) => t.passed)} passed, ${sum((t) => t.failed)} failed`,
  );
}

const [mode = 'all', ...paths] = process.argv.slice(2);
if (!['all', 'check', 'unit', 'system'].includes(mode)) {
  console.error(`cannot run ${mode}, as it must be all, check, unit or system`);
  process.exitCode = 64;
} else main(mode, paths);
