/**
 * The schema: every room exports its migrations, `main` hands the whole list to openStore.
 *
 * Names are `NNNN-what`, the number unique in the product: that is the order, and the highest is the
 * schema's version. A migration that an older node could not live with says so in `minReader`: the
 * lowest version of a node that may use the result. Version N+1 only adds; removal waits for N+2.
 */
import type { Kysely } from 'kysely';
import type { Dialect } from './statement.ts';

export interface StoreMigration {
  readonly name: string;
  readonly minReader?: number;
  // biome-ignore lint/suspicious/noExplicitAny: a migration sees the schema as it was then, which no type describes.
  up(db: Kysely<any>, dialect: Dialect): Promise<void>;
}

export interface Schema {
  readonly version: number;
  readonly minReader: number;
  /** In order. */
  readonly migrations: readonly StoreMigration[];
}

const NAME = /^(\d{4})-[a-z0-9-]+$/;

/** Throws where two rooms chose one number: a mistake in the product. */
export function schemaOf(migrations: readonly StoreMigration[]): Schema {
  const ordered = [...migrations].sort((a, b) => (a.name < b.name ? -1 : 1));
  let version = 0;
  let minReader = 1;
  for (const migration of ordered) {
    const number = Number(NAME.exec(migration.name)?.[1] ?? Number.NaN);
    if (!(number > version)) throw new Error(`migration ${migration.name} must have a number of its own, as NNNN-what`);
    version = number;
    minReader = Math.max(minReader, migration.minReader ?? 1);
  }
  return { version, minReader, migrations: ordered };
}
