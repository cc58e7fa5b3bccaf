/** Lists and counts against a plain filter and sort, over random rows in the database and on the inline way. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { QueueFilter } from '../../../src/queue/admin/selection.ts';
import type { NewRecipient } from '../../../src/queue/contract.ts';
import { manualClock } from '../../support/clock.ts';
import { attached, crashed, settled } from '../support/inline.ts';
import { address, message, recipient, startQueue, type TestNode } from '../support/queue.ts';

const TO = ['a_b@x.example', 'acb@x.example', 'Ann@X.example', 'dan@y.example'];
const FROM = [null, 'bob@sender.example', 'Eve@other.example'];
const CLASSES = ['user', 'admin', 'operator'] as const;
const BY = [
  undefined,
  { check: 'spam', code: 'score' },
  { check: 'spam', code: 'list' },
  { check: 'spf', code: 'fail' },
];
const SUBJECTS = ['Hello 100%', 'hello 1000', 'Re: news', ''];

interface Made {
  readonly from: (typeof FROM)[number];
  readonly subject: string;
  readonly recipients: readonly {
    readonly to: string;
    readonly inbound: boolean;
    readonly held: (typeof CLASSES)[number] | undefined;
    readonly by: (typeof BY)[number];
  }[];
}

const made: fc.Arbitrary<Made> = fc.record({
  from: fc.constantFrom(...FROM),
  subject: fc.constantFrom(...SUBJECTS),
  recipients: fc.array(
    fc.record({
      to: fc.constantFrom(...TO),
      inbound: fc.boolean(),
      held: fc.constantFrom(undefined, ...CLASSES),
      by: fc.constantFrom(...BY),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

const maybe = <T>(...values: readonly T[]) => fc.constantFrom(undefined, ...values);
const filters: fc.Arbitrary<QueueFilter> = fc
  .record({
    state: maybe('held' as const, 'queued' as const),
    class: maybe(...CLASSES),
    to: maybe('x.example', 'A_B@x.example', 'ann@x.example'),
    from: maybe('', 'bob@sender.example', 'OTHER.example'),
    check: maybe('spam', 'spf'),
    code: maybe('score', 'fail'),
    subject: maybe('hello', '100%', 'NEWS'),
    domains: maybe(['x.example'], ['x.example', 'sender.example'], []),
  })
  .map((wanted) => {
    // Few of eight conditions, or nothing would be found.
    const kept = Object.entries(wanted).filter(([, value], at) => value !== undefined && (at < 1 || at % 2 === 0));
    return Object.fromEntries(kept) as QueueFilter;
  });

const domainOf = (text: string): string => text.slice(text.lastIndexOf('@') + 1).toLowerCase();
const isOf = (text: string, wanted: string): boolean =>
  wanted.includes('@') ? text.toLowerCase() === wanted.toLowerCase() : domainOf(text) === wanted.toLowerCase();

interface Expected {
  readonly id: string;
  readonly isHeld: boolean;
  fits(filter: QueueFilter): boolean;
}

async function commit(node: TestNode, { from, subject, recipients }: Made): Promise<readonly Expected[]> {
  const list: NewRecipient[] = recipients.map(({ to, inbound, held, by }) => ({
    ...recipient(to, held ? { state: { held, reason: 'odd', ...(by && { by }) } } : {}),
    direction: inbound ? 'inbound' : 'outbound',
  }));
  const one = await message(node, list, {
    reversePath: from === null ? null : address(from),
    detail: { subject, evidence: {}, findings: [] },
  });
  await node.queue.commit(one);
  return recipients.map(({ to, inbound, held, by }, n) => ({
    id: `${one.id}.${n}`,
    isHeld: held !== undefined,
    fits: (filter) =>
      (filter.state === undefined || filter.state === (held ? 'held' : 'queued')) &&
      (filter.class === undefined || filter.class === held) &&
      (filter.check === undefined || (held !== undefined && filter.check === by?.check)) &&
      (filter.code === undefined || (held !== undefined && filter.code === by?.code)) &&
      (filter.to === undefined || isOf(to, filter.to)) &&
      (filter.from === undefined || (filter.from === '' ? from === null : isOf(from ?? '', filter.from))) &&
      (filter.subject === undefined || subject.toLowerCase().includes(filter.subject.toLowerCase())) &&
      (filter.domains === undefined || filter.domains.includes(domainOf(inbound ? to : (from ?? '')))),
  }));
}

async function everyPage({ queue }: TestNode, filter: QueueFilter, limit: number): Promise<readonly string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await queue.admin.list(filter, { limit, ...(cursor !== undefined && { cursor }) });
    ids.push(...page.rows.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return ids;
}

test('paging to the end finds what a plain filter finds, in its order, in the database and inline', async (t) => {
  const node = await startQueue(t, { clock: manualClock() });
  const rows: Expected[] = [];
  await fc.assert(
    fc.asyncProperty(
      fc.array(made, { maxLength: 4 }),
      fc.array(filters, { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 1, max: 5 }),
      async (more, wanted, limit) => {
        for (const one of more) rows.push(...(await commit(node, one)));
        for (const filter of wanted) {
          const fitting = rows.filter((row) => row.fits(filter));
          const { state, class: holdClass, check, code } = filter;
          const isOfHeld = state === 'held' || (state === undefined && (holdClass ?? check ?? code) !== undefined);
          const ids = fitting.map(({ id }) => id);
          const inOrder = isOfHeld ? ids.sort((a, b) => compare(b, a)) : ids.sort(compare);
          assert.deepEqual(await everyPage(node, filter, limit), inOrder, JSON.stringify(filter));
        }
        const held = rows.filter(({ isHeld }) => isHeld).length;
        assert.deepEqual(await node.queue.admin.counts(), { queued: rows.length - held, held });
      },
    ),
    { numRuns: 12, endOnFailure: true },
  );
});

/** Ids of rows sort as their keys, but for the number. */
function compare(a: string, b: string): number {
  const [message, n] = a.split('.') as [string, string];
  const [other, m] = b.split('.') as [string, string];
  return message === other ? Number(n) - Number(m) : message < other ? -1 : 1;
}

const step = fc.oneof(
  made.map((one) => ({ act: 'commit' as const, one })),
  fc.constantFrom('hold', 'release', 'reclass', 'delete', 'redirect', 'bounce', 'crash').map((act) => ({ act })),
);

test('the counts equal counting after random acts and power cuts', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), filters, async (steps, filter) => {
      let node = await attached(t, { places: 0 });
      for (const one of steps) {
        const { admin } = node.queue;
        const selection = { filter };
        if ('one' in one) await commit(node, one.one);
        else if (one.act === 'hold') await admin.hold(selection, 'wait', 'root');
        else if (one.act === 'release') await admin.release(selection, 'root');
        else if (one.act === 'reclass') await admin.reclass(selection, 'admin', 'root');
        else if (one.act === 'delete') await admin.delete(selection, 'root');
        else if (one.act === 'redirect') await admin.redirect(selection, address('z@local.example'), 'root');
        else if (one.act === 'bounce') await admin.bounce(selection, 'no', 'root');
        else node = await crashed(t, node, { places: 0 });
        await settled();
        const { rows } = await node.queue.admin.list({}, {});
        const of = (state: string): number => rows.filter((row) => row.state === state).length;
        assert.deepEqual(await node.queue.admin.counts(), { queued: of('queued'), held: of('held') });
        const stored = await node.store.database.read({
          sql: `select * from (select domain, state, class, sum(count) as n from queue_count group by 1, 2, 3) where n <> 0
            except select domain, state, case when state = 'held' then hold_class else '' end, count(*) from recipient group by 1, 2, 3`,
          parameters: [],
        });
        assert.deepEqual(stored, [], 'by domain, state and class');
      }
    }),
    { numRuns: 8, endOnFailure: true },
  );
});
