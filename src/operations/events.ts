/** Events of administration. Operations write their audit rows themselves, in the unit of the change (operations/audit.ts). */
import { event } from '../world/event.ts';

export const operationEvents = {
  'operation.done': event<{ operation: string; actor: string }>()({
    level: 'info',
    text: 'an administrative act was done',
    metric: { name: 'postern_operations_total', labels: ['operation'] },
  }),
  'operation.refused': event<{ operation: string; actor: string; code: string; reason: string }>()({
    level: 'warn',
    text: 'an administrative act was refused',
    metric: { name: 'postern_operations_refused_total', labels: ['operation'] },
  }),
  'operation.failed': event<{ operation: string; actor: string; error: string }>()({
    level: 'error',
    text: 'an administrative act failed',
    metric: { name: 'postern_operations_failed_total', labels: ['operation'] },
  }),
  'control.error': event<{ error: string }>()({
    untrusted: true,
    level: 'warn',
    text: 'a client of the control socket was cut off',
  }),
} as const;

type OperationEvents = typeof operationEvents;
declare module '../world/events.ts' {
  interface EventList extends OperationEvents {}
}
