/** The thread of password.ts: one hash, then it ends. */
import { argon2Sync } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { ARGON2 } from './limits.ts';
import type { HashJob } from './password.ts';

const { password, salt } = workerData as HashJob;
const { memoryKiB, passes, parallelism, tagBytes } = ARGON2;
parentPort?.postMessage(
  argon2Sync('argon2id', {
    message: Buffer.from(password),
    nonce: salt,
    memory: memoryKiB,
    passes,
    parallelism,
    tagLength: tagBytes,
  }),
);
