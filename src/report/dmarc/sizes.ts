/** How many rows the reports of a day have so far: read once, then counted along. */
import type { Database } from '../../store/contract.ts';
import { REMEMBERED_DOMAINS, ROWS_PER_DAY, ROWS_PER_DOMAIN } from '../limits.ts';
import type { DmarcStatements } from './statements.ts';

export interface Sizes {
  /** Whether one more row may be written; counts it if so. */
  takeRow(day: number, domain: string): Promise<boolean>;
  /** A write failed: what was counted along may be wrong. */
  forget(): void;
}

export function createSizes(database: Database, sql: DmarcStatements): Sizes {
  const ofDomain = new Map<string, number>();
  let current = -1;
  let ofDay = 0;

  return {
    async takeRow(day, domain) {
      if (day !== current) {
        ofDomain.clear();
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
      const isRoom = rows < ROWS_PER_DOMAIN && ofDay < ROWS_PER_DAY;
      ofDomain.set(domain, isRoom ? rows + 1 : rows);
      if (isRoom) ofDay++;
      return isRoom;
    },
    forget() {
      current = -1;
    },
  };
}
