/**
 * Makes a domain local when a default source confirms one of its users. Off by default, and guarded: the domain's MX
 * must lead here, the source must deny a random user (a catch-all or an open relay confirms everybody), and the
 * number of domains an hour is limited.
 */
import type { Address } from '../../model/address.ts';
import { makeAddress } from '../../protocol/smtp/address.ts';
import type { Settings } from '../../settings/contract.ts';
import type { Clock } from '../../world/clock.ts';
import type { Events } from '../../world/events.ts';
import type { Random } from '../../world/random.ts';
import { createCache } from '../cache.ts';
import type { Directory } from '../contract.ts';
import type { Answer } from './contract.ts';
import { DOMAIN_REFUSED_MS, NEGATIVE_ENTRIES } from './limits.ts';
import { searchUser } from './search.ts';
import { verificationSettings } from './settings.ts';
import type { KnownSource, SourceTable } from './table.ts';

/** Whether the mail exchangers of a domain are this node. */
export type PointsHere = (domain: string) => Promise<'yes' | 'no' | 'cannot-tell'>;

export interface DomainCreationServices {
  readonly directory: Pick<Directory, 'domain'>;
  readonly table: SourceTable;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
  readonly pointsHere: PointsHere;
  /** Makes it local. */
  readonly addDomain: (name: string) => Promise<void>;
}

export type Creation =
  | { readonly kind: 'created'; readonly answer: Extract<Answer, { kind: 'yes' }>; readonly source: KnownSource }
  | { readonly kind: 'refused' }
  | { readonly kind: 'cannot-tell' };

const HOUR_MS = 3_600_000;
const REFUSED = { kind: 'refused' } as const;
const CANNOT_TELL = { kind: 'cannot-tell' } as const;

export function createDomainCreation(services: DomainCreationServices) {
  const { directory, table, settings, clock, random, events, pointsHere, addDomain } = services;
  /** When a domain (or an address) may be checked again. */
  const refused = createCache<number>(NEGATIVE_ENTRIES);
  const made: number[] = [];
  let turn: Promise<unknown> = Promise.resolve();

  function refuse(key: string): Creation {
    refused.set(key, clock.monotonic() + DOMAIN_REFUSED_MS);
    return REFUSED;
  }

  function tooMany(): boolean {
    const now = clock.monotonic();
    while (made[0] !== undefined && now - made[0] > HOUR_MS) made.shift();
    return made.length >= settings.current().get(verificationSettings.createDomainsPerHour);
  }

  function putOff(domain: string): Creation {
    events.emit('verification.domain-refused', { domain, reason: 'too-many' });
    return CANNOT_TELL;
  }

  /** One after the other, so that the limit holds for simultaneous messages, and no domain is created twice. */
  function inTurn(make: () => Promise<Creation>): Promise<Creation> {
    const creation = turn.then(make);
    turn = creation.catch(() => {});
    return creation;
  }

  async function make(domain: string, created: Extract<Creation, { kind: 'created' }>): Promise<Creation> {
    if (await directory.domain(domain)) return created;
    if (tooMany()) return putOff(domain);
    made.push(clock.monotonic());
    await addDomain(domain);
    events.emit('verification.domain-created', { domain, source: created.source.id });
    return created;
  }

  /** Another user of the domain may have come a moment earlier: the domain counts once its turn is over. */
  async function isMadeNow(domain: string): Promise<boolean> {
    await turn;
    return (await directory.domain(domain)) !== undefined;
  }

  const isRefused = (key: string): boolean => (refused.get(key) ?? 0) > clock.monotonic();

  return {
    /** Whether a check is worthwhile: on, with a source to ask, and not refused a moment ago. */
    isPossible: ({ domain, local }: Address): boolean =>
      table.defaults.length > 0 &&
      settings.current().get(verificationSettings.createDomains) &&
      domain !== '' &&
      !domain.startsWith('[') &&
      !isRefused(domain) &&
      !isRefused(`${local.toLowerCase()}@${domain}`),

    /** Errors: those of the database. */
    async create(address: Address): Promise<Creation> {
      const { domain } = address;
      const here = await pointsHere(domain);
      if (here !== 'yes') return here === 'no' ? refuse(domain) : CANNOT_TELL;
      if (tooMany() && !(await isMadeNow(domain))) return putOff(domain);
      const outcome = await searchUser(table.defaults, address, clock);
      if (outcome.kind === 'cannot-tell') return CANNOT_TELL;
      const { answer, source } = outcome;
      if (answer.kind === 'no') return refuse(`${address.local.toLowerCase()}@${domain}`);
      const probe = await source.asker.verify(madeUpUser(domain, random));
      if (probe.kind === 'cannot-tell') return CANNOT_TELL;
      if (probe.kind === 'yes') {
        events.emit('verification.domain-refused', { domain, reason: 'catch-all' });
        return refuse(domain);
      }
      return inTurn(() => make(domain, { kind: 'created', answer, source }));
    },
  };
}

/** A source that confirms this user confirms anybody. */
export function madeUpUser(domain: string, random: Random): Address {
  return makeAddress(`no-such-user-${Buffer.from(random.bytes(10)).toString('hex')}`, domain);
}
