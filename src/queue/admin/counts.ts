/**
 * How many recipients are queued and held: kept by triggers (rows/held-migration.ts), never counted, and
 * those on the inline way besides. Each is counted once, also while its rows are being written.
 */
import type { AdmissionParts } from '../accept/admission.ts';
import { rowsOf } from '../rows/statements.ts';
import type { QueueCountRow } from '../rows/tables.ts';

export interface QueueCounts {
  readonly queued: number;
  readonly held: number;
}

export async function countQueue({ database, lane, sql }: AdmissionParts): Promise<QueueCounts> {
  const underWay = [...lane.inMemory()].map(({ lease }) => lane.spilling(lease)).filter((spilling) => spilling);
  await Promise.all(underWay);
  let inline = 0;
  const spilling: number[] = [];
  for (const { lease, message, recipients } of lane.inMemory()) {
    inline += recipients.length;
    if (lane.spilling(lease)) spilling.push(message.key);
  }
  // SQLite answers at once, so that nothing moves between the two; PostgreSQL has no inline way.
  const counts = database.readNow?.(sql.countsByState({})) ?? (await database.read(sql.countsByState({})));
  let stored = 0;
  for (const message of spilling) stored += database.readNow?.(sql.recipients({ message })).length ?? 0;
  const of = (state: QueueCountRow['state']): number =>
    Number(rowsOf<{ state: string; count: number }>(counts).find((row) => row.state === state)?.count ?? 0);
  return { queued: of('queued') + inline - stored, held: of('held') };
}
