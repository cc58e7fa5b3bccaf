/** Remarks on a signature that may be valid all the same (RFC 6376 8.2, 8.15). */
import type { ReadSignature } from '../../../../protocol/dkim/read-signature.ts';
import type { OriginFields, SignedField } from '../../../../protocol/mime/types.ts';
import type { DkimFlag } from '../types.ts';

export interface SignatureFacts {
  readonly fields: OriginFields;
  readonly isTesting: boolean;
  readonly isSignedAhead: boolean;
  /** The body has more bytes than `l=` signs. */
  readonly isBodyAdded: boolean;
}

const SHOWN: readonly SignedField[] = ['from', 'to', 'subject', 'date'];
const NONE: readonly DkimFlag[] = [];

export function flagsOf({ names, bodyLength }: ReadSignature, facts: SignatureFacts): readonly DkimFlag[] {
  const { fields, isTesting, isSignedAhead, isBodyAdded } = facts;
  const flags: DkimFlag[] = [];
  if (bodyLength !== undefined) flags.push('body-length');
  if (isBodyAdded) flags.push('body-added');
  if (isTesting) flags.push('testing');
  if (isSignedAhead) flags.push('signed-ahead');

  for (const name of SHOWN) {
    let times = 0;
    for (const one of names) if (one === name) times++;
    const present = fields.counts[name];
    if (times === 0) {
      if (present > 0) flags.push('field-unsigned');
    } else if (present > times) flags.push('field-added');
    else if (present === times) flags.push('not-over-signed');
  }
  return flags.length === 0 ? NONE : [...new Set(flags)];
}
