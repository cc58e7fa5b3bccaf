/**
 * A whole node as a user runs it: `./bin/postern serve` in a process of its own, with real sockets,
 * a data folder of its own and ports chosen by the system. Stopped and removed when the test ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';

export const POSTERN = resolve(import.meta.dirname, '../../../bin/postern');

export interface NodeOptions {
  readonly data?: string;
  /** Beyond the defaults below. */
  readonly env?: Readonly<Record<string, string>>;
  /** Run under this command, which must keep the node its direct child's place: `['strace', '-D', '-f']`. */
  readonly under?: readonly string[];
  /** Another copy of the program. */
  readonly program?: string;
  /** Operations run before the node starts, on its data folder: `['domain', 'add', ...]`. */
  readonly setup?: readonly (readonly string[])[];
}

export interface RunningNode {
  readonly data: string;
  readonly process: ChildProcess;
  readonly env: NodeJS.ProcessEnv;
  /** `address:port` by listener, as the ready line tells. */
  readonly listeners: Readonly<Record<string, string>>;
  readonly port: (listener: string) => number;
  /** All that the node wrote to standard error so far. */
  readonly log: () => string;
  /** Runs `postern <args>` against this node; throws on a non-zero exit. */
  readonly cli: (args: readonly string[], input?: string) => Promise<string>;
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>;
  readonly kill: () => Promise<void>;
}

export function temporaryFolder(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

export function nodeEnvironment(data: string, env: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('POSTERN_')));
  delete inherited['NODE_TEST_CONTEXT'];
  return {
    ...inherited,
    POSTERN_DATA: data,
    POSTERN_TEST_ANSWERS: '1',
    POSTERN_HOSTNAME: 'mx.postern.example',
    POSTERN_LISTEN_MX: '127.0.0.1:0',
    POSTERN_LISTEN_SUBMISSION: '',
    POSTERN_LISTEN_SUBMISSIONS: '',
    POSTERN_LISTEN_HTTPS: '',
    POSTERN_LISTEN_METRICS: '',
    // No test asks real name servers: none answers here, at once.
    POSTERN_DNS_SERVERS: '127.0.0.4:9',
    ...env,
  };
}

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `postern <args>` to its end. */
export function postern(args: readonly string[], env: NodeJS.ProcessEnv, input?: string): Promise<Finished> {
  return finished(POSTERN, args, env, input);
}

async function finished(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  input = '',
): Promise<Finished> {
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

async function succeed(args: readonly string[], env: NodeJS.ProcessEnv, input?: string): Promise<string> {
  const { code, stdout, stderr } = await postern(args, env, input);
  if (code !== 0) throw new Error(`postern ${args.join(' ')} exited ${code}: ${stderr}${stdout}`);
  return stdout;
}

async function setUp(commands: NonNullable<NodeOptions['setup']>, env: NodeJS.ProcessEnv): Promise<void> {
  if (commands.length < 2) {
    for (const args of commands) await succeed(args, env);
    return;
  }
  const script = [join(import.meta.dirname, 'set-up.ts')];
  const { code, stdout, stderr } = await finished(process.execPath, script, env, JSON.stringify(commands));
  if (code !== 0) throw new Error(`a data folder could not be set up, exit ${code}: ${stderr}${stdout}`);
}

export async function startNode(t: Pick<TestContext, 'after'>, options: NodeOptions = {}): Promise<RunningNode> {
  const data = options.data ?? temporaryFolder(t);
  const env = nodeEnvironment(data, options.env);
  await setUp(options.setup ?? [], env);
  const [command, ...args] = [...(options.under ?? []), options.program ?? POSTERN, 'serve'];
  const child = spawn(command!, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-1_000_000);
  });
  const exited = once(child, 'exit');
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  });
  const listeners = await readyLine(child, exited, () => log);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    data,
    process: child,
    env,
    listeners,
    port: (listener) => Number(listeners[listener]?.split(':').at(-1)),
    log: () => log,
    cli: (cliArgs, input) => succeed(cliArgs, env, input),
    stop: (signal = 'SIGTERM') => end(signal),
    kill: async () => void (await end('SIGKILL')),
  };
}

async function readyLine(
  child: ChildProcess,
  exited: Promise<unknown>,
  log: () => string,
): Promise<Record<string, string>> {
  const lines = createInterface({ input: child.stdout! });
  const ready = (async () => {
    for await (const line of lines) {
      if (!line.startsWith('ready ')) continue;
      return Object.fromEntries(
        line
          .slice('ready '.length)
          .split(' ')
          .map((pair) => pair.split('=') as [string, string]),
      );
    }
    return undefined;
  })();
  const listeners = await Promise.race([ready, exited.then(() => undefined)]);
  if (!listeners) throw new Error(`the node exited ${child.exitCode} before it was ready:\n${log()}`);
  child.stdout!.resume();
  return listeners;
}

/** Asks again until `probe` gives something; the deadline is a guard against hanging, not a measurement. */
/** Lines come behind what they tell of. */
export async function logged(node: Pick<RunningNode, 'log'>, line: RegExp): Promise<void> {
  await eventually(() => line.test(node.log()) || undefined, `the log to match ${line}`);
}

export async function eventually<T>(
  probe: () => Promise<T | undefined> | T | undefined,
  what: string,
  guardMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + guardMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((done) => setTimeout(done, 25));
  }
}
