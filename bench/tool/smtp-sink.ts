/**
 * Postfix's smtp-sink: takes mail and throws it away, counting. It writes its counters to a file that
 * is looked at every few milliseconds, so that counting costs no message anything and both products
 * are timed by the same watch.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../measure/free-port.ts';
import type { Endpoint } from '../product/product.ts';
import { greets } from '../product/ready.ts';

/** Loopback, but not where the load comes from: a domain's own mail server is trusted, its clients are not. */
const HOST = '127.0.0.2';
const LOOK_EVERY_MS = 5;
/** One counter line, `sess=.. quit=.. mesg=..\r`, is shorter. */
const TAIL_BYTES = 100;
const BACKLOG = '1000';

export interface Sink extends AsyncDisposable, Endpoint {
  /** Messages taken since it started. */
  count(): number;
  /** Resolves once `count` has reached `target`. Fails when it stands still for `patienceMs`. */
  reaches(target: number, patienceMs?: number): Promise<void>;
}

export async function startSink(folder: string): Promise<Sink> {
  const port = await freePort(HOST);
  const file = join(folder, `sink-${port}`);
  const fd = openSync(file, 'w+');
  const child = spawn('smtp-sink', ['-c', '-u', 'nobody', '-m', '2000', `${HOST}:${port}`, BACKLOG], {
    stdio: ['ignore', fd, 'inherit'],
  });
  if (!(await greets({ host: HOST, port }))) throw new Error('smtp-sink did not start');
  const count = (): number => lastCount(fd);
  return {
    host: HOST,
    port,
    count,
    async reaches(target, patienceMs = 60_000) {
      let seen = count();
      for (let lastChange = performance.now(); seen < target; ) {
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
        const now = count();
        if (now !== seen) lastChange = performance.now();
        else if (performance.now() - lastChange > patienceMs)
          throw new Error(`cannot end the round, as ${target} messages must arrive: ${seen} did, then none`);
        seen = now;
      }
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.kill();
      await exited;
      closeSync(fd);
    },
  };
}

function lastCount(fd: number): number {
  const { size } = fstatSync(fd);
  const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
  readSync(fd, tail, 0, tail.length, size - tail.length);
  const last = tail.toString('latin1').lastIndexOf('mesg=', tail.lastIndexOf('\r'));
  return last < 0 ? 0 : Number.parseInt(tail.toString('latin1', last + 'mesg='.length), 10);
}
