/**
 * A user confirmed by a source becomes an account: one under the main address, and aliases for the other addresses.
 * One unit of the database, with the welcome mail, so that neither exists without the other. Accounts that an
 * administrator made or disabled are left as they are.
 *
 * An answer that lists a user's addresses is the whole list: aliases that a source gave and no longer names are
 * removed.
 */
import { type Address, addressKey } from '../../model/address.ts';
import { makeAddress, parseAddress } from '../../protocol/smtp/address.ts';
import type { Settings } from '../../settings/contract.ts';
import type { Database, Statement } from '../../store/contract.ts';
import { outboxStatements } from '../../store/outbox.ts';
import type { Clock } from '../../world/clock.ts';
import type { Events } from '../../world/events.ts';
import type { Random } from '../../world/random.ts';
import { parseTargets } from '../addresses/lookup.ts';
import type { Resolution } from '../contract.ts';
import type { OpenDirectory } from '../directory.ts';
import { NAME_CHARACTERS } from '../limits.ts';
import { directorySettings } from '../settings.ts';
import type { Answer } from './contract.ts';
import { ALIASES_OF_ONE, WELCOMES_PER_HOUR } from './limits.ts';
import { verificationSettings } from './settings.ts';
import type { SourceStatements } from './statements.ts';
import { welcomeLetter } from './welcome.ts';

export interface EnrolServices {
  readonly database: Database;
  readonly directory: OpenDirectory;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
  readonly hostname: string;
}

/** An account, with what a source confirmed about it. */
export interface StoredAccount {
  readonly state: 'active' | 'frozen' | 'disabled';
  /** Undefined: it was made by hand. */
  readonly verifiedAt: number | undefined;
  readonly gone: boolean;
}

export interface Enrolment {
  account(key: string): Promise<StoredAccount | undefined>;
  /** The user's main address, if it is local, else the given one. */
  mainAddress(address: Address, primary: string | undefined): Promise<Address>;
  /** Errors: those of the database. */
  enrol(address: Address, answer: Extract<Answer, { kind: 'yes' }>, source: number): Promise<void>;
  /** The source confirms or denies an existing account. */
  confirm(account: Address, answer: Extract<Answer, { kind: 'yes' }>, source: number): Promise<void>;
  deny(key: string, source: number): Promise<void>;
}

interface AliasChanges {
  readonly statements: readonly Statement[];
  /** The keys of all rows that change. */
  readonly keys: readonly string[];
  readonly added: number;
  readonly removed: number;
}

const HOUR_MS = 3_600_000;

export function createEnrolment(sql: SourceStatements, services: EnrolServices): Enrolment {
  const { database, directory, settings, clock, random, events, hostname } = services;
  const outbox = outboxStatements(database.dialect);
  const underWay = new Map<string, Promise<void>>();
  let welcomes = { since: clock.monotonic(), count: 0 };

  async function account(key: string): Promise<StoredAccount | undefined> {
    const [row] = await database.read(sql.account({ address: key }));
    if (!row) return undefined;
    const verifiedAt = row['verified_at'] === null ? undefined : Number(row['verified_at']);
    return { state: row['state'] as StoredAccount['state'], verifiedAt, gone: Number(row['gone'] ?? 0) !== 0 };
  }

  /** Its alias leads to an account that an administrator disabled, or it is a sub-address of such an account. */
  async function isOfDisabled(address: Address): Promise<boolean> {
    const { local, domain } = address;
    const [alias] = await database.read(sql.alias({ address: addressKey(address) }));
    const separator = settings.current().get(directorySettings.subaddressSeparator, { domain });
    const at = separator === '' ? -1 : local.indexOf(separator);
    const mailbox = at > 0 ? [makeAddress(local.slice(0, at), domain)] : [];
    for (const owner of alias ? parseTargets(alias['targets'] as string) : mailbox) {
      const known = await account(addressKey(owner));
      if (known?.state === 'disabled' && !known.gone) return true;
    }
    return false;
  }

  async function mainAddress(address: Address, primary: string | undefined): Promise<Address> {
    const parsed = primary === undefined ? undefined : parseAddress(primary);
    if (!parsed?.ok || addressKey(parsed.value) === addressKey(address)) return address;
    return (await directory.domain(parsed.value.domain))?.enabled ? parsed.value : address;
  }

  /** The changes that make its aliases equal to the source's; `asked`: confirmed a moment ago, if not listed. */
  async function aliasChanges(
    main: Address,
    { primary, aliases }: Extract<Answer, { kind: 'yes' }>,
    asked: Address | undefined,
  ): Promise<AliasChanges> {
    const account = addressKey(main);
    const listed = addressesOf([primary, asked?.text, ...(aliases ?? [])]);
    listed.delete(account);
    const isWhole = aliases !== undefined && aliases.length < ALIASES_OF_ONE;
    const given = isWhole ? await database.read(sql.aliasesOf({ account })) : [];
    const removed = given.map((row) => row['address'] as string).filter((key) => !listed.has(key));
    const added: string[] = [];
    const statements = removed.map((address) => sql.removeAlias({ address, account }));
    const made = { targets: JSON.stringify([main.text]), account, at: clock.now() };
    for (const [key, alias] of listed) {
      // Only those that lead to nobody yet.
      if (!leadsNowhere(await directory.resolve(alias))) continue;
      added.push(key);
      statements.push(sql.addAlias({ address: key, domain: alias.domain, ...made }));
    }
    return { statements, keys: [...added, ...removed], added: added.length, removed: removed.length };
  }

  function welcome(main: Address): readonly Statement[] {
    const snapshot = settings.current();
    const { domain } = main;
    if (!snapshot.get(verificationSettings.welcome, { domain }) || !mayWelcome()) return [];
    const text = snapshot.get(verificationSettings.welcomeText, { domain });
    const id = Buffer.from(random.bytes(12)).toString('hex');
    return [outbox.letter(welcomeLetter(main, { hostname, text, at: clock.now(), id }))];
  }

  function mayWelcome(): boolean {
    const now = clock.monotonic();
    if (now - welcomes.since > HOUR_MS) welcomes = { since: now, count: 0 };
    return welcomes.count++ < WELCOMES_PER_HOUR;
  }

  async function write(
    address: Address,
    main: Address,
    answer: Extract<Answer, { kind: 'yes' }>,
    source: number,
  ): Promise<void> {
    const key = addressKey(main);
    const at = clock.now();
    const there = await account(key);
    // No source enables an account that an administrator disabled.
    if (there?.state === 'disabled' && !there.gone) return;
    // An alias that leads elsewhere, or a role.
    if (!there && !leadsNowhere(await directory.resolve(main))) return;
    if (!there && (await isOfDisabled(main))) return;
    const aliases = await aliasChanges(main, answer, address);
    const name = answer.displayName?.trim().slice(0, NAME_CHARACTERS) || null;
    const statements = [...aliases.statements];
    if (!there) statements.push(sql.addAccount({ address: key, domain: main.domain, name, at }), ...welcome(main));
    if (there?.gone) statements.push(sql.setState({ address: key, state: 'active' }));
    if (!there || there.verifiedAt !== undefined)
      statements.push(sql.verified({ address: key, source, verified_at: at, gone: 0 }));
    if (statements.length > 0) await database.write(statements);
    if (!there) events.emit('verification.account-created', { address: key, source });
    if (there?.gone) events.emit('verification.account-restored', { address: key, source });
  }

  return {
    account,
    mainAddress,
    async enrol(address, answer, source) {
      const main = await mainAddress(address, answer.primary);
      const key = addressKey(main);
      // Several of a user's addresses may be confirmed at the same moment: one account, one welcome.
      const turn = (underWay.get(key) ?? Promise.resolve()).then(() => write(address, main, answer, source));
      const last = turn.catch(() => {});
      underWay.set(key, last);
      try {
        await turn;
      } finally {
        if (underWay.get(key) === last) underWay.delete(key);
      }
    },
    async confirm(account, answer, source) {
      const key = addressKey(account);
      const aliases = await aliasChanges(account, answer, undefined);
      const row = { address: key, source, verified_at: clock.now(), gone: 0 };
      await database.write([sql.verified(row), ...aliases.statements]);
      if (aliases.keys.length === 0) return;
      const { added, removed } = aliases;
      events.emit('verification.aliases-changed', { address: key, source, added, removed });
    },
    async deny(key, source) {
      const row = { address: key, source, verified_at: clock.now(), gone: 1 };
      await database.write([sql.setState({ address: key, state: 'disabled' }), sql.verified(row)]);
      events.emit('verification.account-disabled', { address: key, source });
    },
  };
}

/** By key; invalid addresses are left out. */
function addressesOf(texts: readonly (string | undefined)[]): Map<string, Address> {
  const addresses = new Map<string, Address>();
  for (const text of texts) {
    const parsed = text === undefined ? undefined : parseAddress(text);
    if (parsed?.ok) addresses.set(addressKey(parsed.value), parsed.value);
  }
  return addresses;
}

/** Nobody gets mail under it now; the address of a deleted user may be given to another, or come back. */
function leadsNowhere({ kind }: Resolution): boolean {
  return kind === 'unknown-user' || kind === 'disabled';
}
