/** Settings of the journal. */
import { amount, defineSettings } from '../settings/define.ts';
import { DEFAULT_LOG_BYTES } from './limits.ts';

export const journalSettings = defineSettings('log', {
  retentionDays: amount(
    90,
    'days',
    { min: 1, max: 3650 },
    'How long the log keeps messages, sessions and delivery attempts. Older rows are deleted little by little; ' +
      'the space is used again. Ten million messages take some 8 GB.',
  ),
  maxBytes: amount(
    DEFAULT_LOG_BYTES,
    'bytes',
    { min: 64 * 1024 * 1024, max: 2 ** 50 },
    'How large the log may grow, whatever its days. Beyond it the rows of refused transactions and of sessions without ' +
      'a message go, oldest first, down to those of the last hour; accepted mail, its attempts and audit rows stay until ' +
      'their days are over, and `journal.too-large` reports it where they alone are more. The space is used again; the file ' +
      'does not shrink. While it has its default, the log may have a fifth of the disk if that is more, half of a disk ' +
      'that is smaller than 20 GiB, and in any case twice what it held when this bound was introduced. While the disk is ' +
      'nearly full, the file does not grow as long as rows of refused transactions can go.',
  ),
  auditRetentionDays: amount(
    730,
    'days',
    { min: 1, max: 3650 },
    'How long the log keeps audit rows: who changed what. They are few, so they may stay longer than the mail they concern.',
  ),
});
