/** How this node and its domains stand in the world: the DNS is asked, nothing is changed. */
import { Type } from 'typebox';
import { domainName } from '../../directory/addresses/names.ts';
import { look } from '../define.ts';
import { CHECKED_DOMAINS } from '../limits.ts';
import { Text } from './types.ts';

export const checkOperations = {
  'check.node': look('check.node', {
    area: 'node',
    title: "Checks this node's names, addresses and certificate, and whether block lists have it",
    input: {},
    run: async ({ posture }) => ({ output: await posture.checkNode() }),
  }),

  'check.domain': look('check.domain', {
    area: 'domains',
    title: 'Checks the MX, SPF, DKIM and DMARC records of a domain, and says what to publish',
    input: { name: Text },
    run: async ({ posture }, { name }) => ({ output: await posture.checkDomain(domainName(name)) }),
  }),

  'check.domains': look('check.domains', {
    area: 'domains',
    title: 'Checks the local domains, a page at a time',
    input: {
      after: Type.Optional(Text),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: CHECKED_DOMAINS })),
    },
    run: async ({ admin, posture }, { after, limit = CHECKED_DOMAINS }) => {
      const domains = await admin.listDomains({ after, limit });
      return { output: await posture.checkDomains(domains.map(({ name }) => name)) };
    },
  }),
};
