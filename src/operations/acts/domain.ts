/** Domains: which are local, and where their mail goes. */
import { Type } from 'typebox';
import { domainName } from '../../directory/addresses/names.ts';
import { PAGE_ROWS } from '../../directory/limits.ts';
import { OperationalError } from '../../model/errors.ts';
import { pageOf } from '../../model/page.ts';
import { changeOf } from '../../store/changes.ts';
import { formatSocketAddress } from '../../world/config.ts';
import { Answer, PageAnswer, Strings } from '../answers.ts';
import { ALL_OF_A_DOMAIN } from '../areas.ts';
import { act, look } from '../define.ts';
import { pageRowsOf } from '../reach.ts';
import { ServerAnswer } from './server.ts';
import { withoutLogins } from './server-logins.ts';
import { both, Domains, OF_NAME, PAGE, Text } from './types.ts';

export const domainOperations = {
  'domain.add': act('domain.add', {
    area: 'domains',
    reach: 'node',
    topics: ['domains', 'servers'],
    title: 'Adds a local domain, and the mail servers its mail goes to',
    input: { name: Text, servers: Type.Optional(Type.Array(Text, { maxItems: 100 })) },
    answer: Answer({ name: Type.String() }),
    run: async ({ admin }, { name, servers }) => {
      const change = await admin.addDomain({ name, servers });
      return { output: { name: domainName(name) }, change };
    },
  }),

  'domain.remove': act('domain.remove', {
    area: 'domains',
    reach: OF_NAME,
    topics: ALL_OF_A_DOMAIN,
    title: 'Removes a local domain with its accounts, aliases and settings',
    input: { name: Text },
    answer: Answer({ name: Type.String() }),
    run: async ({ admin, settings, dkim, credentials, logins }, { name }, actor) => {
      const domain = domainName(name);
      const idle = await admin.serversOnlyOf(domain);
      const removed = await admin.removeDomain(domain);
      const owners = settings
        .stored()
        .map(({ owner }) => owner)
        .filter((owner) => owner.domain === domain || owner.account?.endsWith(`@${domain}`));
      const keys = changeOf([dkim.remove(domain)]);
      const forgotten = both(settings.prepareForget(owners, actor.name), keys);
      const change = both(removed, both(credentials.removalsOfDomain(domain), forgotten));
      const logged = withoutLogins(idle, { logins, settings });
      return { output: { name: domain }, change: logged.reduce(both, change) };
    },
  }),

  'domain.set-password': act('domain.set-password', {
    // It lets its holder write as every address of the domain: not for a help desk.
    area: 'accounts',
    topics: ['sign-in'],
    reach: OF_NAME,
    title: 'Sets the password by which servers or users of a whole domain sign in; their login is its name',
    input: { name: Text, password: Type.String({ maxLength: 10_000 }) },
    secrets: ['password'],
    answer: Answer({ name: Type.String() }),
    run: async ({ credentials }, { name, password }) => ({
      output: { name: domainName(name) },
      change: await credentials.setDomainPassword(name, password),
    }),
  }),

  'domain.list': look('domain.list', {
    area: 'domains',
    reach: { narrowed: true, cut: pageRowsOf(({ name }: { readonly name: string }) => [name]) },
    title: 'Lists the local domains, a page at a time',
    input: { domains: Domains, ...PAGE },
    answer: PageAnswer(Answer({ name: Type.String(), enabled: Type.Boolean(), servers: Strings })),
    run: async ({ admin, directory }, { domains, after, limit = PAGE_ROWS }) => {
      const { of } = await directory.servers();
      const listed = await admin.listDomains({ domains, after, limit: limit + 1 });
      const { rows, ...rest } = pageOf(listed, limit, ({ name }) => name);
      return {
        output: {
          ...rest,
          rows: rows.map(({ name, enabled }) => ({
            name,
            enabled,
            servers: of(name).map(({ host, port }) => formatSocketAddress({ address: host, port })),
          })),
        },
      };
    },
  }),

  'domain.show': look('domain.show', {
    area: 'domains',
    reach: OF_NAME,
    title: 'Shows one domain: its servers, and how many accounts and aliases it has',
    input: { name: Text },
    answer: Answer({
      name: Type.String(),
      enabled: Type.Boolean(),
      servers: Type.Array(ServerAnswer),
      accounts: Type.Integer(),
      aliases: Type.Integer(),
    }),
    run: async ({ admin, directory }, { name }) => {
      const domain = await directory.domain(domainName(name));
      if (!domain)
        throw new OperationalError('directory.missing', `cannot show ${name}, as it must be a local domain: it is not`);
      const servers = await directory.mailServers(domain.name);
      return { output: { ...domain, servers, ...(await admin.countOf(domain.name)) } };
    },
  }),
};
