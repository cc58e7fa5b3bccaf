/**
 * Claims made from waiting rows: all due recipients of one message, variant and destination, under
 * one lease. Looking is a read; what another took meanwhile is left out by the lease's own condition.
 */
import type { Statement } from '../../store/contract.ts';
import { CANDIDATE_ROWS, LEASE_MS, RENEW_EVERY_MS } from '../limits.ts';
import type { NodeParts } from '../parts.ts';
import { readLeased } from '../rows/leased.ts';
import { type QueueStatements, rowsOf } from '../rows/statements.ts';
import type { RecipientRow } from '../rows/tables.ts';
import { readVariant } from '../rows/variants.ts';
import { keepTrying } from '../settle/keep-trying.ts';
import type { ActiveClaim } from './active-claims.ts';
import type { DestinationState } from './destinations.ts';

export interface Claimed {
  readonly activeClaims: readonly ActiveClaim[];
  /** When the destination's next waiting row is due; Infinity: none waits. */
  readonly nextDue: number;
}

export interface Claimer {
  claim(destination: DestinationState, count: number): Promise<Claimed>;
  releaseUnit(active: ActiveClaim): readonly Statement[];
}

/** Rows of one variant, before and after the lease is theirs. */
interface Group {
  readonly lease: string;
  readonly rows: RecipientRow[];
}

export function createClaimer(parts: NodeParts, sql: QueueStatements, newLease: () => string): Claimer {
  const { database, clock, sharedAs } = parts;

  const find = async (destination: string, count: number): Promise<Group[]> => {
    const rows = rowsOf<RecipientRow>(await database.read(sql.dueRows({ destination, now: clock.now() })));
    const variants = byVariant(rows);
    // Where the look ended in the middle of a message, it waits for the next look, which sees it whole.
    if (rows.length === CANDIDATE_ROWS && variants.length > 1) variants.pop();
    return variants.slice(0, count).map((variant) => ({ lease: newLease(), rows: variant }));
  };

  /** Keeps of each group the rows whose lease became ours. */
  const take = async (groups: readonly Group[]): Promise<Group[]> => {
    const lease_until = clock.now() + LEASE_MS;
    // In the order of keys: two nodes that take the same rows must not wait for each other.
    const wanted = groups
      .flatMap(({ lease, rows }) => rows.map(({ message, n }) => ({ message, n, lease })))
      .sort((a, b) => a.message - b.message || a.n - b.n);
    const results = await database.write(wanted.map((row) => sql.takeLease({ ...row, lease_until })));
    const taken = new Set(wanted.filter((_, at) => results[at]!.changes === 1).map(nameOf));
    return groups
      .map(({ lease, rows }) => ({ lease, rows: rows.filter((row) => taken.has(nameOf(row))) }))
      .filter(({ rows }) => rows.length > 0);
  };

  /**
   * Where another node may have taken them since, as reading them took long: what is still ours. A claim that is
   * being made is no active one yet, so nobody else renews its lease.
   */
  const stillOurs = async ({ lease, rows }: Group, leasedAt: number): Promise<Group | undefined> => {
    if (sharedAs === undefined || clock.monotonic() - leasedAt < RENEW_EVERY_MS) return { lease, rows };
    const lease_until = clock.now() + LEASE_MS;
    const results = await database.write(
      rows.map(({ message, n }) => sql.renewLease({ message, n, lease, lease_until })),
    );
    const ours = rows.filter((_, at) => results[at]!.changes === 1);
    return ours.length > 0 ? { lease, rows: ours } : undefined;
  };

  const fly = async (destination: DestinationState, { lease, rows }: Group): Promise<ActiveClaim | undefined> => {
    const leased = await readLeased(parts, sql, lease, rows);
    if (!leased) return undefined;
    const { message, content, recipients, trace } = leased;
    const v = rows[0]!.variant;
    const variant = v === null ? undefined : await readVariant(parts, sql, { message: leased.key, v });
    if (v !== null && !variant) return undefined;
    return {
      ...leased,
      variants: variant ? [variant] : [],
      claim: {
        lease,
        message,
        content,
        trace,
        edits: variant?.edits ?? [],
        splices: variant?.splices ?? [],
        destination: destination.name,
        recipients,
      },
      destination,
      bytes: (content.bytes?.length ?? 0) + (variant?.bytes ?? 0),
      leasedAt: clock.monotonic(),
      phase: 'buffered',
    };
  };

  return {
    async claim(destination, count) {
      const taken = await keepTrying(parts, 'claim', async () => {
        const groups = await find(destination.name, count);
        return groups.length === 0 ? [] : take(groups);
      });
      const leasedAt = clock.monotonic();
      const activeClaims: ActiveClaim[] = [];
      for (const group of taken) {
        const active = await keepTrying(parts, 'read a claim', async () => {
          const ours = await stillOurs(group, leasedAt);
          return ours && fly(destination, ours);
        });
        if (active) activeClaims.push(active);
      }
      const next = await keepTrying(parts, 'look for due rows', () =>
        database.read(sql.firstDue({ destination: destination.name })),
      );
      return { activeClaims, nextDue: rowsOf<Pick<RecipientRow, 'due'>>(next)[0]?.due ?? Number.POSITIVE_INFINITY };
    },
    releaseUnit: ({ claim, key }) =>
      claim.recipients.map(({ row }) => sql.releaseLeased({ message: key, n: row, lease: claim.lease })),
  };
}

function nameOf({ message, n }: Pick<RecipientRow, 'message' | 'n'>): string {
  return `${message}.${n}`;
}

/** Rows that travel together: of one message and variant. In the order of their first rows. */
function byVariant(rows: readonly RecipientRow[]): RecipientRow[][] {
  const variants = new Map<string, RecipientRow[]>();
  for (const row of rows) {
    const key = `${row.message} ${row.variant}`;
    const variant = variants.get(key);
    if (variant) variant.push(row);
    else variants.set(key, [row]);
  }
  return [...variants.values()];
}
