/** The thread for SELECTs that may take long. */
import { workerData } from 'node:worker_threads';
import { goBehindMail } from '../../world/background.ts';
import { answerJobs } from '../../world/workers/answer.ts';
import type { Row, Statement } from '../contract.ts';
import { SCAN_ROWS } from '../limits.ts';
import { connect } from './connection.ts';
import { type Failure, failureOf, messageOf } from './failure.ts';

export type ScanReply = { readonly rows: readonly Row[] } | { readonly failure: Failure; readonly said: string };

const connection = connect((workerData as { path: string }).path, { readOnly: true });

goBehindMail('search');
answerJobs<Statement, ScanReply>(() => scan);

function scan(statement: Statement): ScanReply {
  try {
    const rows = connection.execute(statement);
    if (typeof rows === 'number') return { failure: 'defect', said: 'a scan must be a SELECT' };
    if (rows.length > SCAN_ROWS) return { failure: 'defect', said: `a scan may return ${SCAN_ROWS} rows` };
    return { rows };
  } catch (error) {
    return { failure: failureOf(error), said: messageOf(error) };
  }
}
