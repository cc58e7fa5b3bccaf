/**
 * Holds all mail of one author: what waits, what is on the inline way, what is being delivered.
 *
 * What the next host has all of ends as that host answers, unless it says "later": then it is held, also
 * when a crash comes between, as the row is marked before this resolves. Where the database does not take
 * it now, this rejects (`store.full`, `store.unavailable`), and what was held by then stays held.
 */
import type { TimerHandle } from '../../world/clock.ts';
import type { AdmissionParts } from '../accept/admission.ts';
import type { ActiveClaim, Hold } from '../dispatch/active-claims.ts';
import type { AuthorHold } from '../dispatch/author-holds.ts';
import { AUTHOR_HOLD_WAIT_MS } from '../limits.ts';
import { recipients as moves } from '../model/transitions.ts';
import { holdColumns } from '../rows/held.ts';
import { rowsOf } from '../rows/statements.ts';
import type { RecipientRow } from '../rows/tables.ts';
import { HELD_BY, operatorHold } from '../settle/settlement.ts';
import { actOn, nameOf } from './acts.ts';

export interface AuthorHeld {
  /** Recipients that are held now. */
  readonly held: number;
  /** Recipients whose message the next host has: held if it says "later". */
  readonly underWay: number;
}

/** Claims of the author that somebody has in hand, by what is to be waited for. */
interface InHand {
  readonly all: Set<ActiveClaim>;
  /** Their tries go on; their rows are left to them. */
  readonly late: Set<ActiveClaim>;
  /** Resolve when the others are over. */
  readonly ends: Promise<void>[];
}

export async function holdAuthor(
  parts: AdmissionParts,
  author: string,
  wanted: Hold & { readonly by: string },
): Promise<AuthorHeld> {
  const { authorHolds, deferrals, clock } = parts;
  let held = 0;
  const onHeld = (rows: number): void => {
    held += rows;
  };
  const hold: AuthorHold = { ...wanted, onHeld };
  const end = authorHolds.begin(author, hold);
  let timer: TimerHandle | undefined;
  try {
    const hand: InHand = { all: new Set(), late: new Set(), ends: [] };
    stopAll(parts, author, hold, hand);
    await authorHolds.committed(author);
    stopAll(parts, author, hold, hand);
    await deferrals.runNow();
    const waited = new Promise<void>((resolve) => {
      timer = clock.after(AUTHOR_HOLD_WAIT_MS, resolve);
    });
    await Promise.race([Promise.all(hand.ends), waited]);
    await markLate(parts, hold, hand);
    onHeld(await holdRows(parts, author, hold, hand));
    await Promise.race([Promise.all(hand.ends), waited]);
    const open = [...hand.all].filter(({ phase }) => phase !== 'over');
    return { held, underWay: open.reduce((sum, { recipients }) => sum + recipients.length, 0) };
  } finally {
    timer?.cancel();
    end();
  }
}

/** At once, and asked of each claim once. */
function stopAll({ dispatch }: AdmissionParts, author: string, hold: AuthorHold, { all, late, ends }: InHand): void {
  for (const active of [...dispatch.activeClaims.values()]) {
    if (active.message.author !== author || all.has(active)) continue;
    all.add(active);
    active.hold = hold;
    const isOver = new Promise<void>((resolve) => {
      active.onOver = resolve;
    });
    if (active.phase === 'buffered') dispatch.withdraw(active);
    const isLate = active.phase === 'taken' && !dispatch.stopTry(active);
    if (isLate) late.add(active);
    // What returns is found as a row.
    else if (active.phase !== 'returning') ends.push(isOver);
  }
}

/** Their rows say that they are to be held, should this run end before their tries. */
async function markLate(
  { lane, database, sql, clock }: AdmissionParts,
  hold: AuthorHold,
  { all }: InHand,
): Promise<void> {
  const open = [...all].filter(({ phase }) => phase !== 'over');
  await lane.spill(open.map(({ lease }) => lease));
  const unit = open
    .filter(({ phase }) => isTrying(phase))
    .flatMap(({ key, lease, recipients, message, detail }) => {
      const found = { sender: message.reversePath?.text ?? null, subject: detail.subject ?? null };
      const columns = holdColumns({ ...hold, by: HELD_BY.operator }, clock.now(), found);
      return recipients.map(({ row }) => sql.markHold({ message: key, n: row, lease, ...columns }));
    });
  if (unit.length > 0) await database.write(unit);
}

async function holdRows(
  parts: AdmissionParts,
  author: string,
  hold: Hold & { readonly by?: string },
  { all }: InHand,
): Promise<number> {
  const { database, sql } = parts;
  let count = 0;
  for (let above = 0; ; ) {
    const keys = rowsOf<{ key: number }>(await database.read(sql.messagesOfAuthor({ author, above })));
    if (keys.length === 0) return count;
    for (const { key } of keys) {
      above = key;
      const open = new Set([...all].filter(({ phase }) => isTrying(phase)).map(({ lease }) => lease));
      const rows = rowsOf<RecipientRow>(await database.read(sql.recipients({ message: key }))).filter(
        ({ state, lease }) => state === 'queued' && (lease === null || !open.has(lease)),
      );
      if (rows.length === 0) continue;
      const to = rows.map((row) => moves.hold(row.state, nameOf(row)))[0]!;
      count += await actOn(parts, rows, {
        by: hold.by ?? '',
        to,
        plan: ({ recipients, message }, _, now) => ({
          changes: recipients.map((recipient) => operatorHold(recipient, hold, { message: message.id, now })),
          notices: [],
        }),
      });
    }
  }
}

function isTrying(phase: ActiveClaim['phase']): boolean {
  return phase === 'taken' || phase === 'settling';
}
