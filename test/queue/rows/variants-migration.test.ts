/** Edits as the version before variants wrote them: each recipient's in its row. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { manualClock } from '../../support/clock.ts';
import { attached, until } from '../support/inline.ts';
import { message, recipient, startQueue, temporaryFolder } from '../support/queue.ts';

const EDITS = ['yes', 'no'].map((word) => [{ kind: 'prepend', raw: `X-Spam: ${word}\r\n` }] as const);

test('queued and held mail of the version before keeps its edits, once a message', async (t) => {
  const folder = temporaryFolder(t);
  const clock = manualClock();
  const node = await startQueue(t, { folder, clock });
  const held = { held: 'user', reason: 'why' } as const;
  const also = [{ sql: "update queue_mark set value = value where name = 'journaled'", parameters: [] }];
  for (const domain of ['x.example', 'y.example']) {
    const to = [
      recipient(`a@${domain}`),
      recipient(`b@${domain}`, { edits: EDITS[1] }),
      recipient(`c@${domain}`, { edits: EDITS[0] }),
      recipient(`d@${domain}`, { edits: EDITS[1] }),
      recipient(`e@${domain}`, { edits: EDITS[0], state: held }),
    ];
    await node.queue.commit(await message(node, to), also);
  }
  await node.queue.close();
  // Back to what that version had.
  const back = [
    'update recipient set edits = (select edits from variant where variant.message = recipient.message and v = variant)',
    ...['drop table variant', 'drop table splice', 'alter table recipient drop column variant'],
    ...["delete from kysely_migration where name >= '0056'", 'update schema set version = 55, min_reader = 55'],
  ];
  await node.store.database.write(back.map((sql) => ({ sql, parameters: [] })));
  await node.store.close();

  const again = await attached(t, { folder, clock });
  const variants = await again.store.database.read({
    sql: 'select * from variant order by message, v',
    parameters: [],
  });
  assert.deepEqual(
    variants.map(({ v, edits }) => [v, JSON.parse(String(edits))]),
    [
      [1, EDITS[1]],
      [2, EDITS[0]],
      [1, EDITS[1]],
      [2, EDITS[0]],
    ],
  );
  await again.queue.admin.release({ filter: {} }, 'root');
  await until(() => again.dispatcher.claims.length === 8);
  for (const domain of ['x.example', 'y.example']) {
    const claims = again.dispatcher.claims.filter(({ destination }) => destination === domain);
    assert.deepEqual(
      claims.map(({ recipients, edits }) => [recipients.map(({ row }) => row), edits]),
      [
        [[0], []],
        [[1, 3], EDITS[1]],
        [[2], EDITS[0]],
        [[4], EDITS[0]],
      ],
    );
  }
});
