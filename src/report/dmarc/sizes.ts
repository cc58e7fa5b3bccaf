/**
 * How many rows the reports of a day have so far: read once, then counted. Once half of a day's rows are taken, a
 * site adds no more than its part: a site that varies domains of its own leaves the rest to others. Counts of sites
 * before a restart are lost.
 *
 * Not on the change bus: only this node adds the rows that it counts, so its bounds hold whatever others
 * write; each of several nodes has such bounds, and sees the rows of the others when the day changes.
 */
import type { Database } from '../../store/contract.ts';
import { siteOf } from '../../wire/network.ts';
import { REMEMBERED_DOMAINS, REMEMBERED_SITES, ROWS_PER_DAY, ROWS_PER_DOMAIN, ROWS_PER_SITE } from '../limits.ts';
import type { DmarcStatements } from './statements.ts';

export interface Sizes {
  /** Whether one more row may be written; counts it if so. `source`: the address it is about. */
  takeRow(day: number, domain: string, source: string): Promise<boolean>;
  /** A write failed: the counts may be wrong. */
  forget(): void;
}

export function createSizes(database: Database, sql: DmarcStatements): Sizes {
  const ofDomain = new Map<string, number>();
  const ofSite = new Map<string, number>();
  let current = -1;
  let ofDay = 0;

  /** Sites beyond the bound share one count, so that none escapes it. */
  const siteIn = (source: string): string => {
    const site = siteOf(source);
    return ofSite.has(site) || ofSite.size < REMEMBERED_SITES ? site : '';
  };

  return {
    async takeRow(day, domain, source) {
      if (day !== current) {
        ofDomain.clear();
        ofSite.clear();
        const [found] = await database.scan(sql.rowCountOfDay({ day }));
        ofDay = Number(found?.['rows']);
        current = day;
      }
      let rows = ofDomain.get(domain);
      if (rows === undefined) {
        if (ofDomain.size >= REMEMBERED_DOMAINS) ofDomain.clear();
        const [found] = await database.read(sql.rowCount({ day, domain }));
        rows = Number(found?.['rows']);
      }
      const site = siteIn(source);
      const taken = ofSite.get(site) ?? 0;
      const isFair = ofDay < ROWS_PER_DAY / 2 || taken < ROWS_PER_SITE;
      const isRoom = rows < ROWS_PER_DOMAIN && ofDay < ROWS_PER_DAY && isFair;
      ofDomain.set(domain, isRoom ? rows + 1 : rows);
      if (isRoom) {
        ofDay++;
        ofSite.set(site, taken + 1);
      }
      return isRoom;
    },
    forget() {
      current = -1;
    },
  };
}
