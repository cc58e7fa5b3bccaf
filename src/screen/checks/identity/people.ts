/**
 * The protected people: those that an administrator names, with all addresses they write from, and the accounts of
 * the directory that have a name.
 */
import type { Identities } from '../../../directory/addresses/identities.ts';
import { parseAddressList } from '../../../protocol/mime/address-list.ts';
import { createPersonIndex, type Person, type PersonIndex } from './person-index.ts';

/**
 * One line of the setting: `Jane Doe <jane@example.com>, jane@home.example`. Undefined if it has no name, or an
 * invalid address.
 */
export function readProtectedUser(line: string): Person | undefined {
  const { mailboxes, groups, isMalformed } = parseAddressList(line);
  const name = mailboxes[0]?.displayName;
  if (isMalformed || groups.length > 0 || name === undefined) return undefined;
  const addresses = new Set(mailboxes.map(({ local, domain }) => `${local.toLowerCase()}@${domain}`));
  return { name, addresses, isNamed: true };
}

const named = new WeakMap<readonly string[], PersonIndex>();
const ofDirectory = new WeakMap<Identities, PersonIndex>();

/** The people in the setting; cached for each value of it. */
export function namedIndex(lines: readonly string[]): PersonIndex {
  let index = named.get(lines);
  if (!index) {
    index = createPersonIndex(lines.map(readProtectedUser).filter((one): one is Person => one !== undefined));
    named.set(lines, index);
  }
  return index;
}

/** Accounts that have a name; cached for each state of the directory. */
export function accountIndex(identities: Identities): PersonIndex {
  let index = ofDirectory.get(identities);
  if (!index) {
    const people = identities.people.map(({ name, address }) => ({
      name,
      addresses: new Set([address]),
      isNamed: false,
    }));
    index = createPersonIndex(people);
    ofDirectory.set(identities, index);
  }
  return index;
}
