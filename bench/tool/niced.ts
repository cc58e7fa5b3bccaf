/**
 * A process at the lowest priority that loads a server until it is ended, and then says as JSON what came
 * of it: what it computes itself would on a real network be computed elsewhere.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface Niced<T> {
  /** Ends it with SIGTERM; resolves with what it wrote on standard output. */
  end(): Promise<T & { readonly seconds: number }>;
}

/** `script` is a file of this folder. */
export function startNiced<T>(script: string, args: readonly string[]): Niced<T> {
  const startedAt = performance.now();
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', `${import.meta.dirname}/${script}`];
  const child = spawn('nice', ['-n', '19', ...command, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = text(child.stdout);
  return {
    async end() {
      const seconds = (performance.now() - startedAt) / 1000;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      return { seconds, ...(JSON.parse(await said) as T) };
    },
  };
}
