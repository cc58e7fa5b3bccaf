/**
 * A port on which no connection is ever answered, on every loopback address at once: a stopped
 * process listens, and its queue is full, so the system drops what else comes, as a dead host would.
 */
import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { freePort } from '../measure/free-port.ts';
import { greets } from '../product/ready.ts';

/** More than a queue of one takes, with what the system allows on top. */
const FILLERS = 8;

export interface DeadPort extends Disposable {
  readonly port: number;
}

export async function startDeadPort(): Promise<DeadPort> {
  const port = await freePort('0.0.0.0');
  const sink = spawn('smtp-sink', ['-u', 'nobody', `0.0.0.0:${port}`, '1'], { stdio: 'ignore' });
  if (!(await greets({ host: '127.0.0.1', port }))) throw new Error('smtp-sink did not start');
  sink.kill('SIGSTOP');
  const fillers = Array.from({ length: FILLERS }, () => connect({ host: '127.0.0.1', port }).on('error', () => {}));
  await someConnected(fillers);
  return {
    port,
    [Symbol.dispose]() {
      for (const filler of fillers) filler.destroy();
      sink.kill('SIGKILL');
    },
  };
}

/** The queue is full once two have got in: the others never will. */
async function someConnected(sockets: readonly Socket[]): Promise<void> {
  let connected = 0;
  await new Promise<void>((resolve) => {
    for (const socket of sockets)
      socket.once('connect', () => {
        if (++connected === 2) resolve();
      });
  });
}
