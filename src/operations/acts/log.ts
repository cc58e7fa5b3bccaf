/** The log: the fate of messages. A thread searches it, never the event loop. */
import { Type } from 'typebox';
import { OperationalError } from '../../model/errors.ts';
import type { Page } from '../../model/page.ts';
import { Answer, Nullable, PageAnswer, Strings } from '../answers.ts';
import { look } from '../define.ts';
import { cutMessages, cutShown } from './log-reach.ts';
import { Domains, Text } from './types.ts';

const Time = Type.Optional(Type.Integer({ minimum: 0 }));
const PAGE = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  after: Type.Optional(Text),
};

const RecipientAnswer = {
  address: Type.String(),
  original: Type.Optional(Type.String()),
  disposition: Type.String(),
  reason: Type.Optional(Type.String()),
};
const FoundAnswer = Answer({
  id: Type.String(),
  messageId: Type.String(),
  messageIdHeader: Nullable(Type.String()),
  time: Type.String(),
  direction: Type.String(),
  from: Type.String(),
  to: Strings,
  subject: Nullable(Type.String()),
  disposition: Type.String(),
  client: Nullable(Type.String()),
  sizeBytes: Type.Integer(),
  session: Nullable(Type.String()),
  recipients: Type.Array(Answer({ ...RecipientAnswer, state: Nullable(Type.String()) })),
});
const CountedAnswer = Answer({
  network: Type.String(),
  since: Type.String(),
  until: Type.String(),
  transactions: Type.Integer(),
  recipients: Type.Integer(),
  replies: Type.Record(Type.String(), Type.Integer()),
});
/** The checks and the session define evidence, findings and dialogues. */
const ShownAnswer = Type.Union([
  Answer({
    kind: Type.Literal('message'),
    id: Type.String(),
    at: Type.Number(),
    direction: Type.String(),
    from: Type.String(),
    headerFrom: Nullable(Type.String()),
    subject: Nullable(Type.String()),
    messageId: Nullable(Type.String()),
    client: Nullable(Type.String()),
    sizeBytes: Type.Integer(),
    sessionId: Nullable(Type.String()),
    session: Type.Optional(Type.Object({})),
    recipients: Type.Array(Answer(RecipientAnswer)),
    detail: Type.Object({}),
    changes: Type.Array(Type.Object({ at: Type.Number(), recipient: Type.String(), state: Type.String() })),
  }),
  Answer({ kind: Type.Literal('session'), session: Type.Object({}), messages: Strings }),
]);

function paged<T>(rows: readonly T[], cursor: string | undefined): Page<T> {
  return { rows, more: cursor !== undefined, ...(cursor !== undefined && { next: cursor }) };
}

export const logOperations = {
  'log.search': look('log.search', {
    area: 'log',
    reach: { narrowed: true, cut: cutMessages },
    title: 'Finds messages, newest first',
    input: {
      id: Type.Optional(Text),
      messageId: Type.Optional(Text),
      sender: Type.Optional(Text),
      recipient: Type.Optional(Text),
      subject: Type.Optional(Text),
      client: Type.Optional(Text),
      disposition: Type.Optional(Text),
      direction: Type.Optional(Text),
      domains: Domains,
      since: Time,
      until: Time,
      ...PAGE,
    },
    answer: PageAnswer(FoundAnswer, { counted: Type.Optional(Type.Array(CountedAnswer)) }),
    run: async ({ log, journal }, { limit, after, ...filter }) => {
      // Events before the request are part of the answer.
      await journal.flush();
      const { messages, counted, cursor } = await log.searchLog(filter, { limit, cursor: after });
      return { output: { ...paged(messages, cursor), ...(counted && { counted }) } };
    },
  }),

  'log.show': look('log.show', {
    area: 'log',
    reach: { cut: cutShown },
    title: 'Shows all that the log has of one message or session',
    input: { id: Text },
    answer: ShownAnswer,
    run: async ({ log, journal }, { id }) => {
      await journal.flush();
      const shown = await log.showMessage(id);
      if (shown) return { output: shown };
      throw new OperationalError('log.missing', `cannot show ${id}, as it must be a message or session in the log`);
    },
  }),

  'log.sessions': look('log.sessions', {
    area: 'log',
    reach: 'node',
    title: 'Lists sessions of mail servers and clients, newest first',
    input: { client: Type.Optional(Text), idle: Type.Optional(Type.Boolean()), since: Time, until: Time, ...PAGE },
    answer: PageAnswer(
      Answer({
        id: Nullable(Type.String()),
        time: Type.String(),
        client: Type.String(),
        end: Type.String(),
        messagesAccepted: Type.Integer(),
        count: Type.Integer(),
      }),
    ),
    run: async ({ log, journal }, { limit, after, ...filter }) => {
      await journal.flush();
      const { sessions, cursor } = await log.listSessions(filter, { limit, cursor: after });
      return { output: paged(sessions, cursor) };
    },
  }),

  'log.audit': look('log.audit', {
    area: 'audit',
    reach: 'node',
    title: 'Lists who changed what, newest first',
    input: { since: Time, until: Time, ...PAGE },
    answer: PageAnswer(
      Answer({
        time: Type.String(),
        actor: Type.String(),
        operation: Type.String(),
        input: Type.String(),
        result: Type.String(),
        detail: Nullable(Type.String()),
      }),
    ),
    run: async ({ log, journal }, { limit, after, ...filter }) => {
      await journal.flush();
      const { rows, cursor } = await log.listAudit(filter, { limit, cursor: after });
      return { output: paged(rows, cursor) };
    },
  }),
};
