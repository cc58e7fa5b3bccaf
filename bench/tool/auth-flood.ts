/** Bots that guess passwords, in a process of their own (auth-flooder.ts). */
import type { Endpoint } from '../product/product.ts';
import { type Niced, startNiced } from './niced.ts';

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
export function startFlood(target: Endpoint, flood: Flood): Niced<FloodResult> {
  const numbers = [target.port, flood.connections, flood.attemptsPerSecond].map(String);
  return startNiced('auth-flooder.ts', [target.host, numbers[0]!, flood.user, numbers[1]!, numbers[2]!]);
}
