/**
 * All sources in memory, ready to be asked: a domain's own in order, else the default ones. Read at the start and
 * after each change, which also drops all cached answers (`version`).
 */
import { OperationalError } from '../../model/errors.ts';
import type { Database } from '../../store/contract.ts';
import type { Secrets } from '../../store/secrets.ts';
import type { Events } from '../../world/events.ts';
import { type Asker, createAsker } from './asker.ts';
import { cannotTell, type SourceServices, type VerificationSource } from './contract.ts';
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
  readonly asker: Asker;
}

export interface SourceTable {
  readonly version: number;
  readonly all: readonly KnownSource[];
  /** The sources to ask about users of a domain, in order. */
  of(domain: string): readonly KnownSource[];
  /** A domain's own alone. */
  own(domain: string): readonly KnownSource[];
  readonly defaults: readonly KnownSource[];
  /** The domains that a source was assigned to. */
  domainsOf(id: number): readonly string[];
  /** When the last change has been read. */
  settled(): Promise<void>;
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

  async function readLinks(): Promise<void> {
    const links = (await database.read(sql.links({}))) as unknown as readonly { domain: string; source: number }[];
    const next = new Map<string, KnownSource[]>();
    for (const { domain, source } of links) {
      const known = all.find(({ id }) => id === source);
      if (known) next.set(domain, [...(next.get(domain) ?? []), known]);
    }
    byDomain = next;
  }

  let reading: Promise<void> = Promise.resolve();

  async function read(): Promise<void> {
    const rows = (await database.read(sql.all({}))) as unknown as readonly SourceRow[];
    const before = all;
    all = rows.map((row) => open(row, services));
    defaults = all.filter(({ isDefault }) => isDefault);
    await readLinks();
    version++;
    for (const { asker } of before) asker.close();
  }
  await read();

  /** One after the other, so that the last one read is the last that was written. */
  const follow = (again: () => Promise<void>): Promise<void> => {
    // If it cannot be read now it stays as it was; a restart reads it.
    reading = reading.then(again).catch(() => {});
    return reading;
  };
  /** The sources of a domain are part of the answer: earlier answers do not count. */
  const relink = async (): Promise<void> => {
    await readLinks();
    version++;
  };
  database.changes.subscribe(['verification_source', 'verification_source_domain'], (changes) =>
    follow(changes.some(({ topic }) => topic === 'verification_source') ? read : relink),
  );

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
    domainsOf: (id) =>
      [...byDomain].flatMap(([domain, sources]) => (sources.some((one) => one.id === id) ? [domain] : [])),
    settled: () => reading,
    close() {
      for (const { asker } of all) asker.close();
    },
  };
}

function open({ id, kind, description, options, secret, is_default }: SourceRow, services: TableServices): KnownSource {
  const definition = defineSource(kind as SourceKind, JSON.parse(options) as GivenOptions, secret !== null);
  return {
    id,
    description,
    definition,
    secret,
    isDefault: Number(is_default) !== 0,
    asker: createAsker(id, definition.kind, openWith(definition, id, secret, services), services),
  };
}

/** After the loss of the key file a source cannot tell until its secret is entered again; the node runs. */
function openWith(
  definition: SourceDefinition,
  id: number,
  secret: string | null,
  services: TableServices,
): VerificationSource {
  if (secret === null) return openSource(definition, undefined, services);
  try {
    return openSource(
      definition,
      Buffer.from(services.secrets.open(secretName(id), secret)).toString('utf8'),
      services,
    );
  } catch (error) {
    const { message } = error as Error;
    return { verify: async () => cannotTell(message), authenticate: async () => cannotTell(message), close() {} };
  }
}

export function secretName(id: number): string {
  return `source/${id}`;
}

export function sourceOf(table: SourceTable, id: number): KnownSource {
  const found = table.all.find((source) => source.id === id);
  if (found) return found;
  throw new OperationalError('directory.missing', `cannot find the source ${id}, as it must be added first`);
}
