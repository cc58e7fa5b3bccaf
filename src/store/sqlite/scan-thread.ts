/** The thread for SELECTs that may take long. */
import { parentPort, workerData } from 'node:worker_threads';
import { goBehindMail } from '../../world/background.ts';
import type { Row, Statement } from '../contract.ts';
import { SCAN_ROWS } from '../limits.ts';
import { connect } from './connection.ts';
import { type Failure, failureOf, messageOf } from './failure.ts';

export interface ScanRequest {
  readonly id: number;
  readonly statement: Statement;
}

export type ScanReply =
  | { readonly id: number; readonly rows: readonly Row[] }
  | { readonly id: number; readonly failure: Failure; readonly said: string };

const port = parentPort!;
const connection = connect((workerData as { path: string }).path, { readOnly: true });

goBehindMail('search');
port.on('message', ({ id, statement }: ScanRequest) => port.postMessage(scan(id, statement)));

function scan(id: number, statement: Statement): ScanReply {
  try {
    const rows = connection.execute(statement);
    if (typeof rows === 'number') return { id, failure: 'defect', said: 'a scan must be a SELECT' };
    if (rows.length > SCAN_ROWS) return { id, failure: 'defect', said: `a scan may return ${SCAN_ROWS} rows` };
    return { id, rows };
  } catch (error) {
    return { id, failure: failureOf(error), said: messageOf(error) };
  }
}
