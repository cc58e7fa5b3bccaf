/**
 * What the hashing thread (hashing-thread.ts) does; nothing here takes less than tens of milliseconds.
 * Its answers are octets. `scram`: StoredKey and ServerKey, one behind the other. `common`: one octet, 1 or 0.
 */
export type HashJob =
  | {
      readonly kind: 'argon2id';
      readonly password: string;
      readonly salt: Uint8Array;
      readonly memoryKiB: number;
      readonly passes: number;
      readonly parallelism: number;
      readonly tagBytes: number;
    }
  | { readonly kind: 'scram'; readonly password: string; readonly salt: Uint8Array; readonly iterations: number }
  /** Whether guessers try it first. */
  | { readonly kind: 'common'; readonly password: string };
