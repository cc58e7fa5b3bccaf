/** Queued mail: looked at, and moved along by an operator. */
import { Type } from 'typebox';
import { anyAddress } from '../../directory/addresses/names.ts';
import { OperationalError } from '../../model/errors.ts';
import type { QueueFilter, QueueSelection } from '../../queue/admin/selection.ts';
import type { Topic } from '../areas.ts';
import { act, look } from '../define.ts';
import { ANSWER_ROWS } from '../limits.ts';
import { Text } from './types.ts';

const Filter = {
  state: Type.Optional(Type.Enum(['queued', 'held'])),
  class: Type.Optional(Type.Enum(['user', 'admin', 'operator'])),
  to: Type.Optional(Text),
  from: Type.Optional(Text),
};

const Selection = {
  ids: Type.Optional(Type.Array(Type.String({ maxLength: 100 }), { maxItems: 10_000 })),
  all: Type.Optional(Type.Boolean()),
  ...Filter,
};

const Reason = Type.Optional(Type.String({ maxLength: 500 }));

interface Selected extends QueueFilter {
  readonly ids?: readonly string[];
  readonly all?: boolean;
}

export const queueOperations = {
  'queue.list': look('queue.list', {
    area: 'queue',
    title: 'Lists the recipients whose mail waits or is held',
    input: {
      ...Filter,
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: ANSWER_ROWS })),
      cursor: Type.Optional(Text),
    },
    run: async ({ queue }, { limit, cursor, ...filter }) => ({ output: await queue.list(filter, { limit, cursor }) }),
  }),

  'queue.show': look('queue.show', {
    area: 'queue',
    title: 'Shows one queued message with its recipients and their last tries',
    input: { id: Text },
    run: async ({ queue }, { id }) => {
      const message = await queue.show(id);
      if (message) return { output: message };
      throw new OperationalError('queue.missing', `cannot show ${id}, as it must be in the queue: it is not`);
    },
  }),

  'queue.retry': act('queue.retry', {
    area: 'queue',
    topics: ofSelection,
    title: 'Tries again now',
    input: Selection,
    run: async ({ queue }, input, actor) => changed(input, await queue.retry(selection(input), actor.name)),
  }),

  'queue.hold': act('queue.hold', {
    area: 'queue',
    topics: ofSelection,
    title: 'Holds mail back until it is released',
    input: { ...Selection, reason: Reason },
    run: async ({ queue }, { reason = 'held by an operator', ...input }, actor) =>
      changed(input, await queue.hold(selection(input), reason, actor.name)),
  }),

  'queue.release': act('queue.release', {
    area: 'queue',
    topics: ofSelection,
    title: 'Lets held mail go on',
    input: Selection,
    run: async ({ queue }, input, actor) => changed(input, await queue.release(selection(input), actor.name)),
  }),

  'queue.redirect': act('queue.redirect', {
    area: 'queue',
    topics: ofSelection,
    title: 'Sends mail to another address instead',
    input: { ...Selection, address: Text },
    run: async ({ queue }, { address, ...input }, actor) =>
      changed(input, await queue.redirect(selection(input), anyAddress(address), actor.name)),
  }),

  'queue.bounce': act('queue.bounce', {
    area: 'queue',
    topics: ofSelection,
    title: 'Gives up, and tells the sender',
    input: { ...Selection, reason: Reason },
    run: async ({ queue }, { reason = 'returned by an operator', ...input }, actor) =>
      changed(input, await queue.bounce(selection(input), reason, actor.name)),
  }),

  'queue.delete': act('queue.delete', {
    area: 'queue',
    topics: ofSelection,
    title: 'Deletes mail, and tells nobody',
    input: Selection,
    run: async ({ queue }, input, actor) => changed(input, await queue.delete(selection(input), actor.name)),
  }),
};

/** Whoever names mail by its ids is told where nothing of it was there to be changed. */
function changed({ ids = [] }: Selected, count: number): { readonly output: { readonly changed: number } } {
  if (count > 0 || ids.length === 0) return { output: { changed: count } };
  throw new OperationalError(
    'queue.missing',
    `cannot change ${ids.slice(0, 3).join(', ')}, as it must be in the queue, and in a state that allows this: it is not`,
  );
}

/** Rows change under leases and expectations, so those that are named wait for no search through the whole queue. */
function ofSelection({ ids = [] }: Selected): readonly Topic[] {
  return ids.length > 0 ? ['queue'] : ['queue-bulk'];
}

/** Everything only where it was asked for in so many words. */
function selection({ ids = [], all = false, ...filter }: Selected): QueueSelection {
  if (ids.length > 0) return { ids };
  if (all || Object.values(filter).some((value) => value !== undefined)) return { filter };
  throw new OperationalError('operation.input', 'cannot choose mail, as ids, a filter or all must be given: none is');
}
