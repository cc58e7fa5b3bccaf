/** Verification put together as a node does it, over a database in memory. */
import type { TestContext } from 'node:test';
import { createDirectoryAdmin } from '../../../src/directory/admin.ts';
import { createDirectory } from '../../../src/directory/directory.ts';
import { directoryMigrations } from '../../../src/directory/schema.ts';
import { createSourceAdmin, type SourceDraft } from '../../../src/directory/sources/admin.ts';
import type { SourceKind } from '../../../src/directory/sources/definition.ts';
import type { PointsHere } from '../../../src/directory/sources/domain-creation.ts';
import { openSourceTable } from '../../../src/directory/sources/table.ts';
import { createVerification } from '../../../src/directory/sources/verification.ts';
import type { PreparedChange } from '../../../src/store/contract.ts';
import { outboxMigrations } from '../../../src/store/outbox.ts';
import { settings } from '../../screen/world.ts';
import { manualClock } from '../../support/clock.ts';
import { memoryDatabase } from '../../support/database.ts';
import { recordedEvents } from '../../support/events.ts';
import { seededRandom } from '../../support/random.ts';
import { OPEN_SECRETS } from '../../support/secrets.ts';
import { address, services } from './questions.ts';

/** A directory with example.com in it and sources behind it, and a clock by hand. */
export async function openVerification(
  t: TestContext,
  table: Record<string, unknown> = {},
  pointsHere: PointsHere = async () => 'yes',
) {
  const database = await memoryDatabase(t, ...directoryMigrations, ...outboxMigrations);
  const clock = manualClock();
  const events = recordedEvents();
  const random = seededRandom();
  const values = settings(table);
  const { resolveHost, hostname } = services(clock);
  const known = createDirectory(database, { settings: values, clock, resolveHost });
  const sources = await openSourceTable(database, {
    clock,
    random,
    events,
    resolveHost,
    hostname,
    secrets: OPEN_SECRETS,
  });
  t.after(() => sources.close());
  const make = async ({ statements, committed }: PreparedChange): Promise<void> => {
    await database.write(statements);
    committed();
    await sources.settled();
  };
  const { directory, askSources } = createVerification({
    database,
    directory: known,
    table: sources,
    settings: values,
    clock,
    random,
    events,
    hostname,
    pointsHere,
    addDomain: async (name) => make(await admin.addDomain({ name })),
  });
  const admin = createDirectoryAdmin(database, directory, clock);
  const sourceAdmin = createSourceAdmin({ database, directory, table: sources, secrets: OPEN_SECRETS, clock, random });
  await make(await admin.addDomain({ name: 'example.com' }));
  const add = async (kind: SourceKind, draft: SourceDraft): Promise<number> => {
    const { id, change } = await sourceAdmin.add(kind, { domains: ['example.com'], ...draft });
    await make(change);
    return id;
  };
  const kind = async (text: string) => (await directory.resolve(address(text))).kind;
  return { database, clock, events, settings: values, directory, askSources, admin, sourceAdmin, make, add, kind };
}
