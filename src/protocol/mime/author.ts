/**
 * The author of a message: the addresses in its From field (RFC 5322 3.6.2), for every room that decides by it.
 *
 * A field that RFC 5322 reads whole, obsolete forms included, has the addresses of its mailboxes and no others:
 * display names, encoded words and comments are left to the check of names. In any other field each address counts
 * that some reader may see in it (author-readings.ts). `unclear` reports that some author may be missing; an unclear
 * author may never count as clean. Linear; never throws.
 */
import { readAddressField } from './address-list.ts';
import { hasOtherAtSign, readEveryAddress } from './author-readings.ts';
import { printable } from './encoded-words.ts';
import { MIME_LIMITS } from './limits.ts';
import { readable } from './text.ts';
import type { AddressList, Author, AuthorAddress, Mailbox, UnclearAuthor } from './types.ts';

/** `fields`: the values of all From fields (or all Sender fields), from the top, unfolded binary strings. */
export function readAuthor(fields: readonly string[]): Author {
  if (fields.length === 0) return NO_AUTHOR;
  const lists: AddressList[] = [];
  const addresses = new Map<string, AuthorAddress>();
  let room: number = MIME_LIMITS.addressFieldCharacters;
  let isWhole = fields.length === 1;
  let isCut = false;
  let hasAtSign = false;
  for (const field of fields) {
    const value = field.slice(0, room);
    room -= value.length;
    isCut ||= value.length < field.length;
    const list = readAddressField(value);
    lists.push(list);
    isCut ||= list.isCut;
    for (const { local, domain } of list.mailboxes) if (domain !== '') note(addresses, local, domain);
    hasAtSign ||= list.mailboxes.length > 0;
    if (list.mailboxes.length > 0 && isWholeList(list)) continue;
    isWhole &&= isWholeList(list);
    const every = readEveryAddress(value);
    hasAtSign ||= every.hasAtSign;
    isCut ||= every.isCut;
    for (const { local, domain } of every.addresses) note(addresses, local, domain);
    if (room === 0) break;
  }
  const mailboxes = lists.flatMap((list) => list.mailboxes);
  const all = [...addresses.values()].slice(0, MIME_LIMITS.mailboxes);
  const domains = [...new Set(all.map(({ domain }) => domain).filter((domain) => !domain.startsWith('[')))];
  const isOver = isCut || addresses.size > all.length;
  const unclear = whyUnclear(fields.length, isOver, domains.length, hasAtSign, mailboxes);
  return {
    fields: fields.length,
    lists,
    mailboxes,
    addresses: all,
    domains,
    isWhole: isWhole && !isOver,
    ...(unclear && { unclear }),
    namesNobody: !hasAtSign && !isOver,
    shown: shownOf(mailboxes, all, fields[0]!),
  };
}

const NO_AUTHOR: Author = Object.freeze({
  fields: 0,
  lists: [],
  mailboxes: [],
  addresses: [],
  domains: [],
  isWhole: false,
  namesNobody: true,
  shown: undefined,
});

/** The first spelling of the local part is kept. */
function note(addresses: Map<string, AuthorAddress>, local: string, domain: string): void {
  const key = `${local.toLowerCase()}@${domain}`;
  if (!addresses.has(key)) addresses.set(key, { local, domain });
}

/** An encoded word in an address, or a look-alike of the at-sign, is a second address to some readers. */
function isWholeList({ isMalformed, mailboxes }: AddressList): boolean {
  return !isMalformed && !mailboxes.some(({ local }) => local.includes('=?') || hasOtherAtSign(local));
}

function whyUnclear(
  fields: number,
  isOver: boolean,
  domains: number,
  hasAtSign: boolean,
  mailboxes: readonly Mailbox[],
): UnclearAuthor | undefined {
  if (fields > 1) return 'several-fields';
  if (isOver) return 'too-long';
  if (domains > MIME_LIMITS.authorDomains) return 'too-many-domains';
  const isUnread = (hasAtSign && domains === 0) || mailboxes.some(hasNoName);
  return isUnread ? 'no-domain' : undefined;
}

/** Nobody in the DNS is responsible for an address literal, nor for an invalid name, whatever other readings give. */
function hasNoName({ domain }: Mailbox): boolean {
  return domain === '' || domain.startsWith('[');
}

/** For the log: the addresses, as written if they cannot be read; without any, the text of the field. */
function shownOf(mailboxes: readonly Mailbox[], addresses: readonly AuthorAddress[], field: string): string {
  const shown = new Set<string>();
  for (const { local, domain, writtenDomain } of mailboxes) shown.add(`${local}@${domain || (writtenDomain ?? '')}`);
  for (const { local, domain } of addresses) shown.add(`${local}@${domain}`);
  const limit = MIME_LIMITS.subjectCharacters;
  return printable(shown.size > 0 ? [...shown].join(', ') : readable(field.slice(0, limit)), limit);
}
