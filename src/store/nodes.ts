/**
 * Which node this is among those that share a database: a number, stable over restarts, as the id that is
 * kept in its data folder finds it again. What a node makes or leases carries the number.
 *
 * A start writes itself into the node's row. If the row names another start later, the folder was copied and
 * the copy started: the older one hears of it within NODE_SEEN_EVERY_MS, and must stop. Errors: OperationalError
 * `store.nodes-full`, and those of the database. A node that has its database to itself needs none of this:
 * it is the first, 0, and the lock of its folder says that it is alone.
 */
import { isOperational, OperationalError } from '../model/errors.ts';
import type { Clock, TimerHandle } from '../world/clock.ts';
import type { Events } from '../world/events.ts';
import type { Random } from '../world/random.ts';
import { columns } from './columns.ts';
import type { Database } from './contract.ts';
import { NODE_SEEN_EVERY_MS, NODES } from './limits.ts';
import type { StoreMigration } from './migration.ts';
import { type Dialect, prepare } from './statement.ts';

export interface JoinedNode {
  readonly number: number;
  /** Another start has the number since: this one must not go on. */
  isReplaced(): boolean;
  leave(): void;
}

export interface JoinParts {
  /** Of the data folder. */
  readonly id: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
  onReplaced(): void;
}

interface NodeRow {
  readonly number: number;
  readonly id: string;
  /** Of the start that has the number. */
  readonly start: string;
  /** Milliseconds since the epoch. */
  readonly started: number;
  readonly seen: number;
}

interface NodeTables {
  readonly node: NodeRow;
}

const START_BYTES = 9;

export const nodeMigrations: readonly StoreMigration[] = [
  {
    name: '0058-node-numbers',
    async up(db, dialect) {
      const { integer, text } = columns(dialect);
      await db.schema
        .createTable('node')
        .addColumn('number', integer, (column) => column.primaryKey())
        .addColumn('id', text, (column) => column.notNull().unique())
        .addColumn('start', text, (column) => column.notNull())
        .addColumn('started', integer, (column) => column.notNull())
        .addColumn('seen', integer, (column) => column.notNull())
        .execute();
    },
  },
];

export function nodeStatements(dialect: Dialect) {
  return {
    nodes: prepare<object, NodeTables>(dialect, (db) => db.selectFrom('node').selectAll().orderBy('number')),
    insertNode: prepare<NodeRow, NodeTables>(dialect, (db, p) =>
      db
        .insertInto('node')
        .values({ number: p('number'), id: p('id'), start: p('start'), started: p('started'), seen: p('seen') }),
    ),
    startNode: prepare<NodeRow, NodeTables>(
      dialect,
      (db, p) =>
        db
          .updateTable('node')
          .set({ start: p('start'), started: p('started'), seen: p('seen') })
          .where('number', '=', p('number'))
          .where('id', '=', p('id')),
      { expect: 'changed' },
    ),
    /** Fails where another start has the number. */
    seeNode: prepare<Pick<NodeRow, 'number' | 'start' | 'seen'>, NodeTables>(
      dialect,
      (db, p) =>
        db
          .updateTable('node')
          .set({ seen: p('seen') })
          .where('number', '=', p('number'))
          .where('start', '=', p('start')),
      { expect: 'changed' },
    ),
  };
}

export async function joinNodes(database: Database, parts: JoinParts): Promise<JoinedNode> {
  const { clock, events, random, onReplaced } = parts;
  const sql = nodeStatements(database.dialect);
  const start = Buffer.from(random.bytes(START_BYTES)).toString('base64url');
  const number = await takeNumber(database, parts, start);
  let timer: TimerHandle;
  let isReplaced = false;
  let hasLeft = false;

  const see = async (): Promise<void> => {
    try {
      await database.write([sql.seeNode({ number, start, seen: clock.now() })]);
    } catch (error) {
      // Whether another has it cannot be told now: asked again.
      if (!isOperational(error, 'store.expectation') || hasLeft) return;
      isReplaced = true;
      events.emit('store.node-replaced', { number, id: parts.id });
      onReplaced();
    }
  };
  const arm = (): void => {
    timer = clock.after(NODE_SEEN_EVERY_MS, () => {
      void see().finally(() => {
        if (!isReplaced && !hasLeft) arm();
      });
    });
  };
  arm();
  return {
    number,
    isReplaced: () => isReplaced,
    leave() {
      hasLeft = true;
      timer.cancel();
    },
  };
}

/** Its own, or the lowest that is free. Of two new nodes that take the same, one tries the next. */
async function takeNumber(database: Database, { id, clock }: JoinParts, start: string): Promise<number> {
  const sql = nodeStatements(database.dialect);
  for (let attempt = 0; attempt < NODES; attempt++) {
    const rows = (await database.read(sql.nodes({}))) as unknown as readonly NodeRow[];
    const own = rows.find((row) => row.id === id);
    const number = own?.number ?? lowestFree(rows);
    const row = { number, id, start, started: clock.now(), seen: clock.now() };
    try {
      await database.write([own ? sql.startNode(row) : sql.insertNode(row)]);
      return number;
    } catch (error) {
      if (!isOperational(error, 'store.constraint') && !isOperational(error, 'store.expectation')) throw error;
    }
  }
  throw full();
}

function lowestFree(rows: readonly NodeRow[]): number {
  const taken = new Set(rows.map(({ number }) => number));
  for (let number = 0; number < NODES; number++) if (!taken.has(number)) return number;
  throw full();
}

function full(): OperationalError {
  return new OperationalError(
    'store.nodes-full',
    `cannot join the database, as at most ${NODES} nodes may share it: all numbers are taken`,
  );
}
