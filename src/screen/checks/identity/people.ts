/**
 * Who is protected: people that an administrator names, with all addresses they write from, and the
 * accounts of the directory that have a name.
 */
import type { Identities } from '../../../directory/addresses/identities.ts';
import { parseAddressList } from '../../../protocol/mime/address-list.ts';
import { createPersonIndex, type Person, type PersonIndex } from './person-index.ts';

/**
 * One line of the setting: `Jane Doe <jane@example.com>, jane@home.example`. Undefined where there is
 * no name, or an address is none.
 */
export function readProtectedUser(line: string): Person | undefined {
  const { mailboxes, groups, isMalformed } = parseAddressList(line);
  const name = mailboxes[0]?.displayName;
  if (isMalformed || groups.length > 0 || name === undefined) return undefined;
  const addresses = new Set(mailboxes.map(({ local, domain }) => `${local.toLowerCase()}@${domain}`));
  return { name, addresses, isNamed: true };
}

const indexes = new WeakMap<Identities, { readonly lines: readonly string[]; readonly index: PersonIndex }>();

/** Made once for each state of the directory and of the setting. */
export function personIndex(identities: Identities, lines: readonly string[]): PersonIndex {
  const known = indexes.get(identities);
  if (known?.lines === lines) return known.index;
  const people: Person[] = [];
  for (const line of lines) {
    const person = readProtectedUser(line);
    if (person) people.push(person);
  }
  for (const { name, address } of identities.people)
    people.push({ name, addresses: new Set([address]), isNamed: false });
  const index = createPersonIndex(people);
  indexes.set(identities, { lines, index });
  return index;
}
