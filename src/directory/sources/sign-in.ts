/**
 * Dynamic authentication: a password that this node does not know is checked at the domain's sources.
 *
 * A right password is cached for minutes, as a hash under a key of this process; a wrong one is not, and nothing is
 * stored. Sign-ins under way have a bound, since unknown clients could send any number; cached ones do not count, and
 * known clients have a bound of their own. Once half of it is taken, a site has no more than its part.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Address, addressKey } from '../../model/address.ts';
import type { Settings } from '../../settings/contract.ts';
import type { Clock } from '../../world/clock.ts';
import type { Random } from '../../world/random.ts';
import { createCache } from '../cache.ts';
import type { OpenDirectory } from '../directory.ts';
import type { Asker } from '../sign-in/passwords/hashing.ts';
import type { PasswordAnswer } from './contract.ts';
import type { Enrolment } from './enrol.ts';
import { PASSWORD_BYTES, PASSWORD_ENTRIES, SIGN_INS_AT_ONCE, SIGN_INS_OF_SITE } from './limits.ts';
import { type SearchOutcome, searchPassword } from './search.ts';
import { verificationSettings } from './settings.ts';
import type { SourceTable } from './table.ts';

/** The password is right; `user`: the key of the user's main address. */
export interface Confirmed {
  readonly user: string;
}

/** `none`: no source of the domain has passwords, or they may not be asked. */
export type SignInAnswer = Confirmed | 'no' | 'cannot-tell' | 'none';

/** Never rejects. */
export type SignIn = (address: Address, password: string, asker?: Asker, site?: string) => Promise<SignInAnswer>;

export interface SignInServices {
  readonly table: SourceTable;
  readonly directory: OpenDirectory;
  readonly enrolment: Enrolment;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
}

interface Remembered extends Confirmed {
  readonly digest: Buffer;
  readonly until: number;
}

export function createSignIn(services: SignInServices): SignIn {
  const { table, directory, enrolment, settings, clock, random } = services;
  const processKey = random.bytes(32);
  const remembered = createCache<Remembered>(PASSWORD_ENTRIES);
  const underWay: Record<Asker, number> = { known: 0, unknown: 0 };
  /** Of unknown clients. */
  const ofSite = new Map<string, number>();

  async function ask(address: Address, password: string, who: Asker, site: string): Promise<SignInAnswer> {
    const key = addressKey(address);
    const there = await enrolment.account(key);
    if (there?.state === 'disabled' && !there.gone) return 'no';
    // The list of sources is in the digest: after a change of it all passwords are checked again.
    const digest = createHmac('sha256', processKey).update(`${table.version}\0${key}\0${password}`).digest();
    const known = remembered.get(key);
    if (known && known.until > clock.monotonic() && timingSafeEqual(known.digest, digest)) return { user: known.user };
    const outcome = await askEach(address, password, who, site);
    if (outcome.kind === 'cannot-tell') return 'cannot-tell';
    if (outcome.answer.kind === 'no') return 'no';
    if (!there || there.gone) await enrolment.enrol(address, outcome.answer, outcome.source.id);
    const user = addressKey(await enrolment.mainAddress(address, outcome.answer.primary));
    const minutes = settings.current().get(verificationSettings.signInMinutes);
    remembered.set(key, { digest, user, until: clock.monotonic() + minutes * 60_000 });
    return { user };
  }

  function hasRoom(who: Asker, site: string): boolean {
    if (who === 'known' || underWay.unknown < SIGN_INS_AT_ONCE / 2) return underWay[who] < SIGN_INS_AT_ONCE;
    return underWay.unknown < SIGN_INS_AT_ONCE && (ofSite.get(site) ?? 0) < SIGN_INS_OF_SITE;
  }

  function count(who: Asker, site: string, by: 1 | -1): void {
    underWay[who] += by;
    if (who === 'known') return;
    const now = (ofSite.get(site) ?? 0) + by;
    if (now > 0) ofSite.set(site, now);
    else ofSite.delete(site);
  }

  async function askEach(
    address: Address,
    password: string,
    who: Asker,
    site: string,
  ): Promise<SearchOutcome<PasswordAnswer>> {
    if (!hasRoom(who, site)) return { kind: 'cannot-tell', reason: 'too many sign-ins are being asked about' };
    count(who, site, 1);
    try {
      const able = table.of(address.domain).filter(({ asker }) => asker.knowsPasswords);
      return await searchPassword(able, address, password, clock, site);
    } finally {
      count(who, site, -1);
    }
  }

  return async (address, password, who = 'unknown', site = '') => {
    const { domain } = address;
    // RFC 4513 5.1.2: an empty password would be accepted, for any name.
    if (password === '' || Buffer.byteLength(password) > PASSWORD_BYTES) return 'no';
    if (!settings.current().get(verificationSettings.signIn, { domain })) return 'none';
    if (!table.of(domain).some(({ asker }) => asker.knowsPasswords)) return 'none';
    try {
      if (!(await directory.domain(domain))?.enabled) return 'none';
      return await ask(address, password, who, site);
    } catch {
      // A failing database; a fault of a source is an answer already.
      return 'cannot-tell';
    }
  };
}
