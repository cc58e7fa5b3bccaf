/** Lists that come a page at a time, whole. */
const PAGE_ROWS = 1000;

/** Asks until a page is not full; `keyOf`: where the next one begins. */
export async function allPages<T>(
  page: (from: { readonly after: string; readonly limit: number }) => Promise<readonly T[]>,
  keyOf: (item: T) => string,
  limit: number = PAGE_ROWS,
): Promise<readonly T[]> {
  const all: T[] = [];
  for (let after = ''; ; after = keyOf(all.at(-1)!)) {
    const items = await page({ after, limit });
    all.push(...items);
    if (items.length < limit) return all;
  }
}
