/**
 * Assembles reports: the counting of messages, the reader of received reports, the operators' admin, and the clock
 * jobs.
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
  /** Sends the reports of the days that are over. */
  send(): Promise<SentReports>;
  /** Deletes old received reports. */
  forget(): Promise<void>;
  /** Wraps the receivers of messages, so that every message is counted. */
  counting(parts: Counting): Counting;
  /** Sets the function to call when something is in the outbox. */
  onLetter(wake: () => void): void;
  close(): Promise<void>;
}

export function openReports(services: ReportServices): Reports {
  const { database, clock, settings, events } = services;
  let wakeOutbox = (): void => {};
  let reported = '';
  const collector = createDmarcCollector(services);
  const failures = createFailureSender({ ...services, wakeOutbox: () => wakeOutbox() });
  const sink = createReportSink(services);
  const underlying = createReportAdmin({ ...services, collector });
  const send = async (): Promise<SentReports> => {
    const sent = await underlying.send();
    report(sent);
    if (sent.written > 0) wakeOutbox();
    return sent;
  };

  /** Once, not every hour that it stays so. */
  function report({ may, days = 0 }: SentReports): void {
    const reason = may.answer === 'yes' ? '' : may.reason;
    if (reason !== reported && may.answer !== 'yes') events.emit('report.not-sent', { reason, days });
    reported = reason;
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
