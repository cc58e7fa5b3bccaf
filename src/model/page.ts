/**
 * One page of a list; every list that may be long is returned in pages. `next` is where the next page begins, to be
 * passed back as `after`; it is opaque to the reader. A page may be shorter than its limit and not the last: `more`
 * is true then.
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

/** For rows that were read with a limit of one more than wanted. */
export function pageOf<T>(rows: readonly T[], limit: number, keyOf: (row: T) => string): Page<T> {
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  if (last === undefined) return { rows, more: false };
  return { rows: rows.slice(0, limit), more: true, next: keyOf(last) };
}
