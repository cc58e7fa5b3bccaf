/** A resolver that answers from a table, for suites of hundreds of zones; real sockets are tested elsewhere. */
import type { DnsAnswer, RecordType, RecordTypes, Resolver } from '../../../../src/world/resolver.ts';

export type TableRecords = { readonly [K in RecordType]?: readonly RecordTypes[K][] } & {
  /** What is asked beyond the records here cannot be told. */
  readonly fails?: Extract<DnsAnswer<never>, { kind: 'unknown' }>['reason'];
};

export interface TableResolver extends Resolver {
  readonly asked: readonly string[];
}

export function tableResolver(table: Readonly<Record<string, TableRecords>>): TableResolver {
  const asked: string[] = [];
  const byName = new Map(Object.entries(table).map(([name, records]) => [name.toLowerCase(), records]));
  return {
    asked,
    async resolve<K extends RecordType>(name: string, type: K): Promise<DnsAnswer<RecordTypes[K]>> {
      asked.push(`${type} ${name.toLowerCase()}`);
      const known = byName.get(name.toLowerCase());
      if (!known) return { kind: 'none', nxdomain: true, ttlSeconds: 60, authentic: false };
      const records = known[type] as readonly RecordTypes[K][] | undefined;
      if (records?.length) return { kind: 'found', records, ttlSeconds: 60, authentic: false };
      if (known.fails) return { kind: 'unknown', reason: known.fails };
      const [alias] = known.CNAME ?? [];
      if (alias !== undefined && type !== 'CNAME') return this.resolve(alias, type);
      return { kind: 'none', nxdomain: false, ttlSeconds: 60, authentic: false };
    },
  };
}

/** The character-strings of one TXT record. */
export function txt(...strings: readonly string[]): Uint8Array[] {
  return strings.map((text) => Buffer.from(text, 'latin1'));
}
