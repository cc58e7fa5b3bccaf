/** The thread of one replay: settings and a range come in, the report goes out, and it ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { isOperational } from '../../model/errors.ts';
import { createSnapshot, type ValuesByOwner } from '../../settings/snapshot.ts';
import { goBehindMail } from '../../world/background.ts';
import { type Replayable, type ReplayReport, replayLog } from './log.ts';
import { createReplay } from './replay.ts';

export interface ReplayTask extends Replayable {
  /** Of log.db. */
  readonly path: string;
  readonly values: ValuesByOwner;
}

export type FromReplay = { readonly report: ReplayReport } | { readonly code: string; readonly message: string };

goBehindMail('search');
parentPort!.postMessage(answer(workerData as ReplayTask));

function answer({ path, values, ...range }: ReplayTask): FromReplay {
  try {
    return { report: replayLog(path, range, createReplay(createSnapshot(0, values))) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (isOperational(error)) return { code: error.code, message };
    return { code: 'log.unavailable', message: `cannot read log.db: ${message}` };
  }
}
