/**
 * Bots that guess passwords, in a process at the lowest priority: what they compute themselves, TLS
 * above all, would on a real network be computed elsewhere.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Endpoint } from '../product/product.ts';

export interface Flood {
  readonly user: string;
  readonly connections: number;
  /** Offered; what is attempted is less where the server slows its clients down. */
  readonly attemptsPerSecond: number;
}

export interface FloodResult {
  readonly seconds: number;
  /** How often which code came; `lost`: connections that ended without one. */
  readonly answers: Readonly<Record<string, number>>;
}

/** Floods until `end`. */
export function startFlood(target: Endpoint, flood: Flood): { end(): Promise<FloodResult> } {
  const startedAt = performance.now();
  const child = spawn(
    'nice',
    [
      ...['-n', '19', process.execPath, '--disable-warning=ExperimentalWarning'],
      `${import.meta.dirname}/auth-flooder.ts`,
      ...[target.host, String(target.port), flood.user, String(flood.connections), String(flood.attemptsPerSecond)],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const said = text(child.stdout);
  return {
    async end() {
      const seconds = (performance.now() - startedAt) / 1000;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      return { seconds, answers: JSON.parse(await said) };
    },
  };
}
