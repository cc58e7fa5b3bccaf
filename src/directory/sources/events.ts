/** Events of verification: sources that fail, and what their answers change. */
import { event } from '../../world/event.ts';

export const verificationEvents = {
  'verification.source-down': event<{ source: number; kind: string; reason: string }>()({
    level: 'warn',
    text: 'a verification source cannot be asked: unknown users are put off until it can',
    metric: { name: 'postern_verification_source_down_total', labels: ['kind'] },
    webhook: true,
  }),
  'verification.source-recovered': event<{ source: number; kind: string }>()({
    level: 'info',
    text: 'a verification source answers again',
    webhook: true,
  }),
  'verification.answered': event<{ source: number; kind: string; answer: 'yes' | 'no' }>()({
    level: 'debug',
    text: 'a verification source was asked about a user',
    metric: { name: 'postern_verification_answers_total', labels: ['kind', 'answer'] },
  }),
  'verification.account-created': event<{ address: string; source: number }>()({
    level: 'info',
    text: 'a source confirmed a user, who has an account now',
    metric: { name: 'postern_verification_accounts_created_total' },
  }),
  'verification.account-disabled': event<{ address: string; source: number }>()({
    level: 'warn',
    text: 'a source says that a user exists no more: the account is disabled, and keeps its data',
    webhook: true,
  }),
  'verification.account-restored': event<{ address: string; source: number }>()({
    level: 'info',
    text: 'a source confirms a user again whom it had denied: the account is enabled',
  }),
  'verification.aliases-changed': event<{ address: string; source: number; added: number; removed: number }>()({
    level: 'info',
    text: 'a source names other addresses of a user than before: aliases were added, and those that it gave and names no longer removed',
  }),
  'verification.unavailable': event<{ address: string; why: 'disabled' | 'full'; source: number }>()({
    untrusted: true,
    level: 'info',
    text: 'a source says that a user exists and takes no mail now: the sender is asked to come again (450 4.2.1, 452 4.2.2 where it is full)',
    metric: { name: 'postern_verification_unavailable_total', labels: ['why'] },
  }),
  'verification.failed': event<{ address: string; error: string }>()({
    untrusted: true,
    level: 'error',
    text: 'what a source said could not be written down: the mail is put off',
  }),
  'verification.domain-created': event<{ domain: string; source: number }>()({
    level: 'warn',
    text: 'a domain was made local, as a default source confirmed one of its users',
    webhook: true,
  }),
  'verification.domain-refused': event<{ domain: string; reason: 'catch-all' | 'too-many' }>()({
    level: 'warn',
    text: 'a domain was not made local',
    metric: { name: 'postern_verification_domains_refused_total', labels: ['reason'] },
  }),
} as const;

type VerificationEvents = typeof verificationEvents;
declare module '../../world/events.ts' {
  interface EventList extends VerificationEvents {}
}
