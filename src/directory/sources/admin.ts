/**
 * Changing the sources, and testing them. Each change is returned prepared; once it is written the sources are read
 * anew, which drops all cached answers. Errors: OperationalError `directory.invalid`, `directory.missing`.
 */
import { type Address, addressKey } from '../../model/address.ts';
import { OperationalError } from '../../model/errors.ts';
import { changeOf } from '../../store/changes.ts';
import type { Database, PreparedChange, Statement } from '../../store/contract.ts';
import type { Secrets } from '../../store/secrets.ts';
import { unchangedRow } from '../../store/unchanged.ts';
import type { Clock } from '../../world/clock.ts';
import type { Random } from '../../world/random.ts';
import { domainName } from '../addresses/names.ts';
import type { Directory } from '../contract.ts';
import type { Answer } from './contract.ts';
import { defineSource, type GivenOptions, type SourceKind } from './definition.ts';
import { createDialogue } from './dialogue.ts';
import { madeUpUser } from './domain-creation.ts';
import { SOURCES } from './limits.ts';
import { type SearchOutcome, searchUser } from './search.ts';
import { sourceStatements } from './statements.ts';
import { type KnownSource, type SourceTable, secretName, sourceOf } from './table.ts';

export interface SourceDraft {
  readonly description?: string;
  readonly options?: GivenOptions;
  /** The password, shared secret or client secret; empty removes it. */
  readonly secret?: string;
  readonly isDefault?: boolean;
  readonly domains?: readonly string[];
}

export interface ListedSource {
  readonly id: number;
  readonly kind: SourceKind;
  readonly description: string;
  readonly options: GivenOptions;
  readonly hasSecret: boolean;
  readonly isDefault: boolean;
  readonly domains: readonly string[];
}

export interface Explained {
  readonly source: number;
  readonly kind: SourceKind;
  readonly description: string;
  readonly dialogue: readonly string[];
}

export interface VerifiedAddress {
  readonly address: string;
  readonly answer: 'yes' | 'no' | 'cannot-tell';
  readonly reason?: string;
  readonly primary?: string;
  readonly aliases?: readonly string[];
  readonly displayName?: string;
  readonly unavailable?: 'disabled' | 'full';
  /** The sources that were asked, in order. */
  readonly asked: readonly Explained[];
}

/** The results of a test: for the given address, and for one that cannot exist. */
export interface TriedSource {
  readonly answer: VerifiedAddress;
  /** It confirms a random user: a catch-all or an open relay. */
  readonly confirmsAnybody: boolean;
}

export interface SourceAdmin {
  list(): Promise<readonly ListedSource[]>;
  add(kind: SourceKind, draft: SourceDraft): Promise<{ readonly id: number; readonly change: PreparedChange }>;
  edit(id: number, draft: Omit<SourceDraft, 'domains'>): Promise<PreparedChange>;
  remove(id: number): Promise<PreparedChange>;
  /** For units that rely on what was read of it (store/unchanged.ts). */
  unchanged(id: number): Promise<readonly Statement[]>;
  /** The whole list of a domain, in order; empty: the default ones. */
  assign(domain: string, ids: readonly number[]): Promise<PreparedChange>;
  /** Asks one source, without changing anything. */
  test(id: number, address: Address): Promise<TriedSource>;
  /** Asks as at RCPT, without changing anything. */
  verify(address: Address): Promise<VerifiedAddress>;
}

export interface SourceAdminServices {
  readonly database: Database;
  readonly directory: Pick<Directory, 'domain'>;
  readonly table: SourceTable;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly random: Random;
}

export function createSourceAdmin(services: SourceAdminServices): SourceAdmin {
  const { database, directory, table, secrets, clock, random } = services;
  const sql = sourceStatements(database.dialect);

  const sealed = (id: number, secret: string | undefined, before: string | null): string | null => {
    if (secret === undefined) return before;
    return secret === '' ? null : secrets.seal(secretName(id), Buffer.from(secret));
  };

  async function mustBeLocal(text: string): Promise<string> {
    const domain = domainName(text);
    if (await directory.domain(domain)) return domain;
    throw new OperationalError('directory.missing', `cannot find the domain ${domain}, as it must be added first`);
  }

  function mayHave(domain: string, count: number): void {
    if (count <= SOURCES.ofDomain) return;
    const why = `a domain must have at most ${SOURCES.ofDomain}: it would have ${count}`;
    throw new OperationalError('directory.invalid', `cannot assign sources to ${domain}, as ${why}`);
  }

  async function ask(sources: readonly KnownSource[], address: Address): Promise<VerifiedAddress> {
    const asked: Explained[] = [];
    const outcome = await searchUser(
      sources,
      address,
      clock,
      undefined,
      ({ id, description, definition: { kind } }) => {
        const dialogue = createDialogue();
        asked.push({ source: id, kind, description, dialogue: dialogue.lines });
        return dialogue;
      },
    );
    return { address: addressKey(address), ...shown(outcome), asked };
  }

  return {
    async list() {
      await table.settled();
      return table.all.map((source) => listed(source, table.domainsOf(source.id)));
    },

    async add(kind, { description = '', options = {}, secret = '', isDefault = false, domains = [] }) {
      await table.settled();
      if (table.all.length >= SOURCES.all)
        throw new OperationalError('directory.invalid', `cannot add a source, as there must be at most ${SOURCES.all}`);
      const definition = defineSource(kind, options, secret !== '');
      const id = table.all.reduce((highest, one) => Math.max(highest, one.id), 0) + 1;
      const links: Statement[] = [];
      for (const text of domains) {
        const domain = await mustBeLocal(text);
        const position = table.own(domain).length;
        mayHave(domain, position + 1);
        links.push(sql.link({ domain, position, source: id }));
      }
      const row = {
        id,
        kind,
        description,
        options: JSON.stringify(definition.options),
        secret: sealed(id, secret, null),
        is_default: isDefault ? 1 : 0,
      };
      return { id, change: changeOf([sql.add(row), ...links]) };
    },

    async edit(id, { description, options, secret, isDefault }) {
      await table.settled();
      const before = sourceOf(table, id);
      const { kind } = before.definition;
      const kept = sealed(id, secret, before.secret);
      const definition = defineSource(kind, { ...optionsOf(before), ...options }, kept !== null);
      const row = {
        id,
        kind,
        description: description ?? before.description,
        options: JSON.stringify(definition.options),
        secret: kept,
        is_default: (isDefault ?? before.isDefault) ? 1 : 0,
      };
      return changeOf([sql.change(row)]);
    },

    async remove(id) {
      await table.settled();
      sourceOf(table, id);
      return changeOf([sql.remove({ id }), sql.unlinkSource({ id })]);
    },

    unchanged: (id) =>
      unchangedRow(database, 'verification_source', { id }, [
        { table: 'verification_source_domain', where: { source: id } },
      ]),

    async assign(text, ids) {
      await table.settled();
      const domain = await mustBeLocal(text);
      const sources = [...new Set(ids)].map((id) => sourceOf(table, id));
      mayHave(domain, sources.length);
      const links = sources.map(({ id }, position) => sql.link({ domain, position, source: id }));
      return changeOf([sql.unlinkDomain({ domain }), ...links]);
    },

    async test(id, address) {
      await table.settled();
      const source = sourceOf(table, id);
      const answer = await ask([source], address);
      const probe = await source.asker.verify(madeUpUser(address.domain, random), createDialogue());
      return { answer, confirmsAnybody: probe.kind === 'yes' };
    },

    async verify(address) {
      await table.settled();
      return ask(table.of(address.domain), address);
    },
  };
}

function optionsOf({ definition }: KnownSource): GivenOptions {
  return definition.options as unknown as GivenOptions;
}

function listed(source: KnownSource, domains: readonly string[]): ListedSource {
  const { id, definition, description, secret, isDefault } = source;
  const options = optionsOf(source);
  return { id, kind: definition.kind, description, options, hasSecret: secret !== null, isDefault, domains };
}

function shown(outcome: SearchOutcome<Answer>): Omit<VerifiedAddress, 'address' | 'asked'> {
  if (outcome.kind === 'cannot-tell') return { answer: 'cannot-tell', reason: outcome.reason };
  const { kind, ...rest } = outcome.answer;
  return { answer: kind, ...rest };
}
