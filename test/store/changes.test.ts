/** The change bus: a unit names what it changes by its statements, a commit publishes it, caches hear of it. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { codeOf, sourceFiles } from '../../scripts/source-files.ts';
import { OperationalError } from '../../src/model/errors.ts';
import { createChangeBus, published, readAgain } from '../../src/store/changes.ts';
import type { Change, Database, Row } from '../../src/store/contract.ts';
import { builder, prepare, statement } from '../../src/store/statement.ts';
import { ROOMS, statementsIn } from './support/statements.ts';
import { insert, openTestStore, sql } from './support/store.ts';

interface Tables {
  thing: { id: number; value: string | null };
}

const put = prepare<{ id: number }, Tables>(
  'sqlite',
  (db, p) => db.insertInto('thing').values({ id: p('id'), value: null }),
  { key: 'id' },
);
const rename = prepare<{ value: string }, Tables>('sqlite', (db, p) =>
  db.updateTable('thing').set({ value: p('value') }),
);
const all = prepare<object, Tables>('sqlite', (db) => db.selectFrom('thing').selectAll());

async function world(t: TestContext, topics: readonly string[] = ['thing']) {
  const { database } = await openTestStore(t);
  const heard: (readonly Change[])[] = [];
  const end = database.changes.subscribe(topics, (changes) => void heard.push(changes));
  return { database, heard, end };
}

test('a commit tells of what its unit changed, once, before its writer goes on', async (t) => {
  const { database, heard } = await world(t);
  await database.write([put({ id: 1 }), rename({ value: 'x' })]);
  assert.deepEqual(heard, [[{ topic: 'thing', key: '1' }, { topic: 'thing' }]]);
  await database.write([put({ id: 2 })]);
  assert.deepEqual(heard[1], [{ topic: 'thing', key: '2' }]);
});

test('a unit without topics publishes nothing; nor does one that nobody listens to, or that failed', async (t) => {
  const { database, heard, end } = await world(t);
  const others: (readonly Change[])[] = [];
  database.changes.subscribe(['other'], (changes) => void others.push(changes));
  await database.write([insert(1), sql('update thing set value = 1')]);
  await assert.rejects(database.write([put({ id: 1 })]), { code: 'store.constraint' });
  assert.deepEqual(heard, []);
  end();
  await database.write([put({ id: 2 })]);
  assert.deepEqual([heard, others], [[], []]);
});

test('a commit whose outcome is not known is told of, as it may be on disk; a unit that failed is not', async () => {
  for (const [code, told] of [
    ['store.unavailable', 1],
    ['store.constraint', 0],
    ['store.expectation', 0],
    ['store.full', 0],
  ] as const) {
    let count = 0;
    const failed = Promise.reject(new OperationalError(code, 'it failed'));
    await assert.rejects(
      published(failed, () => void count++),
      { code },
    );
    assert.equal(count, told, code);
  }
});

test('what is held whole is read again after each change, at once or one read after the other', async () => {
  for (const isAsync of [false, true]) {
    const hears: ((changes: readonly Change[]) => void | Promise<void>)[] = [];
    let rows: readonly Row[] = [];
    let fails = false;
    const read = (): readonly Row[] => {
      if (fails) throw new Error('the disk failed');
      return rows;
    };
    const db = { read: async () => read(), ...(!isAsync && { readNow: read }) };
    const subscribe: Database['changes']['subscribe'] = (_, hear) => {
      hears.push(hear);
      return () => {};
    };
    const taken: number[] = [];
    readAgain({ ...db, changes: { subscribe } }, ['thing'], {
      statement: all({}),
      take: (now) => void taken.push(now.length),
    });
    const change = async (next: readonly Row[]): Promise<void> => {
      rows = next;
      await hears[0]!([{ topic: 'thing' }]);
    };
    await change([{ id: 1 }]);
    fails = true;
    await change([]);
    fails = false;
    await change([{ id: 1 }, { id: 2 }]);
    assert.deepEqual(taken, [1, 2], 'what cannot be read stays as it was');
  }
});

test('a writer goes on once those who must read again have done so, and other nodes are heard without a writer', async () => {
  const bus = createChangeBus();
  const order: string[] = [];
  let isRead = (): void => undefined;
  bus.subscribe(['thing'], async () => {
    order.push('heard');
    await new Promise<void>((resolve) => {
      isRead = resolve;
    });
    order.push('read');
  });
  const written = published(Promise.resolve('done'), () => bus.publish([{ topic: 'thing' }])).then(() =>
    order.push('written'),
  );
  await new Promise((go) => setImmediate(go));
  assert.deepEqual(order, ['heard']);
  isRead();
  await written;
  assert.deepEqual(order, ['heard', 'read', 'written']);
  bus.hear(['other']);
  bus.hear(['thing', 'other']);
  assert.deepEqual(order, ['heard', 'read', 'written', 'heard']);
  isRead();
});

for (const dialect of ['sqlite', 'postgres'] as const) {
  for (const [room, make] of Object.entries(ROOMS)) {
    test(`every statement of ${room} that writes a table names it, and none that reads does (${dialect})`, () => {
      const made = statementsIn(make(dialect));
      assert.ok(made.length > 2);
      for (const { sql: text, writes } of made) {
        const written = /^\s*(?:insert into|update|delete from) "(\w+)"/i.exec(text)?.[1];
        assert.equal(writes?.topic, written, text);
        assert.ok(written !== undefined || /^\s*select/i.test(text), text);
      }
    });
  }
}

test('no room writes SQL of its own, which would name no table', () => {
  const faults = sourceFiles('src/**/*.ts')
    .filter(({ path }) => !/^src\/(store|journal)\//.test(path))
    .filter(({ text }) => /\bparameters\s*:/.test(codeOf(text)) && /\bsql\s*:/.test(codeOf(text)))
    .map(({ path }) => path);
  assert.deepEqual(faults, []);
});

test('a query whose table cannot be known is refused when it is prepared', () => {
  const db = builder<Tables>('sqlite');
  assert.throws(() => statement(db.deleteFrom(['thing as a', 'thing as b'] as never)), /one table/);
});
