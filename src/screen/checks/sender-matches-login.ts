/**
 * Credentials must match the sender: who signed in writes under names of its own, in the envelope
 * (answered at RCPT) and in the From field (answered at end of data).
 *
 * An account's own are its address with sub-addresses, aliases that lead to it, and what was granted; a
 * domain's login may use every address of the domain. The null reverse-path is anybody's. Where the
 * directory cannot tell, the client is asked to come again.
 */
import { isPromise, type MaybePromise } from '../../model/maybe-promise.ts';
import { makeAddress } from '../../protocol/smtp/address.ts';
import { defineSettings, flag } from '../../settings/define.ts';
import { type CheckServices, defineCheck, NOTHING, type Views } from '../check.ts';
import { SENDERS_COMPARED } from '../limits.ts';

type Match = 'yes' | 'no' | 'cannot-tell';
type Seen = { readonly match: Match; readonly sender?: string };

const MATCHES: Seen = Object.freeze({ match: 'yes' });

const settings = defineSettings('senderMatchesLogin', {
  envelope: flag(
    true,
    'Who signed in may use only sender addresses (MAIL FROM) of its own: its address, sub-addresses, aliases that lead to it, and what `postern user send-as` grants. Others get 553 5.7.1.',
    { scope: 'domain' },
  ),
  from: flag(
    true,
    'The same for every address of the From field, which is what people see. Others get 550 5.7.1 at the end of the message.',
    { scope: 'domain' },
  ),
});

const CODES = {
  'not-own': 'the account that signed in may not write as this sender',
  'cannot-tell': 'the directory cannot say now whether the account may write as this sender',
} as const;

const ENVELOPE = {
  code: 553,
  enhanced: '5.7.1',
  text: 'the sender address does not belong to the account that signed in',
} as const;
const FROM = {
  code: 550,
  enhanced: '5.7.1',
  text: 'the From address does not belong to the account that signed in',
} as const;
const LATER = {
  code: 451,
  enhanced: '4.3.0',
  text: 'cannot tell now whether the sender is yours, try again later',
} as const;

function judged({ match, sender }: Seen, reply: typeof ENVELOPE | typeof FROM) {
  if (match === 'yes') return NOTHING;
  if (match === 'cannot-tell')
    return [{ code: 'cannot-tell', action: 'defer', reply: LATER, outcome: 'error' }] as const;
  return [
    { code: 'not-own', text: `the account that signed in may not write as ${sender}`, action: 'refuse', reply },
  ] as const;
}

function asSeen(sender: string, match: MaybePromise<Match>): MaybePromise<Seen> {
  if (isPromise(match)) return match.then((settled) => (settled === 'yes' ? MATCHES : { match: settled, sender }));
  return match === 'yes' ? MATCHES : { match, sender };
}

export const senderMatchesLogin = defineCheck({
  id: 'senderMatchesLogin',
  stage: 'mail',
  guide: 'Use SMTP Authentication',
  exempt: [],
  clear: MATCHES,
  protects: true,
  codes: CODES,
  settings: { envelope: settings.envelope },

  observe({ facts, reversePath }: Views['mail'], { grants }: CheckServices): MaybePromise<Seen> {
    if (facts.account === undefined || reversePath === null) return MATCHES;
    return asSeen(reversePath.text, grants.maySendAs(facts.account, reversePath));
  },

  judge: (seen, { envelope }) => (envelope ? judged(seen, ENVELOPE) : NOTHING),
});

export const fromMatchesLogin = defineCheck({
  id: 'fromMatchesLogin',
  stage: 'message',
  guide: 'Use SMTP Authentication',
  exempt: [],
  clear: MATCHES,
  protects: true,
  codes: CODES,
  settings: { from: settings.from },

  observe({ facts, header }: Views['message'], { grants }: CheckServices): MaybePromise<Seen> {
    const { account } = facts;
    return account === undefined ? MATCHES : firstStranger(account, header, grants);
  },

  judge: (seen, { from }) => (from ? judged(seen, FROM) : NOTHING),
});

/** Of all authors; what cannot be read, or is too much to compare, is nobody's own. */
async function firstStranger(
  account: string,
  { fromFields }: Views['message']['header'],
  grants: CheckServices['grants'],
): Promise<Seen> {
  if (fromFields.some(({ isMalformed }) => isMalformed))
    return { match: 'no', sender: 'a From field that is malformed' };
  const authors = fromFields.flatMap(({ mailboxes }) => mailboxes);
  if (authors.length > SENDERS_COMPARED) return { match: 'no', sender: `${authors.length} authors at once` };
  for (const { local, domain } of authors) {
    const sender = makeAddress(local, domain);
    const match = await grants.maySendAs(account, sender);
    if (match !== 'yes') return { match, sender: sender.text };
  }
  return MATCHES;
}
