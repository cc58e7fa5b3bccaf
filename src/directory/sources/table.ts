/**
 * All sources in memory, ready to be asked: a domain's own in their order, else the default ones.
 * Read at the start and after each change, which is also the end of all that was remembered of their
 * answers (`version`).
 */
import { OperationalError } from '../../model/errors.ts';
import type { Database } from '../../store/contract.ts';
import type { Secrets } from '../../store/secrets.ts';
import type { Events } from '../../world/events.ts';
import { type Asker, createAsker } from './asker.ts';
import type { SourceServices } from './contract.ts';
import { defineSource, type GivenOptions, type SourceDefinition, type SourceKind } from './definition.ts';
import { openSource } from './open.ts';
import type { SourceRow } from './schema.ts';
import { sourceStatements } from './statements.ts';

export interface KnownSource {
  readonly id: number;
  readonly description: string;
  readonly definition: SourceDefinition;
  /** Sealed. */
  readonly secret: string | null;
  readonly isDefault: boolean;
  readonly domains: readonly string[];
  readonly asker: Asker;
}

export interface SourceTable {
  readonly version: number;
  readonly all: readonly KnownSource[];
  /** Whom to ask about users of a domain, in order. */
  of(domain: string): readonly KnownSource[];
  /** A domain's own alone. */
  own(domain: string): readonly KnownSource[];
  readonly defaults: readonly KnownSource[];
  /** Errors: those of the database, and of a secret that cannot be opened. */
  reload(): Promise<void>;
  close(): void;
}

export interface TableServices extends SourceServices {
  readonly secrets: Secrets;
  readonly events: Events;
}

const NONE: readonly KnownSource[] = [];

export async function openSourceTable(database: Database, services: TableServices): Promise<SourceTable> {
  const sql = sourceStatements(database.dialect);
  let version = 0;
  let all = NONE;
  let defaults = NONE;
  let byDomain = new Map<string, KnownSource[]>();

  async function reload(): Promise<void> {
    const rows = (await database.read(sql.all({}))) as unknown as readonly SourceRow[];
    const links = (await database.read(sql.links({}))) as unknown as readonly { domain: string; source: number }[];
    const before = all;
    all = rows.map((row) => open(row, links, services));
    defaults = all.filter(({ isDefault }) => isDefault);
    byDomain = new Map();
    for (const { domain, source } of links) {
      const known = all.find(({ id }) => id === source);
      if (known) byDomain.set(domain, [...(byDomain.get(domain) ?? []), known]);
    }
    version++;
    for (const { asker } of before) asker.close();
  }
  await reload();

  return {
    get version() {
      return version;
    },
    get all() {
      return all;
    },
    get defaults() {
      return defaults;
    },
    of: (domain) => byDomain.get(domain) ?? defaults,
    own: (domain) => byDomain.get(domain) ?? NONE,
    reload,
    close() {
      for (const { asker } of all) asker.close();
    },
  };
}

function open(
  { id, kind, description, options, secret, is_default }: SourceRow,
  links: readonly { domain: string; source: number }[],
  services: TableServices,
): KnownSource {
  const definition = defineSource(kind as SourceKind, JSON.parse(options) as GivenOptions, secret !== null);
  const opened =
    secret === null ? undefined : Buffer.from(services.secrets.open(secretName(id), secret)).toString('utf8');
  return {
    id,
    description,
    definition,
    secret,
    isDefault: Number(is_default) !== 0,
    domains: links.filter(({ source }) => source === id).map(({ domain }) => domain),
    asker: createAsker(id, definition.kind, openSource(definition, opened, services), services),
  };
}

export function secretName(id: number): string {
  return `source/${id}`;
}

export function sourceOf(table: SourceTable, id: number): KnownSource {
  const found = table.all.find((source) => source.id === id);
  if (found) return found;
  throw new OperationalError('directory.missing', `cannot find the source ${id}, as it must be added first`);
}
