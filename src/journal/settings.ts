/** Settings of the journal. */
import { amount, defineSettings } from '../settings/define.ts';

export const journalSettings = defineSettings('log', {
  retentionDays: amount(
    90,
    'days',
    { min: 1, max: 3650 },
    'How long the log keeps messages, sessions and delivery attempts. Older rows are deleted little by little; ' +
      'the space is used again. Ten million messages take some 8 GB.',
  ),
  auditRetentionDays: amount(
    730,
    'days',
    { min: 1, max: 3650 },
    'How long the log keeps audit rows: who changed what. They are few, so they may stay longer than the mail they concern.',
  ),
});
