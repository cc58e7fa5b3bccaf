/** Domains: which ones are local, and where their mail goes. */
import { Type } from 'typebox';
import { domainName } from '../../directory/addresses/names.ts';
import { OperationalError } from '../../model/errors.ts';
import { formatSocketAddress } from '../../world/config.ts';
import { ALL_OF_A_DOMAIN } from '../areas.ts';
import { act, look } from '../define.ts';
import { withoutLogins } from './server-logins.ts';
import { both, Limit, Text } from './types.ts';

export const domainOperations = {
  'domain.add': act('domain.add', {
    area: 'domains',
    topics: ['domains', 'servers'],
    title: 'Adds a local domain, and the mail servers its mail goes to',
    input: { name: Text, servers: Type.Optional(Type.Array(Text, { maxItems: 100 })) },
    run: async ({ admin }, { name, servers }) => {
      const change = await admin.addDomain({ name, servers });
      return { output: { name: domainName(name) }, change };
    },
  }),

  'domain.remove': act('domain.remove', {
    area: 'domains',
    topics: ALL_OF_A_DOMAIN,
    title: 'Removes a local domain with its accounts, aliases and settings',
    input: { name: Text },
    run: async ({ admin, settings, dkim, credentials, logins }, { name }, actor) => {
      const domain = domainName(name);
      const idle = await admin.serversOnlyOf(domain);
      const removed = await admin.removeDomain(domain);
      const owners = settings
        .stored()
        .map(({ owner }) => owner)
        .filter((owner) => owner.domain === domain || owner.account?.endsWith(`@${domain}`));
      const keys = { statements: [dkim.remove(domain)], committed: dkim.forget };
      const forgotten = both(settings.prepareForget(owners, actor.name), keys);
      const change = both(removed, both(credentials.removalsOfDomain(domain), forgotten));
      const logged = withoutLogins(idle, { logins, settings });
      return { output: { name: domain }, change: logged.reduce(both, change) };
    },
  }),

  'domain.set-password': act('domain.set-password', {
    area: 'sign-in',
    title: 'Sets the password by which servers or users of a whole domain sign in; their login is its name',
    input: { name: Text, password: Type.String({ maxLength: 10_000 }) },
    secrets: ['password'],
    run: async ({ credentials }, { name, password }) => ({
      output: { name: domainName(name) },
      change: await credentials.setDomainPassword(name, password),
    }),
  }),

  'domain.list': look('domain.list', {
    area: 'domains',
    title: 'Lists the local domains, a page at a time',
    input: { after: Type.Optional(Text), limit: Limit },
    run: async ({ admin, directory }, { after, limit }) => {
      const { of } = await directory.servers();
      const domains = await admin.listDomains({ after, limit });
      return {
        output: domains.map(({ name, enabled }) => ({
          name,
          enabled,
          servers: of(name).map(({ host, port }) => formatSocketAddress({ address: host, port })),
        })),
      };
    },
  }),

  'domain.show': look('domain.show', {
    area: 'domains',
    title: 'Shows one domain: its servers, and how many accounts and aliases it has',
    input: { name: Text },
    run: async ({ admin, directory }, { name }) => {
      const domain = await directory.domain(domainName(name));
      if (!domain)
        throw new OperationalError('directory.missing', `cannot show ${name}, as it must be a local domain: it is not`);
      const servers = await directory.mailServers(domain.name);
      return { output: { ...domain, servers, ...(await admin.countOf(domain.name)) } };
    },
  }),
};
