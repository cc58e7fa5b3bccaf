/** A source of each kind, from its definition. Connections open when first needed. */

import { activeDirectorySource } from './active-directory.ts';
import type { SourceServices, VerificationSource } from './contract.ts';
import type { SourceDefinition } from './definition.ts';
import { ldapSource } from './ldap.ts';
import { microsoftSource } from './microsoft-365.ts';
import { mingerSource } from './minger.ts';
import { smtpSource } from './smtp-call-forward.ts';

export function openSource(
  definition: SourceDefinition,
  secret: string | undefined,
  services: SourceServices,
): VerificationSource {
  switch (definition.kind) {
    case 'smtp':
      return smtpSource(definition.options, secret, services);
    case 'active-directory':
      return activeDirectorySource(definition.options, secret, services);
    case 'ldap':
      return ldapSource(definition.options, secret, services);
    case 'minger':
      return mingerSource(definition.options, secret, services);
    case 'microsoft-365':
      return microsoftSource(definition.options, secret, services);
  }
}
