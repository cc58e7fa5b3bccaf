/**
 * The texts that readers show as the name of an author: the display name, but also a comment, where old mail programs
 * wrote the name, the name of a group, and words that belong to no address. Text after a comma without quotes, as in
 * `Doe, Jane <jane@example.com>`, is in the display name already.
 */
import type { Author, Mailbox } from '../../../protocol/mime/types.ts';
import { IDENTITY_LIMITS } from './limits.ts';

export interface ShownName {
  /** From an address list, not decoded. */
  readonly name: string;
  /** Lower case; the author's address in the view of a person who sees the name. */
  readonly address: string;
  readonly domain: string;
}

/** Of the authors that are checked, in order; group names first. */
export function shownNames({ lists, mailboxes }: Pick<Author, 'lists' | 'mailboxes'>): readonly ShownName[] {
  const names: ShownName[] = [];
  const authors = mailboxes.slice(0, IDENTITY_LIMITS.authors);
  const groups = lists.length === 1 ? lists[0]!.groups : lists.flatMap((list) => list.groups);
  const add = (name: string, { local, domain }: Pick<Mailbox, 'local' | 'domain'>): void => {
    if (name !== '') names.push({ name, address: `${local.toLowerCase()}@${domain}`, domain });
  };
  for (const group of groups.slice(0, IDENTITY_LIMITS.authors)) add(group, authors[0] ?? NOBODY);
  for (const author of authors) {
    add(author.comment ?? '', author);
    add(author.displayName ?? '', author);
    // Some readers show only the text after the last comma.
    const name = author.displayName ?? '';
    if (name.includes(',')) add(name.slice(name.lastIndexOf(',') + 1).trim(), author);
  }
  for (const { words } of lists) add(words, NOBODY);
  return names;
}

const NOBODY = { local: '', domain: '' } as const;
