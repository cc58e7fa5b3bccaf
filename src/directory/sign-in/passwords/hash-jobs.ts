/**
 * The work of the hashing thread (hashing-thread.ts); each job takes at least tens of milliseconds. Its answers are
 * bytes. `scram`: StoredKey and ServerKey, one after the other. `common`: one byte, 1 or 0.
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
