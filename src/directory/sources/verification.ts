/**
 * Verification: the directory with sources behind it. Known users cost nothing more; an unknown user of a domain with
 * sources is verified, once for all simultaneous questions, and becomes an account, a refusal that is cached for
 * minutes, or `cannot-tell`, which is neither.
 *
 * Users that a source once confirmed are verified again after hours: a deleted one is disabled. A mailbox that takes
 * no mail now is neither enrolled nor cached: the sender tries again.
 */
import { type Address, addressKey } from '../../model/address.ts';
import { andThen, isPromise, type MaybePromise } from '../../model/maybe-promise.ts';
import { looksLikeRelay, makeAddress, parseAddress } from '../../protocol/smtp/address.ts';
import type { Row } from '../../store/contract.ts';
import { createCache } from '../cache.ts';
import type { Account, Resolution } from '../contract.ts';
import type { OpenDirectory } from '../directory.ts';
import { directorySettings } from '../settings.ts';
import type { Asker } from '../sign-in/passwords/hashing.ts';
import type { Answer } from './contract.ts';
import { createDomainCreation, type PointsHere } from './domain-creation.ts';
import { createEnrolment, type EnrolServices } from './enrol.ts';
import { NEGATIVE_ENTRIES, VERIFIED_ENTRIES, VERIFY_AGAIN_MS } from './limits.ts';
import { type SearchOutcome, searchUser } from './search.ts';
import { verificationSettings } from './settings.ts';
import { createSignIn, type SignInAnswer } from './sign-in.ts';
import { sourceStatements } from './statements.ts';
import type { KnownSource, SourceTable } from './table.ts';

export interface VerificationServices extends EnrolServices {
  readonly table: SourceTable;
  readonly pointsHere: PointsHere;
  readonly addDomain: (name: string) => Promise<void>;
}

export interface Verification {
  /** The directory, which asks sources about unknown users. */
  readonly directory: OpenDirectory;
  /** A password that this node does not know; `username`: an address. Never rejects. */
  askSources(username: string, password: string, asker?: Asker, site?: string): Promise<SignInAnswer>;
}

const UNKNOWN_USER: Resolution = Object.freeze({ kind: 'unknown-user' });
const UNAVAILABLE: Readonly<Record<'disabled' | 'full', Resolution>> = {
  disabled: Object.freeze({ kind: 'unavailable', why: 'disabled' }),
  full: Object.freeze({ kind: 'unavailable', why: 'full' }),
};
const HOUR_MS = 3_600_000;
const NEVER = Number.POSITIVE_INFINITY;

export function createVerification(services: VerificationServices): Verification {
  const { database, directory, settings, clock, events, table } = services;
  const sql = sourceStatements(database.dialect);
  const enrolment = createEnrolment(sql, services);
  const creation = createDomainCreation(services);
  /** Until when an address is known not to exist. */
  const nobody = createCache<number>(NEGATIVE_ENTRIES);
  /** When an account was confirmed, or is to be tried again at the earliest; NEVER: it was made by hand. */
  const confirmedAt = createCache<number>(VERIFIED_ENTRIES);
  const underWay = new Map<string, Promise<Resolution>>();
  database.changes.subscribe(['account', 'verified_account'], (changes) => {
    if (changes.some(({ key }) => key === undefined)) confirmedAt.clear();
    else for (const { key } of changes) confirmedAt.delete(key!);
  });

  function judge(address: Address, resolution: Resolution, site?: string): MaybePromise<Resolution> {
    if (table.all.length === 0) return resolution;
    switch (resolution.kind) {
      case 'unknown-user':
        if (resolution.return || table.of(address.domain).length === 0) return resolution;
        return unknown(address, site);
      // A deleted user may be back, and so may an alias of such a user.
      case 'disabled':
        return table.of(address.domain).length === 0 ? resolution : unknown(address, site, resolution);
      case 'remote':
        if (!creation.isPossible(address) || looksLikeRelay(address)) return resolution;
        return once(`+${addressKey(address)}`, () => createDomain(address, resolution));
      case 'local':
        if (resolution.account) return known(address, resolution.account, resolution);
        return resolution.viaAlias ? knownTargets(address, resolution) : resolution;
      default:
        return resolution;
    }
  }

  function unknown(
    address: Address,
    site: string | undefined,
    otherwise: Resolution = UNKNOWN_USER,
  ): MaybePromise<Resolution> {
    // The version: answers of sources before a change do not count.
    const key = `${table.version} ${addressKey(address)}`;
    const until = nobody.get(key);
    if (until !== undefined && until > clock.monotonic()) return otherwise;
    return once(key, () => askAbout(address, key, site, otherwise));
  }

  /** Simultaneous questions get the same answer. */
  function once(key: string, ask: () => Promise<Resolution>): Promise<Resolution> {
    const asked = underWay.get(key);
    if (asked) return asked;
    const answer = ask()
      .catch((error: Error): Resolution => {
        events.emit('verification.failed', { address: key, error: error.message });
        return { kind: 'cannot-tell', reason: error.message };
      })
      .finally(() => underWay.delete(key));
    underWay.set(key, answer);
    return answer;
  }

  async function askAbout(
    address: Address,
    key: string,
    site: string | undefined,
    otherwise: Resolution,
  ): Promise<Resolution> {
    const there = await enrolment.account(addressKey(address));
    // Disabled by an administrator: no source is asked, and none would change it.
    if (there && !there.gone) return otherwise;
    const resolution = await ask(address, table.of(address.domain), site);
    if (resolution.kind === 'unknown-user') {
      const minutes = settings.current().get(verificationSettings.negativeMinutes);
      nobody.set(key, clock.monotonic() + minutes * 60_000);
    }
    return resolution;
  }

  async function ask(address: Address, sources: readonly KnownSource[], site?: string): Promise<Resolution> {
    const [outcome, found] = await search(address, sources, site);
    if (outcome.kind === 'cannot-tell') return unsure(address, outcome.reason);
    const { answer, source } = outcome;
    return answer.kind === 'no' ? UNKNOWN_USER : enrolled(address, found, answer, source.id);
  }

  async function enrolled(
    address: Address,
    found: Address,
    answer: Extract<Answer, { kind: 'yes' }>,
    source: number,
  ): Promise<Resolution> {
    if (answer.unavailable) return unavailable(address, answer.unavailable, source);
    await enrolment.enrol(found, answer, source);
    return directory.resolve(address);
  }

  function unavailable({ text }: Address, why: 'disabled' | 'full', source: number): Resolution {
    events.emit('verification.unavailable', { address: text, why, source });
    return UNAVAILABLE[why];
  }

  /** The address itself, then the mailbox that it is a sub-address of. */
  async function search(
    address: Address,
    sources: readonly KnownSource[],
    site?: string,
  ): Promise<readonly [SearchOutcome<Answer>, Address]> {
    const { local, domain } = address;
    const outcome = await searchUser(sources, address, clock, site);
    const separator = settings.current().get(directorySettings.subaddressSeparator, { domain });
    const at = separator === '' ? -1 : local.indexOf(separator);
    if (outcome.kind === 'cannot-tell' || outcome.answer.kind === 'yes' || at <= 0) return [outcome, address];
    const base = makeAddress(local.slice(0, at), domain);
    return [await searchUser(sources, base, clock, site), base];
  }

  function unsure(address: Address, reason: string): Resolution {
    const { domain } = address;
    if (settings.current().get(verificationSettings.whenUnsure, { domain }) === 'defer')
      return { kind: 'cannot-tell', reason };
    return { kind: 'local', targets: [address], viaAlias: false, unsure: reason };
  }

  async function createDomain(address: Address, remote: Resolution): Promise<Resolution> {
    const created = await creation.create(address);
    if (created.kind === 'cannot-tell')
      return { kind: 'cannot-tell', reason: `whether ${address.domain} is to be a local domain cannot be told now` };
    if (created.kind === 'refused') return remote;
    return enrolled(address, address, created.answer, created.source.id);
  }

  function known(address: Address, account: Account, resolution: Resolution): MaybePromise<Resolution> {
    if (table.of(account.domain).length === 0) return resolution;
    const at = confirmedAt.get(account.address) ?? readConfirmedAt(account.address);
    return isPromise(at)
      ? at.then((value) => knownSince(address, account, resolution, value))
      : knownSince(address, account, resolution, at);
  }

  /** The target of an alias may be due, too, and get no mail by another address. */
  function knownTargets(
    address: Address,
    resolution: Extract<Resolution, { kind: 'local' }>,
  ): MaybePromise<Resolution> {
    const answers = resolution.targets.map(knownTarget);
    if (!answers.some(isPromise)) return resolution;
    return Promise.all(answers).then(async ([first, ...others]) => {
      if (first?.kind === 'unavailable' && others.length === 0) return first;
      // A deleted user was disabled, and the alias may belong to another now.
      const now = await directory.resolve(address);
      return now.kind === 'unknown-user' || now.kind === 'disabled' ? judge(address, now) : now;
    });
  }

  function knownTarget(target: Address): MaybePromise<Resolution | undefined> {
    if (table.of(target.domain).length === 0) return undefined;
    return andThen(directory.resolve(target), (found) =>
      found.kind === 'local' && found.account ? known(target, found.account, found) : found,
    );
  }

  function readConfirmedAt(key: string): MaybePromise<number> {
    const statement = sql.account({ address: key });
    const keep = ([row]: readonly Row[]): number => {
      const at = row?.['verified_at'] == null ? NEVER : Number(row['verified_at']);
      confirmedAt.set(key, at);
      return at;
    };
    return database.readNow ? keep(database.readNow(statement)) : database.read(statement).then(keep);
  }

  function knownSince(
    address: Address,
    account: Account,
    resolution: Resolution,
    at: number,
  ): MaybePromise<Resolution> {
    const owner = { domain: account.domain };
    const snapshot = settings.current();
    if (clock.now() - at < snapshot.get(verificationSettings.reverifyHours, owner) * HOUR_MS) return resolution;
    if (!snapshot.get(verificationSettings.reverify, owner)) return resolution;
    return once(`=${account.address}`, () => confirm(address, account, resolution));
  }

  /** A due account. If the answer is unknown it stays, and is verified again soon. */
  async function confirm(address: Address, account: Account, resolution: Resolution): Promise<Resolution> {
    const { local, domain } = splitKey(account.address);
    const main = makeAddress(local, domain);
    const outcome = await searchUser(table.of(domain), main, clock);
    const hours = settings.current().get(verificationSettings.reverifyHours, { domain });
    if (outcome.kind === 'cannot-tell') {
      confirmedAt.set(account.address, clock.now() - hours * HOUR_MS + VERIFY_AGAIN_MS);
      return resolution;
    }
    const { answer, source } = outcome;
    // It stays due, and so is verified until it takes mail again.
    if (answer.kind === 'yes' && answer.unavailable) return unavailable(address, answer.unavailable, source.id);
    confirmedAt.delete(account.address);
    if (answer.kind === 'yes') {
      await enrolment.confirm(main, answer, source.id);
      return resolution;
    }
    await enrolment.deny(account.address, source.id);
    nobody.set(
      `${table.version} ${addressKey(address)}`,
      clock.monotonic() + settings.current().get(verificationSettings.negativeMinutes) * 60_000,
    );
    return UNKNOWN_USER;
  }

  /** The knowledge of this node and its other sources; nothing of it is cached, since the asker may know better. */
  async function resolveForSource(
    address: Address,
    known: Resolution,
    sources: readonly KnownSource[],
  ): Promise<Resolution> {
    const mayBeThere = known.kind === 'disabled' || (known.kind === 'unknown-user' && !known.return);
    if (!mayBeThere || sources.length === 0) return known;
    const there = await enrolment.account(addressKey(address));
    return there && !there.gone ? known : ask(address, sources);
  }

  const resolve = (address: Address, site?: string): MaybePromise<Resolution> =>
    andThen(directory.resolve(address), (resolution) => judge(address, resolution, site));

  const verifying: OpenDirectory = {
    ...directory,
    resolve,
    resolveFor(client, address) {
      const sources = table.of(address.domain);
      if (!sources.some(({ asker }) => asker.kind === 'minger')) return resolve(address);
      return othersThan(client, sources).then(async (others) => {
        if (others.length === sources.length) return resolve(address);
        const known = await directory.resolve(address);
        return once(`<${addressKey(address)}`, () => resolveForSource(address, known, others));
      });
    },
  };
  const signIn = createSignIn({ ...services, enrolment });
  return {
    directory: verifying,
    async askSources(username, password, asker, site) {
      const address = parseAddress(username);
      return address.ok ? signIn(address.value, password, asker, site) : 'none';
    },
  };
}

function splitKey(key: string): { readonly local: string; readonly domain: string } {
  const at = key.lastIndexOf('@');
  return { local: key.slice(0, at), domain: key.slice(at + 1) };
}

/** Two servers may be each other's source: the one that asks is not asked back. */
async function othersThan(client: string, sources: readonly KnownSource[]): Promise<readonly KnownSource[]> {
  const isAsker = await Promise.all(sources.map(({ asker }) => asker.isAt(client)));
  return sources.filter((_, i) => !isAsker[i]);
}
