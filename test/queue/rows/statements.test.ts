import assert from 'node:assert/strict';
import test from 'node:test';
import { queueStatements } from '../../../src/queue/rows/statements.ts';
import { manualClock } from '../../support/clock.ts';
import { startQueue } from '../support/queue.ts';

/** The recovery at a start may look at every row; nothing else may. */
const MAY_SCAN = new Set([
  'voidLeases',
  'holdMarked',
  // Where nodes share a database, which has an index for it.
  'holdExpired',
  'voidExpired',
  'mark',
  'highest',
  'insertMessage',
  'insertContent',
  'insertRecipient',
  'insertSettled',
  'insertVariant',
  'insertSplice',
]);

test('every statement of the running queue finds its rows through a key or an index', async (t) => {
  const { store } = await startQueue(t, { clock: manualClock() });
  const sql = queueStatements('sqlite');
  for (const [name, make] of Object.entries(sql)) {
    if (MAY_SCAN.has(name)) continue;
    const { sql: text, parameters } = (make as (params: object) => { sql: string; parameters: [] })({});
    const plan = await store.database.read({ sql: `explain query plan ${text}`, parameters });
    for (const { detail } of plan) {
      assert.doesNotMatch(
        String(detail),
        /^SCAN (message|recipient|content|content_owner|variant|splice|settled)\b(?! USING (COVERING )?INDEX)/,
        `${name}: ${detail}`,
      );
      assert.doesNotMatch(String(detail), /TEMP B-TREE/, `${name}: ${detail}`);
    }
  }
});

test('the same statements compile for PostgreSQL', () => {
  const sql = queueStatements('postgres');
  assert.match(sql.dueRows({ destination: 'x.example', now: 1 }).sql, /\$1/);
});
