/**
 * Postern as a user runs it: `postern serve` on a fresh data folder, one domain, one account. The checks
 * of content and origin are off, as Postfix makes none; the structural ones (relay, recipient, size,
 * hops, header) cannot be and are not.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CHECKS } from '../../src/screen/index.ts';
import { freePort } from '../measure/free-port.ts';
import { DOMAIN, type Endpoint, type Product, RECIPIENT, type RunningProduct } from './product.ts';

const HOST = '127.0.0.1';
const STAYS_ON = 'headerSanity';
const SETTINGS = [
  'global:',
  // A key for each of ten thousand domains takes the processor for half an hour.
  '  signing.dkim: false',
  '  signing.rotation: false',
  ...new Set(
    CHECKS.filter(({ policy, id }) => policy && id !== STAYS_ON).map(
      ({ settingsGroup, id }) => `  ${settingsGroup ?? id}.enabled: false`,
    ),
  ),
  '',
].join('\n');

export interface PosternOptions {
  /** Where there is more than one. */
  readonly name?: string;
  /** Fills the data folder after the domain was made and before the node starts. */
  readonly seed?: (data: string) => void;
  /** With the checks of content and origin, as it comes. */
  readonly screens?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunningPostern extends RunningProduct {
  /** From the start of the process to its word that it accepts mail. */
  readonly startMs: number;
  /** The data folder. */
  readonly data: string;
}

export function postern(command: string, options: PosternOptions = {}): Product<RunningPostern> {
  const { name = 'Postern', seed, screens = false } = options;
  return {
    name,
    async start(folder, sink) {
      const port = await freePort(HOST);
      const data = join(folder, 'data');
      const env = { ...environment(data, port), ...options.env };
      prepare(command, env, sink, screens);
      seed?.(data);
      const startedAt = performance.now();
      const log = join(folder, 'postern.log');
      const child = spawn(command, ['serve'], { env, stdio: ['ignore', 'pipe', openSync(log, 'w')] });
      if (!(await ready(child))) throw new Error(`Postern did not start:\n${readFileSync(log, 'utf8')}`);
      return running({ name, data, host: HOST, port, startMs: performance.now() - startedAt }, child);
    },
  };
}

export function environment(data: string, port: number): NodeJS.ProcessEnv {
  return {
    ...process.env,
    POSTERN_DATA: data,
    POSTERN_HOSTNAME: 'mx.postern.example',
    POSTERN_LISTEN_MX: `${HOST}:${port}`,
    POSTERN_LISTEN_SUBMISSION: '',
    POSTERN_LISTEN_SUBMISSIONS: '',
    POSTERN_LISTEN_HTTPS: '',
    POSTERN_LISTEN_METRICS: '',
  };
}

function prepare(command: string, env: NodeJS.ProcessEnv, sink: Endpoint, screens: boolean): void {
  const run = (args: readonly string[], input = ''): void => {
    const { status, stderr } = spawnSync(command, args, { env, input, encoding: 'utf8' });
    if (status !== 0) throw new Error(`postern ${args.join(' ')} exited ${status}: ${stderr}`);
  };
  run(['domain', 'add', DOMAIN, '--server', `${sink.host}:${sink.port}`]);
  run(['user', 'add', RECIPIENT, '--password-stdin'], 'only for benches, never used to sign in\n');
  if (!screens) run(['settings', 'import', '-'], SETTINGS);
}

async function ready(child: ChildProcess): Promise<boolean> {
  const lines = createInterface({ input: child.stdout! });
  const isReady = (async () => {
    for await (const line of lines) if (line.startsWith('ready')) return true;
    return false;
  })();
  const answer = await Promise.race([isReady, once(child, 'exit').then(() => false)]);
  child.stdout!.resume();
  return answer;
}

function running(
  started: Pick<RunningPostern, 'name' | 'data' | 'host' | 'port' | 'startMs'>,
  child: ChildProcess,
): RunningPostern {
  return {
    ...started,
    pid: child.pid!,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}
