/**
 * What readers show as the name of an author: the display name, but also a comment, which mail programs
 * of old wrote there, the name of a group, and words behind which somebody forgot the quotes, as in
 * `Doe, Jane <jane@example.com>`.
 */
import type { AddressList, Mailbox } from '../../protocol/mime/words.ts';
import { IDENTITY_LIMITS } from './limits.ts';

export interface ShownName {
  /** As an address list gives it, not decoded. */
  readonly name: string;
  /** Lower case; what the author's address is for who sees the name. */
  readonly address: string;
  readonly domain: string;
}

/** Of the authors that are looked at, in their order; group names first. */
export function shownNames({ mailboxes, groups }: AddressList): readonly ShownName[] {
  const names: ShownName[] = [];
  const authors = mailboxes.slice(0, IDENTITY_LIMITS.authors);
  const add = (name: string, { local, domain }: Pick<Mailbox, 'local' | 'domain'>): void => {
    if (name !== '') names.push({ name, address: `${local.toLowerCase()}@${domain}`, domain });
  };
  for (const group of groups.slice(0, IDENTITY_LIMITS.authors)) add(group, authors[0] ?? NOBODY);
  let words = '';
  for (const author of authors) {
    const { displayName, comment, local } = author;
    add(comment ?? '', author);
    if (isWords(author)) {
      words = words === '' ? local : `${words} ${local}`;
      continue;
    }
    add(displayName ?? '', author);
    if (words !== '') add(displayName === undefined ? words : `${words} ${displayName}`, author);
    words = '';
  }
  add(words, NOBODY);
  return names;
}

const NOBODY = { local: '', domain: '' } as const;

function isWords({ displayName, domain, writtenDomain }: Mailbox): boolean {
  return displayName === undefined && domain === '' && writtenDomain === undefined;
}
