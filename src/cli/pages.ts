/** Reads all pages of a list. */
import type { Page } from '../model/page.ts';

const PAGE_ROWS = 1000;

/** Asks until there are no more pages. */
export async function allPages<T>(
  page: (from: { readonly after?: string; readonly limit: number }) => Promise<Page<T>>,
  limit: number = PAGE_ROWS,
): Promise<readonly T[]> {
  const all: T[] = [];
  let after: string | undefined;
  do {
    const { rows, next } = await page({ after, limit });
    all.push(...rows);
    after = next;
  } while (after !== undefined);
  return all;
}
