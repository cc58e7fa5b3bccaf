/** The thread of hashing.ts: one job at a time, with lower priority than all work for mail. */
import { argon2Sync } from 'node:crypto';
import { makeVerifier } from '../../../protocol/sasl/scram.ts';
import { goBehindMail } from '../../../world/background.ts';
import { answerJobs } from '../../../world/workers/answer.ts';
import { isCommonPassword } from './common-passwords.ts';
import type { HashJob } from './hash-jobs.ts';

goBehindMail('password');

answerJobs<HashJob, Uint8Array>(() => hash);

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
