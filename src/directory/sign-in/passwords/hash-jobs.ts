/** What the hashing thread (password-thread.ts) does, and its answer. Nothing here takes less than tens of milliseconds. */
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

/** `scram`: StoredKey and ServerKey, one behind the other. `common`: one octet, 1 or 0. */
export type HashAnswer = { readonly octets: Uint8Array } | { readonly error: string };
