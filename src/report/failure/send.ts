/**
 * Sends reports of single failures to domains that request them (RFC 9991), if the operator has it on: at most so
 * many a day for each, to addresses that agreed, one after the other. Reports lost by a restart are not sent.
 */
import { composeFailure } from '../../protocol/arf/compose.ts';
import { outboxStatements } from '../../store/outbox.ts';
import { destinationsOf } from '../dmarc/destinations.ts';
import { type MayReport, mayReport, reporterOf } from '../dmarc/reporter.ts';
import type { Counted } from '../dmarc/row.ts';
import type { SendServices } from '../dmarc/send.ts';
import { FAILURE_DOMAINS, MAY_REPORT_MS, WAITING_FAILURES } from '../limits.ts';
import type { ObservedMessage } from '../observe.ts';
import { dayOf } from '../schema.ts';
import { reportSettings } from '../settings.ts';
import { type FailureFacts, failureFacts, wantsFailure } from './report.ts';

export interface FailureSender {
  /** Cheap, and never throws. */
  message(record: ObservedMessage, counted: Counted): void;
  /** All that waits is written, or given up. */
  settled(): Promise<void>;
}

export interface FailureServices extends SendServices {
  readonly hostname: string;
  /** Something is in the outbox. */
  readonly wakeOutbox: () => void;
}

interface Waiting {
  readonly policyDomain: string;
  readonly ruf: readonly string[];
  readonly facts: FailureFacts;
}

export function createFailureSender(services: FailureServices): FailureSender {
  const { settings, clock, events, hostname } = services;
  const waiting: Waiting[] = [];
  let day = 0;
  let sent = new Map<string, number>();
  let working: Promise<void> | undefined;
  let known: { readonly may: MayReport; readonly until: number } | undefined;

  /** Domains beyond the bound share one count, so that none escapes it. */
  function isWithinRate(domain: string, at: number): boolean {
    const today = dayOf(at);
    if (today !== day) {
      day = today;
      sent = new Map();
    }
    const key = sent.has(domain) || sent.size < FAILURE_DOMAINS ? domain : '';
    const count = sent.get(key) ?? 0;
    sent.set(key, count + 1);
    return count < settings.current().get(reportSettings.failuresPerDay);
  }

  /** Our own check asks the DNS a dozen questions: once for many messages. */
  async function mayNow(): Promise<MayReport> {
    if (known && clock.monotonic() < known.until) return known.may;
    const may = await mayReport(services, reporterOf(settings.current()));
    known = { may, until: clock.monotonic() + MAY_REPORT_MS };
    if (may.answer !== 'yes') events.emit('report.not-sent', { reason: may.reason, days: 0 });
    return may;
  }

  async function work(): Promise<void> {
    const may = await mayNow();
    for (let next = waiting.shift(); next; next = waiting.shift())
      if (may.answer === 'yes') await writeOne(services, next);
    services.wakeOutbox();
  }

  return {
    message(record, counted) {
      const snapshot = settings.current();
      if (!snapshot.get(reportSettings.failure) || waiting.length >= WAITING_FAILURES) return;
      if (!wantsFailure(record, counted) || !isWithinRate(counted.domain, record.at)) return;
      const maskReserved = snapshot.get(reportSettings.maskReserved);
      const facts = failureFacts(record, counted, { hostname, maskReserved });
      waiting.push({ policyDomain: counted.domain, ruf: counted.policy.ruf, facts });
      working ??= work()
        .catch((error: Error) => events.emit('report.rows-unwritten', { rows: waiting.length, error: error.message }))
        .finally(() => {
          working = undefined;
        });
    },
    async settled() {
      await working;
    },
  };
}

async function writeOne(services: FailureServices, { policyDomain, ruf, facts }: Waiting): Promise<void> {
  const { database, resolver, settings, clock, random, hostname } = services;
  const reporter = reporterOf(settings.current());
  if (!reporter) return;
  const { addresses } = await destinationsOf(resolver, policyDomain, ruf);
  if (addresses.length === 0) return;
  const outbox = outboxStatements(database.dialect);
  const now = clock.now();
  await database.write(
    addresses.map((to) => {
      const unique = Buffer.from(random.bytes(10)).toString('hex');
      const content = composeFailure({
        ...facts,
        from: reporter.contact,
        to,
        messageId: `<${unique}@${reporter.domain}>`,
        boundary: `postern-${unique}`,
        date: now,
        userAgent: 'Postern',
        reportingHost: hostname,
      });
      // From the null reverse-path: the receiver sends no report about it.
      const envelope = { sender: '', recipients: [to] };
      return outbox.letter({
        id: `${now.toString(36)}-${unique}`,
        kind: 'dmarc-failure',
        ...envelope,
        content,
        createdAt: now,
      });
    }),
  );
}
