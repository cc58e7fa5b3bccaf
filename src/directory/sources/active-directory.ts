/**
 * Active Directory and Exchange: LDAP with other attributes. `proxyAddresses` holds the main address as `SMTP:` and
 * the others as `smtp:`; groups, contacts and public folders get mail like users.
 */
import type { Entry } from 'ldapts';
import type { SourceServices, VerificationSource } from './contract.ts';
import type { LdapOptions } from './definition.ts';
import { type LdapDialect, ldapSource, userOf, valuesOf } from './ldap.ts';

/** userAccountControl: ACCOUNTDISABLE. */
const DISABLED = 2;

const ACTIVE_DIRECTORY: LdapDialect = {
  attributes: ['mail', 'proxyAddresses', 'displayName', 'cn', 'userAccountControl'],
  // The root of a domain always refers to its DNS and configuration partitions.
  passesReferrals: true,
  isDisabled: (entry: Entry) => (Number(valuesOf(entry, 'userAccountControl')[0] ?? 0) & DISABLED) !== 0,
  answerOf(entry: Entry) {
    const { primary, aliases } = proxyAddresses(valuesOf(entry, 'proxyAddresses'));
    return userOf(primary ?? valuesOf(entry, 'mail')[0], aliases, entry);
  },
};

export function activeDirectorySource(
  options: LdapOptions,
  secret: string | undefined,
  services: SourceServices,
): VerificationSource {
  return ldapSource(options, secret, services, ACTIVE_DIRECTORY);
}

/** `SMTP:` is the main one; other kinds (X500, SIP) are not mail addresses. */
export function proxyAddresses(values: readonly string[]): {
  readonly primary: string | undefined;
  readonly aliases: readonly string[];
} {
  const mail = values.filter((value) => /^smtp:/i.test(value));
  return {
    primary: mail.find((value) => value.startsWith('SMTP:'))?.slice(5),
    aliases: mail.filter((value) => !value.startsWith('SMTP:')).map((value) => value.slice(5)),
  };
}
