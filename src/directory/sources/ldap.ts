/**
 * LDAP: a user exists if a search finds an entry with the address.
 *
 * Nothing found is `no`, unless the server refers to another one; an error of the search, or more entries than one
 * user has, is `cannot tell`. A password is checked by binding as the entry found.
 */
import type { Entry } from 'ldapts';
import type { Address } from '../../model/address.ts';
import {
  type Answer,
  cannotTell,
  type PasswordAnswer,
  type Question,
  type SourceServices,
  type VerificationSource,
} from './contract.ts';
import { isOwnMachine, type LdapOptions } from './definition.ts';
import { createLdapSearch, escapeFilterValue } from './ldap-search.ts';
import { ALIASES_OF_ONE } from './limits.ts';

/** The differences between directories. */
export interface LdapDialect {
  readonly attributes: readonly string[];
  readonly passesReferrals: boolean;
  isDisabled(entry: Entry): boolean;
  answerOf(entry: Entry): Extract<Answer, { kind: 'yes' }>;
}

const PLAIN: LdapDialect = {
  attributes: ['mail', 'mailAlternateAddress', 'displayName', 'cn'],
  passesReferrals: false,
  isDisabled: () => false,
  answerOf(entry) {
    const mail = valuesOf(entry, 'mail');
    const [primary] = mail;
    return userOf(primary, [...mail.slice(1), ...valuesOf(entry, 'mailAlternateAddress')], entry);
  },
};

export function ldapSource(
  options: LdapOptions,
  secret: string | undefined,
  services: SourceServices,
  dialect: LdapDialect = PLAIN,
): VerificationSource {
  const directory = createLdapSearch(options, secret, services);

  async function find({ address, dialogue }: Question): Promise<readonly Entry[] | Exclude<Answer, { kind: 'yes' }>> {
    const filter = fillFilter(options.filter, address);
    dialogue.sent(`search ${options.base || 'the default naming context'} (${options.scope}) for ${filter}`);
    const { entries, refers } = await directory.search(filter, dialect.attributes);
    for (const { dn } of entries) dialogue.received(dn);
    if (entries.length > 0) return entries;
    dialogue.received('no entry');
    if (refers && !dialect.passesReferrals) return cannotTell('the server refers to another one, which is not asked');
    return { kind: 'no' };
  }

  return {
    async verify(question) {
      const found = await find(question);
      if ('kind' in found) return found as Answer;
      const [entry, ...others] = options.excludeDisabled ? found.filter((one) => !dialect.isDisabled(one)) : found;
      if (!entry) {
        question.dialogue.note('the account is disabled');
        return { kind: 'no' };
      }
      // Of several entries none is the main one.
      return others.length > 0 ? { kind: 'yes' } : dialect.answerOf(entry);
    },
    async authenticate(question, password): Promise<PasswordAnswer> {
      // RFC 4513 5.1.2: a bind with an empty password succeeds, and proves nothing.
      if (password === '') return { kind: 'no' };
      if (options.tls === 'clear' && !isOwnMachine(options.host))
        return cannotTell('passwords only go where TLS is on');
      const found = await find(question);
      if ('kind' in found) return found as PasswordAnswer;
      const [entry, ...others] = found;
      if (others.length > 0) return cannotTell('several entries have this address', 'address');
      if (dialect.isDisabled(entry!)) return { kind: 'no' };
      question.dialogue.sent(`bind as ${entry!.dn} (password hidden)`);
      const taken = await directory.bindAs(entry!.dn, password);
      question.dialogue.received(taken ? 'success' : 'invalid credentials');
      return taken ? { kind: 'yes', primary: dialect.answerOf(entry!).primary } : { kind: 'no' };
    },
    close: directory.close,
  };
}

export function fillFilter(filter: string, { text, local, domain }: Address): string {
  const values: Readonly<Record<string, string>> = { a: text, u: local, d: domain };
  return filter.replace(/%([aud])/g, (_, name: string) => escapeFilterValue(values[name]!));
}

export function valuesOf(entry: Entry, name: string): readonly string[] {
  const value = entry[name] ?? [];
  return [value].flat().flatMap((one) => (typeof one === 'string' && one !== '' ? [one] : []));
}

export function userOf(primary: string | undefined, aliases: readonly string[], entry: Entry) {
  const [displayName] = [...valuesOf(entry, 'displayName'), ...valuesOf(entry, 'cn')];
  return { kind: 'yes', primary, aliases: aliases.slice(0, ALIASES_OF_ONE), displayName } as const;
}
