/** Events of signing: keys that change, records that must be published, mail that leaves unsigned. */
import { event } from '../../world/event.ts';

export const signingEvents = {
  'signing.key-created': event<{ domain: string; selector: string; algorithm: string }>()({
    level: 'warn',
    text: 'a DKIM key waits for its DNS record: publish what `postern dkim show` says',
    webhook: true,
  }),
  'signing.key-activated': event<{ domain: string; selector: string; algorithm: string }>()({
    level: 'info',
    text: 'a DKIM key signs from now on, as its DNS record was seen',
    webhook: true,
  }),
  'signing.key-retired': event<{ domain: string; selector: string }>()({
    level: 'info',
    text: 'a DKIM key is retired: its DNS record may be removed',
    webhook: true,
  }),
  'signing.record-wrong': event<{ domain: string; selector: string; state: string }>()({
    level: 'error',
    text: 'the DNS record of a DKIM key that signs is missing or wrong: receivers take its signatures for none',
    metric: { name: 'postern_dkim_records_wrong_total' },
    webhook: true,
  }),
  'signing.secret-unreadable': event<{ name: string; error: string }>()({
    level: 'error',
    text: 'a secret in the database cannot be opened with the key file: another is made in its stead',
    webhook: true,
  }),
  'signing.unsigned': event<{
    message: string;
    domain: string;
    reason: 'not-aligned' | 'from' | 'header' | 'key';
    detail: string;
  }>()({
    level: 'info',
    text: 'a message left without a DKIM signature',
    metric: { name: 'postern_signing_unsigned_total', labels: ['reason'] },
  }),
  'signing.signed': event<{ message: string; domain: string; kind: 'dkim' | 'arc' }>()({
    level: 'debug',
    text: 'a message was signed or sealed',
    metric: { name: 'postern_signing_signed_total', labels: ['kind'] },
  }),
} as const;

type SigningEvents = typeof signingEvents;
declare module '../../world/events.ts' {
  interface EventList extends SigningEvents {}
}
