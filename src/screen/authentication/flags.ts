/** What is to be said of a signature although it may verify (RFC 6376 8.2, 8.15). */
import type { OriginFields, SignedField } from '../../protocol/mime/words.ts';
import type { Clock } from '../../world/clock.ts';
import { AUTHENTICATION_LIMITS } from './limits.ts';
import type { RawSignature } from './mailauth.ts';
import type { DkimFlag } from './words.ts';

export interface SignatureFacts {
  /** The `h=` tag. */
  readonly signedFields: string;
  readonly isLimited: boolean;
  readonly timestamp?: Date | null | undefined;
  readonly fields: OriginFields;
  readonly clock: Clock;
}

const SHOWN: readonly SignedField[] = ['from', 'to', 'subject', 'date'];
const NONE: readonly DkimFlag[] = [];

export function flagsOf({ status }: RawSignature, facts: SignatureFacts): readonly DkimFlag[] {
  const { signedFields, isLimited, timestamp, fields, clock } = facts;
  const flags: DkimFlag[] = [];
  if (isLimited) flags.push('body-length');
  if (status.underSized) flags.push('body-added');
  if (status.testing) flags.push('testing');
  if (timestamp && timestamp.getTime() > clock.now() + AUTHENTICATION_LIMITS.clockSkewMs) flags.push('signed-ahead');

  const signed = signedFields.toLowerCase().split(':');
  for (const name of SHOWN) {
    let times = 0;
    for (const one of signed) if (one.trim() === name) times++;
    const present = fields.counts[name];
    if (times === 0) {
      if (present > 0) flags.push('field-unsigned');
    } else if (present > times) flags.push('field-added');
    else if (present === times) flags.push('not-over-signed');
  }
  return flags.length === 0 ? NONE : [...new Set(flags)];
}
