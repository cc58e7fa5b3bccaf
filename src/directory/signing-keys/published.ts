/**
 * The results of checks of key records, stored by every check, so that the list of keys shows them.
 *
 * For a key that signs, an unchanged result is stored once a day, and a problem is reported when it is stored:
 * frequent checks neither repeat the event nor delay the next. Errors: those of the database.
 */
import type { Database } from '../../store/contract.ts';
import type { Clock } from '../../world/clock.ts';
import type { Events } from '../../world/events.ts';
import { ACTIVE_RECORD_CHECK_MS } from '../limits.ts';
import { isPublished, type RecordCheck } from './check.ts';
import type { DkimKeys } from './dkim-keys.ts';
import type { DkimKeyRow } from './schema.ts';

type SeenKey = Pick<DkimKeyRow, 'domain' | 'selector' | 'state' | 'checked_at' | 'check_result'>;

export interface RecordSight {
  readonly key: SeenKey;
  readonly check: RecordCheck;
}

export interface SightServices {
  readonly database: Database;
  readonly dkim: Pick<DkimKeys, 'checked'>;
  readonly clock: Clock;
  readonly events: Events;
}

export async function keepSights(services: SightServices, sights: readonly RecordSight[]): Promise<void> {
  const { database, dkim, clock, events } = services;
  const news = sights.filter((sight) => isNews(sight, clock.now()));
  if (news.length === 0) return;
  await database.write(news.map(({ key, check }) => dkim.checked(key, check)));
  for (const { key, check } of news)
    if (key.state === 'active' && !isPublished(check.state))
      events.emit('signing.record-wrong', { domain: key.domain, selector: key.selector, state: check.state });
}

/** The key with its current result. */
export function sighted(key: DkimKeyRow, check: RecordCheck, now: number): DkimKeyRow {
  // If the DNS does not answer now, its last answer stays.
  return check.state === 'cannot-tell' ? key : { ...key, checked_at: now, check_result: check.state };
}

/** Its last check is a day old. */
export function isLookDue({ checked_at }: Pick<SeenKey, 'checked_at'>, now: number): boolean {
  return now - (checked_at ?? 0) >= ACTIVE_RECORD_CHECK_MS;
}

function isNews({ key, check }: RecordSight, now: number): boolean {
  if (check.state === 'cannot-tell') return false;
  return key.state !== 'active' || check.state !== key.check_result || isLookDue(key, now);
}
