/**
 * Changing the lists and pairs: each change is checked and returned prepared. Errors: OperationalError
 * `rules.invalid`, `rules.exists`, `rules.missing`, `rules.local` (an allow entry that covers a local address),
 * `rules.doubtful` (probably a mistake, and `force` is not set).
 */

import { addressKey } from '../../model/address.ts';
import { OperationalError } from '../../model/errors.ts';
import { canonicalNetwork, parseNetworks } from '../../protocol/network/network.ts';
import { unsafeInLine } from '../../protocol/text/unsafe.ts';
import { changeOf } from '../../store/changes.ts';
import type { Database, PreparedChange } from '../../store/contract.ts';
import type { Clock } from '../../world/clock.ts';
import { anyAddress, domainName } from '../addresses/names.ts';
import type { Directory } from '../contract.ts';
import { type CsvRow, readCsv, writeCsv } from './csv.ts';
import { entryDoubt } from './doubts.ts';
import {
  COMMENT_CHARACTERS,
  DOMAIN_PATTERNS,
  LIST_ENTRIES,
  OPEN_PATTERNS,
  SHIELD_PAIRS,
  SHIELD_PATTERNS,
  SHIELD_PREFIX,
} from './limits.ts';
import { coversLocal, localDomains } from './local-allows.ts';
import { addressPattern, hasWildcards, hostPattern } from './pattern.ts';
import { toShield } from './rules.ts';
import type { ListEntryRow, ListKind, ListName, ShieldRow } from './schema.ts';
import { LOCAL_DOMAINS } from './shields.ts';
import { ruleStatements } from './statements.ts';

export interface NewEntry {
  readonly list: ListName;
  /** Absent: derived from the value, if possible (an address has an @, a network digits). */
  readonly kind?: ListKind;
  /** Absent: the whole node. A domain, or an account's address. */
  readonly owner?: string;
  readonly value: string;
  readonly comment?: string;
  /** A date or time. */
  readonly expires?: string;
  /** Takes an allow entry although it covers a local address. */
  readonly allowLocal?: boolean;
  /** Takes a value that is probably a mistake. */
  readonly force?: boolean;
}

export interface NewPair {
  readonly domain: string;
  readonly network: string;
  readonly comment?: string;
  readonly force?: boolean;
}

export interface EntryPage {
  readonly list?: ListName;
  readonly owner?: string;
  /** Only entries of these domains and their accounts. */
  readonly domains?: readonly string[];
  readonly after?: { readonly list: ListName; readonly owner: string; readonly kind: ListKind; readonly value: string };
  readonly limit: number;
}

export type RuleAdmin = ReturnType<typeof createRuleAdmin>;

export function createRuleAdmin(db: Database, directory: Pick<Directory, 'domain'>, clock: Clock) {
  const statements = ruleStatements(db.dialect);

  async function ownerOf(text = ''): Promise<string> {
    if (text.trim() === '') return '';
    const address = text.includes('@') ? anyAddress(text) : undefined;
    const domain = address?.domain ?? domainName(text);
    if (!(await directory.domain(domain)))
      throw new OperationalError(
        'rules.missing',
        `cannot use the owner ${text}, as its domain must be local: it is not`,
      );
    return address ? addressKey(address) : domain;
  }

  async function rowOf(entry: NewEntry, localNames: ReadonlySet<string>): Promise<ListEntryRow> {
    const kind = entry.kind ?? kindOf(entry.value);
    const value = entryValue(kind, entry.value);
    const comment = commentOf(entry.comment);
    const local = entry.list === 'allow' && kind === 'address' && coversLocal(value, localNames);
    if (local && !entry.allowLocal)
      throw new OperationalError(
        'rules.local',
        `cannot allow ${value}, as an allow entry must not cover local addresses (whoever forges one would pass), unless you insist (--allow-local)`,
      );
    if (!entry.force) mustBeMeant(entry.list, kind, entry.value);
    return {
      list: entry.list,
      kind,
      owner: await ownerOf(entry.owner),
      value,
      comment,
      expires_at: expiryOf(entry.expires, clock.now()),
      covers_local: local ? 1 : 0,
      created_at: clock.now(),
    };
  }

  async function mustFit(rows: readonly ListEntryRow[]): Promise<void> {
    const known = (await db.read(statements.countEntries({})))[0];
    const count = Number(known?.['n']) + rows.length;
    if (count > LIST_ENTRIES) throw invalid('add entries', `there must be at most ${LIST_ENTRIES}`, count);
    for (const row of rows.filter(({ kind, value }) => kind !== 'ip' && hasWildcards(value)))
      await mustFitPatterns(row, rows);
  }

  /** Patterns are compared one by one, so their number is bounded. */
  async function mustFitPatterns(row: ListEntryRow, added: readonly ListEntryRow[]): Promise<void> {
    const group = groupOf(row);
    if (group === undefined) return;
    const stored = (await db.read(statements.patternsOf(row))) as unknown as ListEntryRow[];
    const others = added.filter(({ list, owner }) => list === row.list && owner === row.owner);
    const values = new Set([...stored, ...others].filter((one) => groupOf(one) === group).map(({ value }) => value));
    const most = group === '' ? OPEN_PATTERNS : DOMAIN_PATTERNS;
    if (values.size > most)
      throw invalid(`add ${row.value}`, `there must be at most ${most} such patterns in one list`, values.size);
  }

  return {
    async addEntry(entry: NewEntry): Promise<{ readonly row: ListEntryRow; readonly change: PreparedChange }> {
      const row = await rowOf(entry, await localDomains(db));
      if ((await db.read(statements.entry(row))).length > 0)
        throw new OperationalError(
          'rules.exists',
          `cannot add ${row.value}, as it must be new: it is on the ${row.list} list already`,
        );
      await mustFit([row]);
      return { row, change: changeOf([statements.putEntry(row)]) };
    },

    async removeEntry(entry: Pick<NewEntry, 'list' | 'kind' | 'owner' | 'value'>) {
      const kind = entry.kind ?? kindOf(entry.value);
      const row = { list: entry.list, kind, owner: await ownerOf(entry.owner), value: entryValue(kind, entry.value) };
      if ((await db.read(statements.entry(row))).length === 0)
        throw new OperationalError(
          'rules.missing',
          `cannot remove ${row.value}, as it must be on the ${row.list} list: it is not`,
        );
      return { row, change: changeOf([statements.removeEntry(row)]) };
    },

    /** All or none; existing entries are replaced. `defaults`: for columns that the file does not have. */
    async importEntries(csv: string, defaults: Partial<Omit<NewEntry, 'value'>>) {
      const rows: ListEntryRow[] = [];
      const local = await localDomains(db);
      for (const row of readCsv(csv)) rows.push(await imported(row, defaults, local));
      await mustFit(rows);
      return { count: rows.length, change: changeOf(rows.map(statements.putEntry)) };
    },

    async entries({ list, owner, domains, after, limit }: EntryPage): Promise<readonly ListEntryRow[]> {
      const from = after ?? { list: '', owner: '', kind: '', value: '' };
      const whose = owner === undefined ? undefined : await ownerOf(owner);
      const found = await db.read(statements.page(list, whose, domains)({ ...from, limit }));
      return found.map((row) => ({ ...(row as unknown as ListEntryRow), covers_local: Number(row['covers_local']) }));
    },

    csv: (rows: readonly ListEntryRow[]): string =>
      writeCsv(
        rows.map(({ expires_at, ...row }) => ({
          ...row,
          expires: expires_at === null ? '' : new Date(Number(expires_at)).toISOString(),
        })),
      ),

    async addShield(input: NewPair) {
      const domain = shieldDomain(input.domain);
      const network = shieldNetwork(input.network);
      if (!input.force) {
        mustBeMeant('allow', 'host', domain);
        mustBeMeant('allow', 'ip', input.network);
      }
      const pairs = await shields();
      const known = pairs.find((pair) => pair.domain === domain && pair.network === network);
      if (known)
        throw new OperationalError('rules.exists', `cannot add the pair, as it must be new: it is pair ${known.id}`);
      const patterns = new Set(pairs.map((pair) => pair.domain).filter(hasWildcards));
      if (pairs.length >= SHIELD_PAIRS)
        throw invalid('add the pair', `there must be at most ${SHIELD_PAIRS}`, pairs.length);
      if (hasWildcards(domain) && patterns.add(domain).size > SHIELD_PATTERNS)
        throw invalid('add the pair', `there must be at most ${SHIELD_PATTERNS} domain patterns`, patterns.size);
      const id = pairs.reduce((highest, pair) => Math.max(highest, pair.id), 0) + 1;
      const row = { id, domain, network, comment: commentOf(input.comment), created_at: clock.now() };
      return { row, change: changeOf([statements.addShield(row)]) };
    },

    async removeShield(id: number): Promise<PreparedChange> {
      if (!(await shields()).some((pair) => pair.id === id))
        throw new OperationalError('rules.missing', `cannot remove pair ${id}, as it must be there: it is not`);
      return changeOf([statements.removeShield({ id })]);
    },

    shields,
  };

  async function shields(): Promise<readonly ShieldRow[]> {
    return (await db.read(statements.shields({}))).map(toShield);
  }

  async function imported(
    row: CsvRow,
    defaults: Partial<Omit<NewEntry, 'value'>>,
    local: ReadonlySet<string>,
  ): Promise<ListEntryRow> {
    const { line, value = '', list = defaults.list, kind = defaults.kind, owner = defaults.owner } = row;
    try {
      if (list !== 'allow' && list !== 'block') throw invalid('tell the list', 'it must be allow or block', list ?? '');
      const entry: NewEntry = {
        list,
        kind: kind === undefined || kind === '' ? undefined : knownKind(kind),
        owner,
        value,
        comment: row.comment ?? defaults.comment,
        expires: row.expires ?? defaults.expires,
        allowLocal: defaults.allowLocal,
        force: defaults.force,
      };
      return await rowOf(entry, local);
    } catch (error) {
      if (error instanceof OperationalError) throw new OperationalError(error.code, `line ${line}: ${error.message}`);
      throw error;
    }
  }
}

/** Patterns that are compared one by one: grouped by the literal domain, or together under ''. */
function groupOf({ kind, value }: Pick<ListEntryRow, 'kind' | 'value'>): string | undefined {
  if (kind === 'ip' || !hasWildcards(value)) return undefined;
  const domain = value.slice(value.lastIndexOf('@') + 1);
  const simple = !hasWildcards(domain) || (domain.startsWith('*.') && !hasWildcards(domain.slice(2)));
  const everybody = kind === 'host' || value.startsWith('*@');
  if (simple && everybody) return undefined;
  return hasWildcards(domain) ? '' : domain;
}

function knownKind(kind: string): ListKind {
  if (kind === 'address' || kind === 'host' || kind === 'ip') return kind;
  throw invalid('tell the kind', 'it must be address, host or ip', kind);
}

function kindOf(value: string): ListKind {
  if (value.includes('@')) return 'address';
  if (parseNetworks(value.trim())) return 'ip';
  throw invalid(
    `tell what ${value} is`,
    'its kind must be said: address (also for a whole domain), host or ip',
    'nothing',
  );
}

function entryValue(kind: ListKind, text: string): string {
  if (kind === 'ip') return networkOf(text);
  const value = kind === 'host' ? hostPattern(text) : addressPattern(text);
  if (value !== undefined) return value;
  const must = kind === 'host' ? 'a host name or *.domain' : 'user@domain, *@domain, a domain, or such with * and ?';
  throw invalid('use the entry', `it must be ${must}`, text);
}

function networkOf(text: string): string {
  const network = canonicalNetwork(text.trim());
  if (network !== undefined) return network;
  throw invalid('use the network', 'it must be an address, a CIDR such as 192.0.2.0/24, or IPv4 with * and ?', text);
}

/** `value`: as it was typed. */
function mustBeMeant(list: ListName, kind: ListKind, value: string): void {
  const must = entryDoubt(list, kind, value);
  if (must === undefined) return;
  throw new OperationalError(
    'rules.doubtful',
    `cannot ${list} ${value.trim()}, as it must be ${must}, unless you insist (--force)`,
  );
}

function shieldNetwork(text: string): string {
  const network = networkOf(text);
  if (parseNetworks(network)?.every(({ prefix }) => prefix >= SHIELD_PREFIX)) return network;
  throw invalid(
    'pair the network',
    `whoever is in it may send as the domain to everybody: its prefix must be at least ${SHIELD_PREFIX}`,
    text,
  );
}

function shieldDomain(text: string): string {
  if (text.trim().toUpperCase() === LOCAL_DOMAINS) return LOCAL_DOMAINS;
  const domain = hostPattern(text);
  if (domain !== undefined) return domain;
  throw invalid('use the domain', `it must be a domain, one with * and ?, or ${LOCAL_DOMAINS}`, text);
}

function commentOf(text = ''): string {
  const comment = text.trim();
  const unsafe = unsafeInLine(comment);
  if (unsafe !== undefined) throw invalid('use the comment', 'it must have no control characters', unsafe);
  if (comment.length <= COMMENT_CHARACTERS) return comment;
  throw invalid('use the comment', `it must have at most ${COMMENT_CHARACTERS} characters`, comment.length);
}

function expiryOf(text: string | undefined, now: number): number | null {
  if (text === undefined || text.trim() === '') return null;
  const at = Date.parse(text);
  if (at > now) return at;
  throw invalid('use the expiry', 'it must be a date or time to come (for example 2027-01-31)', text);
}

function invalid(what: string, must: string, current: unknown): OperationalError {
  return new OperationalError(
    'rules.invalid',
    `cannot ${what}, as ${must}: current value is ${current === '' ? 'empty' : current}`,
  );
}
