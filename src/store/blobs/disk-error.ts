/** What an error of the disk means to a message that is being kept. */
import { OperationalError } from '../../model/errors.ts';

export function isFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

export function diskError(cause: unknown, what: string): OperationalError {
  const said = cause instanceof Error ? cause.message : String(cause);
  return isFull(cause)
    ? new OperationalError('store.full', `cannot ${what}, as the disk must have room: it says "${said}"`, { cause })
    : new OperationalError('store.unavailable', `cannot ${what}, as the disk must work: it says "${said}"`, { cause });
}
