/** The thread of hashing.ts: one job at a time, behind all that mail needs. */
import { argon2Sync } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { makeVerifier } from '../../../protocol/sasl/scram.ts';
import { goBehindMail } from '../../../world/background.ts';
import { isCommonPassword } from './common-passwords.ts';
import type { HashAnswer, HashJob } from './hash-jobs.ts';

goBehindMail('password');

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
