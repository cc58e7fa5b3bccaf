/**
 * The replaying thread: takes settings and a range, returns the report, one after the other; no state is kept between
 * them.
 */
import { workerData } from 'node:worker_threads';
import { isOperational, OperationalError } from '../../model/errors.ts';
import { createSnapshot, type ValuesByOwner } from '../../settings/snapshot.ts';
import { goBehindMail } from '../../world/background.ts';
import { answerJobs } from '../../world/workers/answer.ts';
import { type Replayable, type ReplayReport, replayLog } from './log.ts';
import { createReplay } from './replay.ts';

export interface ReplayThreadData {
  /** Of log.db. */
  readonly path: string;
}

export interface ReplayQuestion extends Replayable {
  readonly values: ValuesByOwner;
}

const { path } = workerData as ReplayThreadData;

goBehindMail('search');
answerJobs<ReplayQuestion, ReplayReport>(() => report);

function report({ values, ...range }: ReplayQuestion): ReplayReport {
  try {
    return replayLog(path, range, createReplay(createSnapshot(0, values)));
  } catch (error) {
    if (isOperational(error)) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new OperationalError('log.unavailable', `cannot read log.db: ${message}`);
  }
}
