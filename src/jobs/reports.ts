/** Reports by the clock: those of the past day, some time after midnight UTC; and the deletion of old ones. */
import type { Reports } from '../report/open.ts';
import type { Random } from '../world/random.ts';
import { REPORT_FORGET_MS, REPORT_RETRY_MS, REPORT_SPREAD_MS } from './limits.ts';
import type { Job } from './scheduler.ts';

const DAY_MS = 24 * 60 * 60_000;

/** Also soon after the start, for the days that a node was down, and every hour while reports wait. */
export function sendReportsJob(reports: Pick<Reports, 'send'>, random: Random): Job {
  let mustRetry = true;
  return {
    name: 'dmarc-reports',
    next(now) {
      if (mustRetry) return REPORT_RETRY_MS / 2 + random.below(REPORT_RETRY_MS / 2);
      // RFC 9990 3.5: at midnight everybody else sends, too.
      return DAY_MS - (now % DAY_MS) + random.below(REPORT_SPREAD_MS);
    },
    async run() {
      mustRetry = true;
      const { may, waiting } = await reports.send();
      mustRetry = may.answer !== 'yes' || waiting > 0;
    },
  };
}

export function forgetReportsJob(reports: Pick<Reports, 'forget'>): Job {
  return { name: 'forget-reports', next: () => REPORT_FORGET_MS, run: () => reports.forget() };
}
