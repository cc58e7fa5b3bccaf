/** Events that declare `audit` become audit rows of the log: who changed what. */
import type { EventSink, Events } from '../world/events.ts';
import type { AuditRecord, Journal } from './contract.ts';

/** Returns what detaches it. Fields `actor`, `result` and `detail` fill the columns of that name; all are the input. */
export function attachAudit(events: Events, journal: Pick<Journal, 'audit'>): () => void {
  const audit: EventSink = (name, fields, at) => {
    const { actor, result, detail, ...input } = fields;
    journal.audit({
      at,
      actor: typeof actor === 'string' ? actor : 'node',
      operation: name,
      input: JSON.stringify(input),
      result: isResult(result) ? result : 'done',
      ...(typeof detail === 'string' && { detail }),
    });
  };
  return events.attach(audit, (name) => 'audit' in events.definitions[name]);
}

function isResult(value: unknown): value is AuditRecord['result'] {
  return value === 'done' || value === 'refused' || value === 'failed';
}
