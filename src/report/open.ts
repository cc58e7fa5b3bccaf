/**
 * Reports put together: what is counted of messages, the reader of reports of others, the operators'
 * admin, and what is to be done by the clock.
 */
import type { Directory } from '../directory/contract.ts';
import type { Journal } from '../journal/contract.ts';
import type { Queue } from '../queue/contract.ts';
import { createReportAdmin, type ReportAdmin } from './admin.ts';
import { createDmarcCollector } from './dmarc/collect.ts';
import { countedRow } from './dmarc/row.ts';
import type { SendServices, SentReports } from './dmarc/send.ts';
import { createFailureSender } from './failure/send.ts';
import { createReportSink, type ReportSink } from './incoming/sink.ts';
import { incomingStatements } from './incoming/statements.ts';
import { type ObservedMessage, observedJournal, observedQueue } from './observe.ts';
import { DAY_MS } from './schema.ts';
import { reportSettings } from './settings.ts';

export interface ReportServices extends SendServices {
  readonly directory: Pick<Directory, 'domain'>;
  readonly hostname: string;
}

interface Counting {
  readonly queue: Pick<Queue, 'newId' | 'commit'>;
  readonly journal: Pick<Journal, 'session' | 'message'>;
}

export interface Reports {
  readonly admin: ReportAdmin;
  readonly sink: ReportSink;
  /** Reports of the days that are over. */
  send(): Promise<SentReports>;
  /** Forgets old reports of others. */
  forget(): Promise<void>;
  /** What receiving hands messages to, with every message counted on its way. */
  counting(parts: Counting): Counting;
  /** Who is told when something is in the outbox. */
  onLetter(wake: () => void): void;
  close(): Promise<void>;
}

export function openReports(services: ReportServices): Reports {
  const { database, clock, settings, events } = services;
  let wakeOutbox = (): void => {};
  let told = '';
  const collector = createDmarcCollector(services);
  const failures = createFailureSender({ ...services, wakeOutbox: () => wakeOutbox() });
  const sink = createReportSink(services);
  const underlying = createReportAdmin({ ...services, collector });
  const send = async (): Promise<SentReports> => {
    const sent = await underlying.send();
    tell(sent);
    if (sent.written > 0) wakeOutbox();
    return sent;
  };

  /** Once, not every hour that it stays so. */
  function tell({ may, days = 0 }: SentReports): void {
    const reason = may.answer === 'yes' ? '' : may.reason;
    if (reason !== told && may.answer !== 'yes') events.emit('report.not-sent', { reason, days });
    told = reason;
  }

  function message(record: ObservedMessage): void {
    const snapshot = settings.current();
    if (!snapshot.get(reportSettings.aggregate) && !snapshot.get(reportSettings.failure)) return;
    const counted = countedRow(record);
    if (!counted) return;
    collector.message(record.at, counted);
    failures.message(record, counted);
  }

  return {
    admin: { ...underlying, send },
    sink,
    send,
    async forget() {
      const before = clock.now() - settings.current().get(reportSettings.keepDays) * DAY_MS;
      const sql = incomingStatements(database.dialect);
      await database.write([sql.forgetSources({ before }), sql.forget({ before })]);
    },
    counting: ({ queue, journal }) => ({
      queue: observedQueue(queue, message),
      journal: observedJournal(journal, message),
    }),
    onLetter(wake) {
      wakeOutbox = wake;
    },
    async close() {
      await sink.close();
      await failures.settled();
      await collector.close();
    },
  };
}
