/** Events of queue. */
import { event } from '../world/event.ts';

export const queueEvents = {
  'queue.recovered': event<{ leases: number; messages: number; settled: number; tookMs: number }>()({
    level: 'info',
    text: 'the queue is as it was: claims of the last run are void, what the log may have missed is told again',
  }),
  'queue.expired': event<{ message: string; recipient: string }>()({
    level: 'warn',
    text: 'a recipient was given up after the time for trying',
    metric: { name: 'postern_queue_expired_total' },
  }),
  'queue.notice-queued': event<{ message: string; notice: string; action: string }>()({
    level: 'info',
    text: 'the sender is told what became of a message',
    metric: { name: 'postern_queue_notices_total', labels: ['action'] },
  }),
  'queue.notice-failed': event<{ message: string; error: string }>()({
    level: 'error',
    text: 'the sender could not be told what became of a message; the recipient stays queued',
    metric: { name: 'postern_queue_notices_failed_total' },
  }),
  'queue.forged-sender-held': event<{ message: string; recipient: string; reply: string }>()({
    untrusted: true,
    level: 'warn',
    text: 'a recipient failed, and its sender address is forged: it is held for an administrator, and nobody was told',
    metric: { name: 'postern_queue_forged_held_total' },
    webhook: true,
  }),
  'queue.content-lost': event<{ message: string; code: string; detail: string }>()({
    level: 'error',
    text: 'the content of a queued message is missing or damaged: its recipients are held for an operator',
    metric: { name: 'postern_queue_content_lost_total' },
    webhook: true,
  }),
  'queue.work-failed': event<{ work: string; error: string }>()({
    level: 'error',
    text: 'the queue could not do a piece of its work now; it tries again',
    metric: { name: 'postern_queue_work_failed_total' },
  }),
} as const;

type QueueEvents = typeof queueEvents;
declare module '../world/events.ts' {
  interface EventList extends QueueEvents {}
}
