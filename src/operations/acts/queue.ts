/** Queued mail: lists, and acts of an operator. */
import { Type } from 'typebox';
import { anyAddress } from '../../directory/addresses/names.ts';
import { OperationalError } from '../../model/errors.ts';
import type { JournalDetail } from '../../model/journal-detail.ts';
import type { QueueFilter, QueueSelection } from '../../queue/admin/selection.ts';
import { Answer, Nullable, PageAnswer } from '../answers.ts';
import type { Topic } from '../areas.ts';
import { act, look } from '../define.ts';
import { ANSWER_ROWS, LISTED_ROWS } from '../limits.ts';
import { Domains, Text } from './types.ts';

const Filter = {
  state: Type.Optional(Type.Enum(['queued', 'held'])),
  class: Type.Optional(Type.Enum(['user', 'admin', 'operator'])),
  to: Type.Optional(Text),
  from: Type.Optional(Text),
  check: Type.Optional(Text),
  code: Type.Optional(Text),
  subject: Type.Optional(Text),
  domains: Domains,
};

const Selection = {
  ids: Type.Optional(Type.Array(Type.String({ maxLength: 100 }), { maxItems: 10_000 })),
  all: Type.Optional(Type.Boolean()),
  ...Filter,
};

const ROW = {
  id: Type.String(),
  messageId: Type.String(),
  from: Type.String(),
  to: Type.String(),
  state: Type.Enum(['queued', 'held']),
  class: Nullable(Type.Enum(['user', 'admin', 'operator'])),
  holdReason: Nullable(Type.String()),
  check: Nullable(Type.String()),
  code: Nullable(Type.String()),
  heldAt: Nullable(Type.String()),
  due: Nullable(Type.String()),
  waitReason: Nullable(Type.String()),
  attempts: Type.Integer(),
  lastReply: Nullable(Type.String()),
};
const RowAnswer = Answer(ROW);
const Changed = Answer({ changed: Type.Integer() });

const Reason = Type.Optional(Type.String({ maxLength: 500 }));

interface Selected extends QueueFilter {
  readonly ids?: readonly string[];
  readonly all?: boolean;
}

export const queueOperations = {
  'queue.list': look('queue.list', {
    area: 'queue',
    reach: { narrowed: true },
    title: 'Lists the recipients whose mail waits or is held; held mail alone comes newest first',
    input: {
      ...Filter,
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: ANSWER_ROWS })),
      after: Type.Optional(Text),
    },
    answer: PageAnswer(RowAnswer),
    run: async ({ queue }, { limit = LISTED_ROWS, after, ...filter }) => {
      const { rows, cursor } = await queue.list(filter, { limit: Math.min(limit, LISTED_ROWS), cursor: after });
      return { output: { rows, more: cursor !== undefined, ...(cursor !== undefined && { next: cursor }) } };
    },
  }),

  'queue.show': look('queue.show', {
    area: 'queue',
    reach: { narrowed: true },
    title: 'Shows one queued message with its recipients and their last tries',
    input: { id: Text, domains: Domains },
    answer: Answer({
      messageId: Type.String(),
      from: Type.String(),
      receivedAt: Type.String(),
      sizeBytes: Type.Integer(),
      client: Nullable(Type.String()),
      recipients: Type.Array(Answer({ ...ROW, last: Type.Unknown() })),
    }),
    run: async ({ queue }, { id, domains }) => {
      const message = await queue.show(id, domains);
      if (message) return { output: message };
      throw new OperationalError('queue.missing', `cannot show ${id}, as it must be in the queue: it is not`);
    },
  }),

  'queue.recheck': look('queue.recheck', {
    area: 'queue',
    // It judges for all recipients together, in any domain.
    reach: 'node',
    answer: Answer({
      id: Type.String(),
      reply: Type.Optional(Type.Unknown()),
      recipients: Type.Array(
        Answer({
          recipient: Type.String(),
          disposition: Type.Optional(Type.String()),
          was: Type.Array(Type.Unknown()),
          now: Type.Array(Type.Unknown()),
        }),
      ),
    }),
    title: 'Judges one queued or held message again, and changes nothing',
    input: { id: Text },
    run: async ({ queue, log, journal, recheck }, { id }) => {
      const opened = await queue.open(id);
      if (!opened)
        throw new OperationalError('queue.missing', `cannot check ${id}, as it must be in the queue: it is not`);
      await journal.flush();
      const shown = await log.showMessage(id);
      const detail: JournalDetail = shown?.kind === 'message' ? shown.detail : { evidence: {}, findings: [] };
      const { evidence, findings: then, cut } = detail;
      const { reversePath, body, smtputf8, content } = opened;
      const now = await recheck({
        id,
        reversePath: reversePath === null ? null : anyAddress(reversePath),
        parameters: { body, smtputf8 },
        content,
        evidence,
        isCut: cut?.evidence !== undefined,
      });
      const foundThen = (address: string) => then.find(({ recipient }) => recipient === address)?.findings ?? [];
      return {
        output: {
          id,
          ...(now.reply && { reply: now.reply }),
          recipients: now.recipients.map(({ recipient, findings, disposition }) => ({
            recipient,
            ...(disposition !== undefined && { disposition }),
            was: foundThen(recipient),
            now: findings,
          })),
        },
      };
    },
  }),

  'queue.retry': act('queue.retry', {
    area: 'queue',
    long: true,
    reach: { narrowed: true },
    topics: ofSelection,
    title: 'Tries again now',
    input: Selection,
    answer: Changed,
    run: async ({ queue }, input, actor, progress) =>
      changed(input, await queue.retry(selection(input), actor.name, progress)),
  }),

  'queue.hold': act('queue.hold', {
    area: 'queue',
    long: true,
    reach: { narrowed: true },
    topics: ofSelection,
    title: 'Holds mail back until it is released',
    input: { ...Selection, reason: Reason },
    answer: Changed,
    run: async ({ queue }, { reason = 'held by an operator', ...input }, actor, progress) =>
      changed(input, await queue.hold(selection(input), reason, actor.name, undefined, progress)),
  }),

  'queue.release': act('queue.release', {
    area: 'queue',
    long: true,
    reach: { narrowed: true },
    topics: ofSelection,
    title: 'Lets held mail go on',
    input: Selection,
    answer: Changed,
    run: async ({ queue }, input, actor, progress) =>
      changed(input, await queue.release(selection(input), actor.name, progress)),
  }),

  'queue.redirect': act('queue.redirect', {
    area: 'queue',
    long: true,
    reach: { narrowed: true },
    topics: ofSelection,
    title: 'Sends mail to another address instead',
    input: { ...Selection, address: Text },
    answer: Changed,
    run: async ({ queue }, { address, ...input }, actor, progress) =>
      changed(input, await queue.redirect(selection(input), anyAddress(address), actor.name, progress)),
  }),

  'queue.bounce': act('queue.bounce', {
    area: 'queue',
    long: true,
    reach: { narrowed: true },
    topics: ofSelection,
    title: 'Gives up, and tells the sender',
    input: { ...Selection, reason: Reason },
    answer: Changed,
    run: async ({ queue }, { reason = 'returned by an operator', ...input }, actor, progress) =>
      changed(input, await queue.bounce(selection(input), reason, actor.name, progress)),
  }),

  'queue.delete': act('queue.delete', {
    area: 'queue',
    long: true,
    reach: { narrowed: true },
    topics: ofSelection,
    title: 'Deletes mail, and tells nobody',
    input: Selection,
    answer: Changed,
    run: async ({ queue }, input, actor, progress) =>
      changed(input, await queue.delete(selection(input), actor.name, progress)),
  }),
};

/** A request that names ids gets an error if none of them exists. */
function changed({ ids = [] }: Selected, count: number): { readonly output: { readonly changed: number } } {
  if (count > 0 || ids.length === 0) return { output: { changed: count } };
  throw new OperationalError(
    'queue.missing',
    `cannot change ${ids.slice(0, 3).join(', ')}, as it must be in the queue, and in a state that allows this: it is not`,
  );
}

/**
 * Rows change under leases and expectations, so named messages need not wait for a search through the whole queue.
 */
function ofSelection({ ids = [] }: Selected): readonly Topic[] {
  return ids.length > 0 ? ['queue'] : ['queue-bulk'];
}

/** All messages only if `all` is set. */
function selection({ ids = [], all = false, domains, ...filter }: Selected): QueueSelection {
  const within = domains && { domains };
  if (ids.length > 0) return { ids, ...within };
  if (all || Object.values(filter).some((value) => value !== undefined)) return { filter: { ...filter, ...within } };
  throw new OperationalError('operation.input', 'cannot choose mail, as ids, a filter or all must be given: none is');
}
