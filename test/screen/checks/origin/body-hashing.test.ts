/** Large bodies are hashed in a thread, which forgets those that nobody waits for. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import test from 'node:test';
import type { ContentRef } from '../../../../src/model/content.ts';
import { AUTHENTICATION_LIMITS } from '../../../../src/screen/checks/origin/limits.ts';
import { hashBody } from '../../../../src/screen/checks/origin/signatures/body-hashing.ts';
import { manualClock } from '../../../support/clock.ts';

const LINE = Buffer.from(`${'x'.repeat(62)}\r\n`);
const CHUNK = Buffer.alloc(64 * 1024, LINE);
const CHUNKS = AUTHENTICATION_LIMITS.bodyOnLoopBytes / CHUNK.length + 1;
const WANTED = [{ how: 'simple' }] as const;

function content(stream: Readable): ContentRef {
  return { sizeBytes: CHUNKS * CHUNK.length, sha256: '', open: () => stream };
}

const whole = (): Readable => Readable.from(Array.from({ length: CHUNKS }, () => CHUNK));

test('a body that nobody waits for any more is not read to its end, and others are hashed as before', async () => {
  const clock = manualClock();
  const control = new AbortController();
  let read = 0;
  /** Two chunks, and then a disk that hangs. */
  const hanging = new Readable({
    read() {
      if (++read <= 2) this.push(CHUNK);
      else control.abort(new Error('out of time'));
    },
  });
  const closed = once(hanging, 'close').catch(() => {});
  await assert.rejects(hashBody(content(hanging), 0, WANTED, clock, control.signal), /out of time/);
  await closed;
  assert.ok(hanging.destroyed);
  const [hashed] = await hashBody(content(whole()), 0, WANTED, clock);
  const hash = createHash('sha256');
  for (let n = 0; n < CHUNKS; n++) hash.update(CHUNK);
  assert.equal(hashed!.hash, hash.digest('base64'));
  await clock.advance(AUTHENTICATION_LIMITS.bodyThreadIdleMs);
  assert.equal(clock.pending(), 0);
});
