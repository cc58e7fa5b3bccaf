/**
 * Credentials must match the sender: an account writes only under its own addresses, in the envelope (judged at RCPT)
 * and in the header (judged at end of data): From, which must name an author, Sender, and the topmost Resent block.
 *
 * An account's own addresses are its address with sub-addresses, aliases that lead to it, and granted ones; a
 * domain's login may use every address of the domain. Everybody may use the null reverse-path. If the directory does
 * not know, the client is asked to try again.
 */
import { isPromise, type MaybePromise } from '../../../model/maybe-promise.ts';
import type { Author } from '../../../protocol/mime/types.ts';
import { makeAddress } from '../../../protocol/smtp/address.ts';
import { defineSettings, flag } from '../../../settings/define.ts';
import { type CheckServices, defineCheck, NOTHING, type Views } from '../../engine/check.ts';
import { SENDERS_COMPARED } from '../../limits.ts';
import { originFields } from '../../sender/origin-fields.ts';

type Match = 'yes' | 'no' | 'cannot-tell';
type OriginField = 'From' | 'Sender' | 'Resent-From' | 'Resent-Sender';
type Observation = { readonly match: Match | 'no-author'; readonly sender?: string; readonly field?: OriginField };

const MATCHES: Observation = Object.freeze({ match: 'yes' });

const settings = defineSettings('senderMatchesLogin', {
  envelope: flag(
    true,
    'Who signed in may use only sender addresses (MAIL FROM) of its own: its address, sub-addresses, aliases that lead to it, and what `postern user send-as` grants. Others get 553 5.7.1.',
    { scope: 'domain' },
  ),
  from: flag(
    true,
    'The same for every address of the From field, which is what people see, of Sender, and of Resent-From and Resent-Sender in the topmost Resent block. Others get 550 5.7.1 at the end of the message, and a message without an author 550 5.6.0. A domain’s login is held to From alone, and only to its domain.',
    { scope: 'domain' },
  ),
});

const CODES = {
  'not-own': 'the account that signed in may not write as this sender',
  'no-author': 'the From field, which must name the author of what an account submits, names nobody',
  'cannot-tell': 'the directory cannot say now whether the account may write as this sender',
} as const;

const ENVELOPE = {
  code: 553,
  enhanced: '5.7.1',
  text: 'the sender address does not belong to the account that signed in',
} as const;
const inField = (field: OriginField) =>
  ({
    code: 550,
    enhanced: '5.7.1',
    text: `the ${field} address does not belong to the account that signed in`,
  }) as const;
const NO_AUTHOR = {
  code: 550,
  enhanced: '5.6.0',
  text: 'the message must have a From field with the address of its author (RFC 5322 3.6.2)',
} as const;
const LATER = {
  code: 451,
  enhanced: '4.3.0',
  text: 'cannot tell now whether the sender is yours, try again later',
} as const;

function judged({ match, sender }: Observation, reply: typeof ENVELOPE | ReturnType<typeof inField>) {
  if (match === 'yes') return NOTHING;
  if (match === 'no-author') return [{ code: 'no-author', action: 'refuse', reply: NO_AUTHOR }] as const;
  if (match === 'cannot-tell')
    return [{ code: 'cannot-tell', action: 'defer', reply: LATER, outcome: 'error' }] as const;
  return [
    { code: 'not-own', text: `the account that signed in may not write as ${sender}`, action: 'refuse', reply },
  ] as const;
}

function asSeen(sender: string, match: MaybePromise<Match>): MaybePromise<Observation> {
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

  observe({ facts, reversePath }: Views['mail'], { grants }: CheckServices): MaybePromise<Observation> {
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

  observe({ facts, header, head }: Views['message'], { grants }: CheckServices): MaybePromise<Observation> {
    const { account } = facts;
    return account === undefined ? MATCHES : firstForeign(account, header.author, head, grants);
  },

  judge: (seen, { from }) => (from ? judged(seen, inField(seen.field ?? 'From')) : NOTHING),
});

/**
 * A domain's login belongs to a server, which also sends mail of other authors: only From is checked, and may name
 * nobody.
 */
async function firstForeign(
  account: string,
  author: Author,
  head: Uint8Array,
  grants: CheckServices['grants'],
): Promise<Observation> {
  const isServer = account.startsWith('@');
  if (isServer && author.namesNobody) return MATCHES;
  // RFC 5322 3.6.2: From names the mailboxes of the authors.
  if (author.mailboxes.length === 0 && author.addresses.length === 0) return { match: 'no-author' };
  const found = await foreignIn('From', author, account, grants);
  if (found || isServer) return found ?? MATCHES;
  for (const { field, sender } of originFields(head)) {
    const foreign = await foreignIn(field, sender, account, grants);
    if (foreign) return foreign;
  }
  return MATCHES;
}

/** Every address that a reader may see must be the account's own; a field without an address belongs to nobody. */
async function foreignIn(
  field: OriginField,
  { addresses, unclear }: Author,
  account: string,
  grants: CheckServices['grants'],
): Promise<Observation | undefined> {
  if (unclear || addresses.length === 0) return { match: 'no', field, sender: `a ${field} field that cannot be read` };
  if (addresses.length > SENDERS_COMPARED) return { match: 'no', field, sender: `${addresses.length} addresses` };
  for (const { local, domain } of addresses) {
    const sender = makeAddress(local, domain);
    const match = await grants.maySendAs(account, sender);
    if (match !== 'yes') return { match, field, sender: sender.text };
  }
  return undefined;
}
