/** Checks of this node and its domains: asks the DNS, changes nothing. */
import { type TProperties, Type } from 'typebox';
import { domainName } from '../../directory/addresses/names.ts';
import { pageOf } from '../../model/page.ts';
import { Answer, Nullable, PageAnswer, Strings } from '../answers.ts';
import { look } from '../define.ts';
import { CHECKED_DOMAINS } from '../limits.ts';
import { pageRowsOf } from '../reach.ts';
import { Domains, Text } from './types.ts';

const Verdict = Type.Enum(['good', 'wrong', 'cannot-tell']);
const Posture = <P extends TProperties>(about: P) =>
  Answer({
    ...about,
    verdict: Verdict,
    results: Type.Array(
      Answer({
        test: Type.String(),
        subject: Type.String(),
        verdict: Verdict,
        severity: Nullable(Type.Enum(['critical', 'important', 'advice'])),
        code: Type.String(),
        seen: Type.String(),
        why: Type.String(),
        publish: Strings,
      }),
    ),
  });
const DomainPosture = Posture({ domain: Type.String() });

export const checkOperations = {
  'check.node': look('check.node', {
    area: 'node',
    reach: 'node',
    title: "Checks this node's names, addresses and certificate, and whether block lists have it",
    input: {},
    answer: Posture({ hostname: Type.String() }),
    run: async ({ posture }) => ({ output: await posture.checkNode() }),
  }),

  'check.domain': look('check.domain', {
    area: 'domains',
    reach: { named: ({ name }) => [domainName(name)] },
    title: 'Checks the MX, SPF, DKIM and DMARC records of a domain, and says what to publish',
    input: { name: Text },
    answer: DomainPosture,
    run: async ({ posture }, { name }) => ({ output: await posture.checkDomain(domainName(name)) }),
  }),

  'check.domains': look('check.domains', {
    area: 'domains',
    reach: { narrowed: true, cut: pageRowsOf(({ domain }: { readonly domain: string }) => [domain]) },
    title: 'Checks the local domains, a page at a time',
    input: {
      domains: Domains,
      after: Type.Optional(Text),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: CHECKED_DOMAINS })),
    },
    answer: PageAnswer(DomainPosture),
    run: async ({ admin, posture }, { domains, after, limit = CHECKED_DOMAINS }) => {
      const listed = await admin.listDomains({ domains, after, limit: limit + 1 });
      const { rows: names, ...rest } = pageOf(
        listed.map(({ name }) => name),
        limit,
        (name) => name,
      );
      return { output: { ...rest, rows: await posture.checkDomains(names) } };
    },
  }),
};
