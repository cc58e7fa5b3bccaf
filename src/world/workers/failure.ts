/** Why a worker client did not answer: a closed list, which each room turns into its own error. */
import { OperationalError } from '../../model/errors.ts';

export type WorkerFailure =
  /** The line is full. */
  | { readonly kind: 'busy'; readonly most: number }
  /** It took longer than the deadline; its thread was ended. */
  | { readonly kind: 'late'; readonly deadlineMs: number }
  /** The thread ended before it answered. */
  | { readonly kind: 'died'; readonly cause: unknown }
  /** The client was closed. */
  | { readonly kind: 'closed' };

/** For a room that has no errors of its own. Errors: `worker.busy`, `worker.late`, `worker.died`, `worker.closed`. */
export function workerError(failure: WorkerFailure): OperationalError {
  switch (failure.kind) {
    case 'busy':
      return new OperationalError(
        'worker.busy',
        `cannot take more work, as fewer than ${failure.most} must be waiting for a thread`,
      );
    case 'late':
      return new OperationalError(
        'worker.late',
        `cannot finish, as a thread must answer within ${failure.deadlineMs} ms`,
      );
    case 'died': {
      const { cause } = failure;
      const said = cause instanceof Error ? cause.message : String(cause);
      return new OperationalError('worker.died', `cannot finish, as the thread must not end before: ${said}`, {
        cause,
      });
    }
    case 'closed':
      return new OperationalError('worker.closed', 'cannot take more work, as the node is stopping');
  }
}
