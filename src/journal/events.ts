/** Events of the journal and the log: all that keeps them from writing down what happened. */
import { event } from '../world/event.ts';

export const journalEvents = {
  'journal.unwritable': event<{ reason: 'full' | 'read-only' | 'busy' | 'io'; error: string }>()({
    level: 'error',
    text: 'the log database cannot be written: records wait in memory, mail goes on',
    metric: { name: 'postern_journal_unwritable_total', labels: ['reason'] },
    webhook: true,
  }),
  'journal.writable': event<{ afterMs: number }>()({
    level: 'info',
    text: 'the log database is written again',
  }),
  'journal.lost': event<{ records: number }>()({
    level: 'error',
    text: 'records were left out of the log, as more waited to be written than memory allows',
    metric: { name: 'postern_journal_lost_total' },
    webhook: true,
  }),
  'journal.damaged': event<{ file: string; movedTo: string; error: string }>()({
    level: 'error',
    text: 'the log database is damaged: it was set aside and a new one was started',
    metric: { name: 'postern_journal_damaged_total' },
    webhook: true,
  }),
  'journal.rejected': event<{ records: number; error: string }>()({
    level: 'error',
    text: 'the log database refused records that should be valid: they were left out',
    metric: { name: 'postern_journal_rejected_total' },
  }),
  'journal.restarted': event<{ error: string; records: number }>()({
    level: 'error',
    text: 'the thread that writes the log ended by itself and was started again with the records it had not written',
    metric: { name: 'postern_journal_restarted_total' },
  }),
  'journal.trimmed': event<{ rows: number; usedBytes: number; maxBytes: number }>()({
    level: 'warn',
    text: 'the log had reached its size: the oldest rows of refused transactions were deleted before their days were over; log.maxBytes allows more',
    metric: { name: 'postern_journal_trimmed_total' },
  }),
  'journal.too-large': event<{ usedBytes: number; maxBytes: number }>()({
    level: 'error',
    text: 'the log is larger than it may be, and all that is left in it is accepted mail, audit and the last hour: lower log.retentionDays, or allow more by log.maxBytes',
    metric: { name: 'postern_journal_too_large_total' },
    webhook: true,
  }),
  'log.repeated': event<{ repeated: string; lines: number }>()({
    level: 'warn',
    text: 'an event that strangers can cause happened more often than the log takes lines of it: the rest was only counted',
    metric: { name: 'postern_log_repeated_total' },
  }),
  'log.dropped': event<{ lines: number }>()({
    level: 'warn',
    text: 'log lines were left out, as their destination did not take them, or not fast enough',
    metric: { name: 'postern_log_dropped_total' },
  }),
} as const;

type JournalEvents = typeof journalEvents;
declare module '../world/events.ts' {
  interface EventList extends JournalEvents {}
}
