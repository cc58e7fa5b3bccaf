/** The writer's thread: owns the one writing connection; a message in, an outcome out. */
import { parentPort, workerData } from 'node:worker_threads';
import { type BatchMessage, createBatchDecoder } from './batch-wire.ts';
import { createUnitRunner } from './units.ts';

export type WriterRequest = BatchMessage | 'reopen' | 'close';

const port = parentPort!;
const runner = createUnitRunner((workerData as { path: string }).path);
const decode = createBatchDecoder();

port.on('message', (request: WriterRequest) => {
  if (request === 'reopen') port.postMessage(runner.reopen());
  else if (request === 'close') {
    runner.close();
    port.postMessage('closed');
    port.close();
  } else port.postMessage(runner.run(decode(request)));
});
