/**
 * One page of a list: every list that may be long comes so. `next` is where the next page begins, to be
 * handed back as `after`; it says nothing to its reader. A page may be shorter than its limit and not
 * the last: `more` says.
 */
export interface PageRequest {
  readonly limit?: number;
  readonly after?: string;
}

export interface Page<T> {
  readonly rows: readonly T[];
  readonly more: boolean;
  /** Absent on the last page. */
  readonly next?: string;
}

/** Of rows that were read with a limit of one more than wanted. */
export function pageOf<T>(rows: readonly T[], limit: number, keyOf: (row: T) => string): Page<T> {
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  if (last === undefined) return { rows, more: false };
  return { rows: rows.slice(0, limit), more: true, next: keyOf(last) };
}
