/**
 * Whether splices fit the content that they are over: sorted, apart from each other, within it, and not
 * too many. Asked when they are committed, as nobody can be told later, and again by delivery.
 */
import type { Splice } from '../../model/content.ts';
import { OperationalError } from '../../model/errors.ts';
import { SPLICES } from '../limits.ts';

/** Errors: `content.splices`. */
export function checkSplices(sizeBytes: number, splices: readonly Pick<Splice, 'offset' | 'length'>[]): void {
  if (splices.length > SPLICES)
    throw unfit(`there must be at most ${SPLICES} splices: there are ${splices.length}`, 'content');
  let at = 0;
  for (const { offset, length } of splices) {
    const isRange = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && length >= 0;
    if (!isRange || offset < at || offset + length > sizeBytes)
      throw unfit(`a splice must be within bytes ${at} to ${sizeBytes}: it is not`, `${length} bytes at ${offset}`);
    at = offset + length;
  }
}

export function unfit(why: string, what: string): OperationalError {
  return new OperationalError('content.splices', `cannot splice ${what}, as ${why}`);
}
