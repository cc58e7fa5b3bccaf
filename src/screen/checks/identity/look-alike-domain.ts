/**
 * Look-alike domains: an untrusted domain that looks like one of ours, or like one that we often write to.
 *
 * Checks the domains of From and of the reverse-path. Our own domains, all below them, and domains that we really
 * write to are never suspected. Our correspondents are counted here, from outgoing mail with a return address
 * (automatic answers have none, and would let a sender make its own domain a correspondent).
 */
import type { Identities } from '../../../directory/addresses/identities.ts';
import type { ReversePath } from '../../../model/address.ts';
import { andThen, type MaybePromise } from '../../../model/maybe-promise.ts';
import { choice, count, defineSettings, domainsDoubt, list } from '../../../settings/define.ts';
import { type CheckServices, defineCheck, NOTHING, type Said, type Views } from '../../engine/check.ts';
import { isTrusted } from '../../sender/recipient-context.ts';
import { createDomainIndex, type DomainIndex, type DomainLikeness, type DomainMatch } from './domain-index.ts';
import { readHost } from './hosts.ts';
import { IDENTITY_LIMITS } from './limits.ts';

type Match = {
  readonly field: 'from' | 'reverse-path';
  readonly domain: string;
  readonly like: string;
  readonly isOwn: boolean;
  readonly how: DomainLikeness;
  /** `domain` is shown as it was written, with characters that no domain has: no setting allows that. */
  readonly isWritten?: true;
};
type Observation = { readonly made: true; readonly matches: readonly Match[] };
type NotMade = { readonly made: false; readonly why: 'trusted' };

const CLEAR: Observation = Object.freeze({ made: true, matches: NOTHING });
const TRUSTED: NotMade = Object.freeze({ made: false, why: 'trusted' });

export const lookAlikeSettings = defineSettings('lookAlikeDomain', {
  frequentMessages: count(
    5,
    { min: 1, max: 1000 },
    'So many messages to a domain make it a known correspondent: its own mail is never suspected, and domains that look like it are.',
  ),
  correspondents: choice(
    ['compare', 'ignore'],
    'compare',
    'Whether domains that look like those of known correspondents count, too, or only those that look like our lookAlikeSettings.',
    { scope: 'domain' },
  ),
  allowed: list([], 'Domains that only look alike: neither they nor what is below them is suspected.', {
    maxItems: 1000,
    doubt: domainsDoubt(true),
  }),
  ignoredKinds: list(
    [],
    'Kinds of likeness that do not count: any of `confusable` (letters that look alike), `edited` (one or two letters differ), `hyphens`, `added-words` (`example-login.net`), `other-suffix` (`example.net` for `example.com`), `embedded` (`example.com.other.net`).',
    { scope: 'domain', maxItems: 6, check: kindsOnly },
  ),
});

export const lookAlikeDomain = defineCheck({
  id: 'lookAlikeDomain',
  stage: 'message',
  guide: 'Look-alike domains',
  exempt: ['authenticated', 'domainMailServer', 'allowListed', 'ipShield'],
  clear: CLEAR,
  protects: true,
  suspects: true,
  policy: { enabled: true, action: 'accept', quarantine: 'user', score: 3 },
  codes: {
    'own-domain': 'the domain of the sender looks like one of ours',
    correspondent: 'the domain of the sender looks like one that we often write to',
  },
  settings: lookAlikeSettings,

  observe(view: Views['message'], services: CheckServices): MaybePromise<Observation | NotMade> {
    return andThen(services.identities(), (identities) =>
      andThen(view.sender, ({ kind }) => {
        if (!isTrusted(kind)) return look(view, identities, services);
        if (view.reversePath !== null) countOutgoing(view, identities, services);
        return TRUSTED;
      }),
    );
  },

  judge(seen, { correspondents, ignoredKinds, allowed }) {
    if (!seen.made) return NOTHING;
    for (const { field, domain, like, isOwn, how, isWritten } of seen.matches) {
      if (!isWritten && isAllowed(domain, allowed)) continue;
      if ((!isOwn && correspondents === 'ignore') || ignoredKinds.includes(how)) continue;
      const said: Said<'own-domain' | 'correspondent'> = {
        code: isOwn ? 'own-domain' : 'correspondent',
        text: `the domain ${domain} of the ${field === 'from' ? 'From field' : 'reverse-path'} looks like ${like} (${how})`,
      };
      return [said];
    }
    return NOTHING;
  },
});

const indexes = new WeakMap<Identities, { readonly frequent: readonly string[]; readonly index: DomainIndex }>();

/** Cached for each state of the directory and of the correspondents. */
function domainIndex(identities: Identities, frequent: readonly string[]): DomainIndex {
  const known = indexes.get(identities);
  if (known?.frequent === frequent) return known.index;
  const index = createDomainIndex(identities.domains, frequent);
  indexes.set(identities, { frequent, index });
  return index;
}

function look({ header, reversePath }: Views['message'], identities: Identities, services: CheckServices): Observation {
  const least = services.settings.current().get(lookAlikeSettings.frequentMessages);
  const index = domainIndex(identities, services.correspondents.frequent(least));
  const compared: string[] = [];
  const matches: Match[] = [];
  const compare = (field: Match['field'], domain: string): void => {
    if (compared.includes(domain)) return;
    compared.push(domain);
    const found = likenessOf(domain, index, least, services);
    if (found) matches.push({ field, domain, ...found });
  };
  const { mailboxes, domains } = header.author;
  for (const { domain, writtenDomain } of mailboxes) {
    const found = writtenDomain === undefined ? undefined : disguised(domain, index, least, services);
    if (!found) continue;
    matches.push({ field: 'from', domain: escaped(writtenDomain!), ...found, isWritten: true });
    compared.push(domain);
  }
  for (const domain of domains.slice(0, IDENTITY_LIMITS.authors)) compare('from', domain);
  const envelopeDomain = pathDomain(reversePath);
  if (envelopeDomain !== '') compare('reverse-path', envelopeDomain);
  return matches.length === 0 ? CLEAR : { made: true, matches: matches.slice(0, IDENTITY_LIMITS.authors) };
}

function likenessOf(
  domain: string,
  index: DomainIndex,
  least: number,
  { correspondents }: CheckServices,
): DomainMatch | undefined {
  const host = readHost(domain);
  if (!host || index.has(host) || correspondents.knows(host.registered, least)) return undefined;
  return index.find(host);
}

/** The domain reads as ours or a correspondent's, but is written with characters that no domain has. */
function disguised(
  domain: string,
  index: DomainIndex,
  least: number,
  { correspondents }: CheckServices,
): DomainMatch | undefined {
  const host = readHost(domain);
  if (!host) return undefined;
  const isOwn = index.isOwn(host);
  if (!isOwn && !index.has(host) && !correspondents.knows(host.registered, least)) return undefined;
  return { like: host.registered, isOwn, how: 'confusable' };
}

/** Printed unescaped, the difference would be invisible. */
function escaped(text: string): string {
  const shown = text.slice(0, IDENTITY_LIMITS.domainCharacters);
  return shown.replaceAll(/[^!-~]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

function isAllowed(domain: string, allowed: readonly string[]): boolean {
  return allowed.length > 0 && allowed.some((one) => isBelow(domain, one.toLowerCase()));
}

/** Each domain once a message. A message that is refused later counts, too. */
function countOutgoing({ envelope }: Views['message'], identities: Identities, services: CheckServices): void {
  const index = domainIndex(
    identities,
    services.correspondents.frequent(services.settings.current().get(lookAlikeSettings.frequentMessages)),
  );
  const counted = new Set<string>();
  for (const { address } of envelope.recipients.slice(0, IDENTITY_LIMITS.countedRecipients)) {
    const host = readHost(address.domain);
    if (!host || counted.has(host.registered) || index.isOwn(host)) continue;
    counted.add(host.registered);
    services.correspondents.count(host.registered);
  }
}

function pathDomain(path: ReversePath): string {
  return path === null ? '' : path.domain;
}

function isBelow(domain: string, top: string): boolean {
  return domain === top || domain.endsWith(`.${top}`);
}

const KINDS: readonly DomainLikeness[] = ['confusable', 'edited', 'hyphens', 'added-words', 'other-suffix', 'embedded'];

function kindsOnly(values: readonly string[]): string | undefined {
  return values.every((value) => (KINDS as readonly string[]).includes(value))
    ? undefined
    : `must be any of ${KINDS.join(', ')}`;
}
