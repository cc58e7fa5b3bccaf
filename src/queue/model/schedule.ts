/** When a recipient is tried again, and when no more (RFC 5321 4.5.4.1). Pure. */
import type { SettingsSnapshot } from '../../settings/contract.ts';
import { queueSettings } from '../settings.ts';

export interface Schedule {
  readonly firstHourRetryMs: number;
  readonly retryMs: number;
  readonly expiryMs: number;
  /** Undefined: nobody is warned. */
  readonly warnAfterMs?: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export function scheduleOf(settings: SettingsSnapshot): Schedule {
  return {
    firstHourRetryMs: settings.get(queueSettings.firstHourRetryMinutes) * MINUTE_MS,
    retryMs: settings.get(queueSettings.retryMinutes) * MINUTE_MS,
    expiryMs: settings.get(queueSettings.expiryDays) * DAY_MS,
    ...(settings.get(queueSettings.delayWarning) && {
      warnAfterMs: settings.get(queueSettings.delayWarningHours) * HOUR_MS,
    }),
  };
}

/** How long is tried, in words. */
export function expiryWords({ expiryMs }: Schedule): string {
  const days = expiryMs / DAY_MS;
  return days === 1 ? '1 day' : `${days} days`;
}

/** Undefined: its time is over. The last try falls on the expiry itself. */
export function nextDue(
  { firstHourRetryMs, retryMs, expiryMs }: Schedule,
  row: { readonly queuedAt: number; readonly now: number; readonly notBeforeMs?: number },
): number | undefined {
  const expiresAt = row.queuedAt + expiryMs;
  if (row.now >= expiresAt) return undefined;
  const delayMs = row.now - row.queuedAt < HOUR_MS ? firstHourRetryMs : retryMs;
  const due = Math.max(row.now + delayMs, row.notBeforeMs ?? 0);
  return Math.min(due, expiresAt);
}
