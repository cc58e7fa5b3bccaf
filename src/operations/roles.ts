/**
 * Who may do what: a role allows to look or to act in areas, everywhere or in some domains. Only this matrix defines
 * that. An actor may have several grants; for an operation those count that allow it, with the domains of all of
 * them.
 */
import { ROLES, type Role } from '../model/role.ts';
import type { Area } from './areas.ts';

/** All, or these; local domains in the form in which they are stored. */
export type Domains = 'all' | readonly string[];

export interface Grant {
  readonly role: Role;
  readonly domains: Domains;
}

export interface Actor {
  /** For the audit: `cli:root`. */
  readonly name: string;
  readonly grants: readonly Grant[];
}

const L = ['look'] as const;
const LA = ['look', 'act'] as const;
const NONE = [] as const;

type Kinds = readonly ('look' | 'act')[];

/**
 * administrator: all. domain administrator: the users, mail, keys and settings of domains, not the servers, sources
 * and networks that the node trusts. operator (help desk): passwords, states, queued mail. auditor: looks at all,
 * changes nothing.
 */
const MATRIX: Readonly<Record<Area, Readonly<Record<Role, Kinds>>>> = {
  accounts: { administrator: LA, 'domain-administrator': LA, operator: L, auditor: L },
  domains: { administrator: LA, 'domain-administrator': L, operator: L, auditor: L },
  servers: { administrator: LA, 'domain-administrator': L, operator: L, auditor: L },
  'sign-in': { administrator: LA, 'domain-administrator': LA, operator: LA, auditor: L },
  signing: { administrator: LA, 'domain-administrator': LA, operator: L, auditor: L },
  queue: { administrator: LA, 'domain-administrator': LA, operator: LA, auditor: L },
  log: { administrator: LA, 'domain-administrator': L, operator: L, auditor: L },
  audit: { administrator: LA, 'domain-administrator': NONE, operator: NONE, auditor: L },
  settings: { administrator: LA, 'domain-administrator': LA, operator: L, auditor: L },
  rules: { administrator: LA, 'domain-administrator': LA, operator: L, auditor: L },
  reports: { administrator: LA, 'domain-administrator': L, operator: L, auditor: L },
  sources: { administrator: LA, 'domain-administrator': L, operator: L, auditor: L },
  administrators: { administrator: LA, 'domain-administrator': NONE, operator: NONE, auditor: L },
  operations: { administrator: LA, 'domain-administrator': LA, operator: LA, auditor: L },
  node: { administrator: LA, 'domain-administrator': NONE, operator: L, auditor: L },
};

/** Administrator of everything, as the owner of the data folder is. */
export function fullAdministrator(name: string): Actor {
  return { name, grants: [{ role: 'administrator', domains: 'all' }] };
}

export function isFullAdministrator({ grants }: Actor): boolean {
  return grants.some(({ role, domains }) => role === 'administrator' && domains === 'all');
}

/** Where an actor may do this; undefined: nowhere. */
export function domainsFor({ grants }: Actor, area: Area, kind: 'look' | 'act'): Domains | undefined {
  const allowing = grants.filter(({ role }) => MATRIX[area][role].includes(kind));
  if (allowing.length === 0) return undefined;
  const domains = allowing.map((grant) => grant.domains);
  return domains.includes('all') ? 'all' : [...new Set(domains.flat())];
}

/** Whether `actor` may do at least what the grant allows, in all its domains. */
export function covers(actor: Actor, grant: Grant): boolean {
  return actor.grants.some(
    ({ role, domains }) =>
      ROLES.indexOf(role) <= ROLES.indexOf(grant.role) &&
      (domains === 'all' || (grant.domains !== 'all' && grant.domains.every((domain) => domains.includes(domain)))),
  );
}

/** The grant of an account: an administrator of one domain has that domain's users and mail, not the node. */
export function grantOf({ role, domain }: { readonly role: Role; readonly domain?: string }): Grant {
  if (domain === undefined) return { role, domains: 'all' };
  return { role: role === 'administrator' ? 'domain-administrator' : role, domains: [domain] };
}
