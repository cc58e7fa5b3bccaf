/**
 * The thread of hashing.ts: one job at a time. On Linux it runs at the lowest priority, so that a
 * flood of sign-ins takes only what mail leaves over.
 */
import { argon2Sync } from 'node:crypto';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { makeVerifier } from '../protocol/sasl/scram.ts';
import { isCommonPassword } from './common-passwords.ts';
import type { HashAnswer, HashJob } from './hash-jobs.ts';
import { HASHING_PRIORITY } from './limits.ts';

// There, priorities are of threads; elsewhere this would slow the whole process.
if (process.platform === 'linux') {
  try {
    setPriority(0, HASHING_PRIORITY);
  } catch {
    // A sandbox may forbid it; the hashes are right all the same.
  }
}

parentPort?.on('message', async (job: HashJob) => parentPort?.postMessage(await answer(job)));

async function answer(job: HashJob): Promise<HashAnswer> {
  try {
    return { octets: await hash(job) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

async function hash(job: HashJob): Promise<Uint8Array> {
  if (job.kind === 'common') return Uint8Array.of((await isCommonPassword(job.password)) ? 1 : 0);
  if (job.kind === 'scram') {
    const { storedKey, serverKey } = makeVerifier(job.password, job.salt, job.iterations);
    return Buffer.concat([storedKey, serverKey]);
  }
  const { password, salt, memoryKiB, passes, parallelism, tagBytes } = job;
  return argon2Sync('argon2id', {
    message: Buffer.from(password),
    nonce: salt,
    memory: memoryKiB,
    passes,
    parallelism,
    tagLength: tagBytes,
  });
}
