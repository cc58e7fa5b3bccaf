/** Randomness, injected: tests pass a seeded one. */
import { randomBytes, randomInt } from 'node:crypto';

export interface Random {
  bytes(count: number): Uint8Array;
  /** A whole number in [0, bound). Unpredictable: ports, DNS ids, nonces may use it. */
  below(bound: number): number;
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  below: (bound) => randomInt(bound),
};

/** In place, Fisher-Yates. */
export function shuffle<T>(items: T[], random: Random): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
  return items;
}
