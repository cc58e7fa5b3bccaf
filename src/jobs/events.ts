/** Events of jobs. */
import { event } from '../world/event.ts';

export const jobEvents = {
  'jobs.failed': event<{ job: string; error: string }>()({
    level: 'error',
    text: 'a job that runs by the clock failed; it runs again at its next time',
    metric: { name: 'postern_jobs_failed_total', labels: ['job'] },
  }),
  'jobs.letter-queued': event<{ letter: string; kind: string; message: string }>()({
    level: 'info',
    text: 'mail that this node wrote itself is queued',
    metric: { name: 'postern_jobs_letters_total', labels: ['kind'] },
  }),
  'jobs.letter-unusable': event<{ letter: string; kind: string; recipients: string }>()({
    level: 'error',
    text: 'mail that this node wrote itself has no recipient that mail can go to: it was dropped',
  }),
} as const;

type JobEvents = typeof jobEvents;
declare module '../world/events.ts' {
  interface EventList extends JobEvents {}
}
