/**
 * How many recipients are queued and held: kept by triggers (rows/held-migration.ts), never counted, and
 * those on the inline way besides. Each is counted once, also while its rows are being written.
 */
import type { AdmissionParts } from '../accept/admission.ts';
import { rowsOf } from '../rows/statements.ts';

export interface QueueCounts {
  readonly queued: number;
  readonly held: number;
}

export async function countQueue({ database, lane, sql }: AdmissionParts): Promise<QueueCounts> {
  const underWay = [...lane.inMemory()].map(({ lease }) => lane.spilling(lease)).filter((spilling) => spilling);
  // What could not be written is still inline, and counts as that.
  await Promise.allSettled(underWay);
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
  const [sums] = rowsOf<{ queued: number | null; held: number | null }>(counts);
  return { queued: Number(sums?.queued ?? 0) + inline - stored, held: Number(sums?.held ?? 0) };
}
