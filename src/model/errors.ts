/**
 * Operational errors: a stable code, a sentence of the form "cannot X, as Y must be Z: current value is V", and the
 * cause. Faults of neighbours (disk, DNS, peers), bad input and bad configuration are operational errors; a defect is
 * a plain Error and ends the work in which it happened.
 */
export class OperationalError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'OperationalError';
    this.code = code;
  }
}

/** A unit was not written, as another writer had changed the rows from which it was decided. */
export function isOvertaken(error: unknown): boolean {
  return isOperational(error, 'store.expectation') || isOperational(error, 'store.constraint');
}

export function isOperational(error: unknown, code?: string): error is OperationalError {
  return error instanceof OperationalError && (code === undefined || error.code === code);
}

/** A broken invariant: the message names the object, so that the report shows where to look. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}
