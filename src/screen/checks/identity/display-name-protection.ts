/**
 * Display-name protection: an untrusted sender who writes under the name of one of our people.
 *
 * Every text that readers may show as a name in From is compared with the people whom the administrator protects, and
 * with the named accounts of the directory. A sender that uses one of the person's own addresses counts as that
 * person here: SPF, DKIM and DMARC decide whether the address is forged. Colleagues do write from private addresses,
 * so at free-mail providers only the names entered by hand have more weight.
 */
import type { Identities } from '../../../directory/addresses/identities.ts';
import type { HeaderEdit } from '../../../model/content.ts';
import { andThen, type MaybePromise } from '../../../model/maybe-promise.ts';
import { choice, count, defineSettings, domainsDoubt, flag, list } from '../../../settings/define.ts';
import {
  type CheckServices,
  defineCheck,
  NOTHING,
  type Said,
  type SettingValues,
  type Views,
} from '../../engine/check.ts';
import { FREE_MAIL_DOMAINS } from './free-mail.ts';
import { IDENTITY_LIMITS } from './limits.ts';
import { decodeName, readName } from './names.ts';
import { accountIndex, namedIndex, readProtectedUser } from './people.ts';
import { LEAST_SIMILARITY, type Likeness, OWN_NAME, type PersonMatch } from './person-index.ts';
import { type ShownName, shownNames } from './shown-names.ts';

type Like = { readonly like: string; readonly how: Likeness; readonly similarity: number };
/** One name that readers may show: the facts that judging needs to compare it with people named in settings. */
type Shown = {
  /** Decoded. */
  readonly shown: string;
  readonly address: string;
  /** Accounts with a similar name. */
  readonly accounts: readonly Like[];
  /** The address belongs to the account of that name. */
  readonly isOwn?: true;
};
type Observation = { readonly names: readonly Shown[] };

type Match = Like & {
  readonly shown: string;
  readonly address: string;
  /** Entered by the administrator, not taken from the directory. */
  readonly isNamed: boolean;
  readonly isFreeMail: boolean;
};

const CLEAR: Observation = Object.freeze({ names: NOTHING });
const NO_EDITS: readonly HeaderEdit[] = NOTHING;

const own = defineSettings('displayNameProtection', {
  protectedUsers: list(
    [],
    'People under whose names strangers may not write, each with all addresses they write from: `Jane Doe <jane@example.com>, jane.doe@home.example`.',
    {
      maxItems: IDENTITY_LIMITS.protectedUsers,
      check: (lines) => {
        const wrong = lines.find((line) => !readProtectedUser(line));
        return wrong === undefined
          ? undefined
          : `must be a list of names with addresses, such as "Jane Doe <jane@example.com>", and "${wrong}" is none`;
      },
    },
  ),
  directoryNames: flag(true, 'Protects the names of all accounts that have one (`postern user set-name`), too.', {
    scope: 'domain',
  }),
  threshold: count(
    92,
    { min: LEAST_SIMILARITY, max: 100 },
    'How similar a name must be, in percent (Jaro-Winkler, after look-alike letters are made equal); 100 takes only equal ones.',
    { scope: 'domain' },
  ),
  freeMailThreshold: count(
    88,
    { min: LEAST_SIMILARITY, max: 100 },
    'The same for senders at free-mail providers, where anybody gets an address under any name.',
    { scope: 'domain' },
  ),
  freeMailAction: choice(
    ['same', 'refuse', 'quarantine', 'accept'],
    'quarantine',
    'What happens to a message from a free-mail provider under the name of a protected user (not of a mere account, as colleagues write from private addresses): `same` is the action of the check.',
    { scope: 'domain' },
  ),
  freeMailProviders: list(FREE_MAIL_DOMAINS, 'The domains of free-mail providers.', { maxItems: 1000 }),
  allowedSenders: list(
    [],
    'Senders who may write under such names: an address, a domain (`lists.example`), or one with all below it (`*.lists.example`).',
    { maxItems: 1000, doubt: domainsDoubt(false) },
  ),
  warningHeader: flag(true, 'Marks the message with a field `X-DisplayName-Spoof`, for Sieve and mail programs.', {
    scope: 'domain',
  }),
});

export const displayNameProtection = defineCheck({
  id: 'displayNameProtection',
  stage: 'message',
  guide: 'Display Name Protection',
  exempt: ['authenticated', 'domainMailServer', 'allowListed', 'ipShield'],
  clear: CLEAR,
  protects: true,
  lazy: true,
  suspects: true,
  policy: { enabled: true, action: 'accept', quarantine: 'user', score: 3 },
  codes: {
    'protected-user': 'a stranger writes under the name of a protected user',
    'directory-name': 'a stranger writes under the name of an account',
  },
  settings: own,

  observe({ header }: Views['message'], services: CheckServices): MaybePromise<Observation> {
    const names = shownNames(header.author);
    if (names.length === 0) return CLEAR;
    return andThen(services.identities(), (identities) => look(names, identities));
  },

  judge(seen, settings) {
    for (const match of matchesOf(seen, settings)) {
      if (!isMeant(match, settings)) continue;
      const action = match.isNamed && match.isFreeMail ? freeMailAction(settings.freeMailAction) : undefined;
      const said: Said<'protected-user' | 'directory-name'> = {
        code: match.isNamed ? 'protected-user' : 'directory-name',
        text: `"${match.shown}" <${match.address}> is like ${match.like} (${match.how}, ${match.similarity} %)`,
        ...(action && { action }),
      };
      return [said];
    }
    return NOTHING;
  },

  edits(seen, settings, { direction }) {
    if (!settings.warningHeader || direction === 'outbound') return NO_EDITS;
    const match = matchesOf(seen, settings).find((one) => isMeant(one, settings));
    return match ? warning(match) : NO_EDITS;
  },
});

function look(names: readonly ShownName[], identities: Identities): Observation {
  const index = accountIndex(identities);
  return {
    names: names.map(({ name: written, address }) => {
      const shown = decodeName(written);
      const found = index.match(readName(shown), address);
      if (found === OWN_NAME) return { shown, address, accounts: NOTHING, isOwn: true };
      return { shown, address, accounts: found.length === 0 ? NOTHING : found.map(likeOf) };
    }),
  };
}

function likeOf({ person, how, similarity }: PersonMatch): Like {
  return { like: person.name, how, similarity };
}

type PeopleSettings = Pick<SettingValues<typeof own>, 'protectedUsers' | 'freeMailProviders' | 'allowedSenders'>;

const compared = new WeakMap<Observation, PeopleSettings & { readonly matches: readonly Match[] }>();

/** Cached: recipients with the same settings share one comparison, and judging shares it with editing. */
function matchesOf(seen: Observation, settings: PeopleSettings): readonly Match[] {
  const known = compared.get(seen);
  const { protectedUsers, freeMailProviders, allowedSenders } = settings;
  if (
    known?.protectedUsers === protectedUsers &&
    known.freeMailProviders === freeMailProviders &&
    known.allowedSenders === allowedSenders
  )
    return known.matches;
  const matches = compare(seen, settings);
  compared.set(seen, { protectedUsers, freeMailProviders, allowedSenders, matches });
  return matches;
}

/** Named people come first. */
function compare({ names }: Observation, settings: PeopleSettings): readonly Match[] {
  const named = settings.protectedUsers.length === 0 ? undefined : namedIndex(settings.protectedUsers);
  const freeMail = lowerSet(settings.freeMailProviders);
  const allowed = lowerSet(settings.allowedSenders);
  const matches: Match[] = [];
  for (const { shown, address, accounts, isOwn } of names) {
    const people = named?.match(readName(shown), address) ?? NOTHING;
    if (isOwn || people === OWN_NAME || people.length + accounts.length === 0) continue;
    const domain = address.slice(address.lastIndexOf('@') + 1);
    if (isAllowed(address, domain, allowed)) continue;
    const isFreeMail = freeMail.has(domain);
    const add = (one: Like, isNamed: boolean) => matches.push({ ...one, shown, address, isNamed, isFreeMail });
    for (const one of people) add(likeOf(one), true);
    for (const one of accounts) add(one, false);
  }
  return matches.sort((a, b) => Number(b.isNamed) - Number(a.isNamed)).slice(0, IDENTITY_LIMITS.matches);
}

const sets = new WeakMap<readonly string[], ReadonlySet<string>>();

/** Cached for each value of a setting. */
function lowerSet(list: readonly string[]): ReadonlySet<string> {
  let set = sets.get(list);
  if (!set) {
    set = new Set(list.map((one) => one.toLowerCase()));
    sets.set(list, set);
  }
  return set;
}

function isAllowed(address: string, domain: string, allowed: ReadonlySet<string>): boolean {
  if (allowed.size === 0) return false;
  if (allowed.has(address) || allowed.has(domain)) return true;
  for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1))
    if (allowed.has(`*${domain.slice(dot)}`)) return true;
  return false;
}

function isMeant(
  { isNamed, isFreeMail, similarity }: Match,
  settings: { readonly directoryNames: boolean; readonly threshold: number; readonly freeMailThreshold: number },
): boolean {
  if (!isNamed && !settings.directoryNames) return false;
  return similarity >= (isFreeMail && isNamed ? settings.freeMailThreshold : settings.threshold);
}

function freeMailAction(action: 'same' | 'refuse' | 'quarantine' | 'accept') {
  if (action === 'same') return undefined;
  return action === 'quarantine' ? 'quarantine-user' : action;
}

const warnings = new Map<string, readonly HeaderEdit[]>();

/** There are few values, so equal copies share one list. */
function warning({ how, similarity }: Match): readonly HeaderEdit[] {
  const raw = `X-DisplayName-Spoof: ${how}; similarity=${similarity}\r\n`;
  let edits = warnings.get(raw);
  if (!edits) {
    edits = [{ kind: 'prepend', raw }];
    warnings.set(raw, edits);
  }
  return edits;
}
