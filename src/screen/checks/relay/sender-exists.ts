/**
 * Relay control: a sender of a local domain must exist, so that it can be answered, and so that neither a user nor a
 * server writes under an invented name. Looked up at MAIL, judged at RCPT.
 */
import type { Resolution } from '../../../directory/contract.ts';
import { andThen, type MaybePromise } from '../../../model/maybe-promise.ts';
import { type CheckServices, defineCheck, NOTHING, type Views } from '../../engine/check.ts';
import { resolveRecipient } from '../../sender/recipient-context.ts';
import { relaySettings } from '../../settings.ts';

type Observation = { readonly sender: 'exists' | 'unknown' | 'cannot-tell' };

const EXISTS: Observation = Object.freeze({ sender: 'exists' });
const UNKNOWN: Observation = Object.freeze({ sender: 'unknown' });
const CANNOT_TELL: Observation = Object.freeze({ sender: 'cannot-tell' });

export const senderExists = defineCheck({
  id: 'senderExists',
  stage: 'mail',
  answers: 'rcpt',
  guide: 'Relay Control: the address in MAIL must exist if it uses a local domain',
  exempt: [],
  clear: EXISTS,
  protects: true,
  codes: {
    'unknown-sender': 'the sender is of a local domain that has no such account or alias',
    'cannot-tell': 'the directory cannot say now whether the sender exists',
  },
  settings: relaySettings,

  observe({ facts, sender, reversePath }: Views['mail'], { directory }: CheckServices): MaybePromise<Observation> {
    if (reversePath === null) return EXISTS;
    return andThen(sender, ({ isLocal }) =>
      isLocal ? andThen(resolveRecipient(directory, reversePath, facts.client.address), observationOf) : EXISTS,
    );
  },

  judge({ sender }, settings, context) {
    if (sender === 'exists' || !settings.senderMustExist || !context) return NOTHING;
    if (context.sender === 'authenticated' && settings.senderExceptAuthenticated) return NOTHING;
    if (context.sender === 'domain-server' && settings.senderExceptDomainServers) return NOTHING;
    const isListed = context.listing?.list === 'allow' && context.listing.kind !== 'address';
    if (isListed && settings.senderExceptAllowListed) return NOTHING;
    if (sender === 'cannot-tell') {
      const text = 'cannot tell now whether the sender exists, try again later';
      return [
        { code: 'cannot-tell', outcome: 'error', action: 'defer', reply: { code: 451, enhanced: '4.4.3', text } },
      ];
    }
    // RFC 3463 3.2: X.1.8, bad sender's system address.
    const reply = { code: 550, enhanced: '5.1.8', text: 'no such sender here' } as const;
    return [{ code: 'unknown-sender', action: 'refuse', reply }];
  },
});

/** An address that asks for a further hop belongs to nobody here. */
function observationOf({ kind }: Resolution): Observation {
  if (kind === 'unknown-user' || kind === 'disabled' || kind === 'remote') return UNKNOWN;
  return kind === 'cannot-tell' ? CANNOT_TELL : EXISTS;
}
