/** The log: what became of messages. Searched by a thread, never on the event loop. */
import { Type } from 'typebox';
import { OperationalError } from '../../model/errors.ts';
import { look } from '../define.ts';
import { Text } from './types.ts';

const Time = Type.Optional(Type.Integer({ minimum: 0 }));
const Page = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  cursor: Type.Optional(Text),
};

export const logOperations = {
  'log.search': look('log.search', {
    area: 'log',
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
      since: Time,
      until: Time,
      ...Page,
    },
    run: async ({ log, journal }, { limit, cursor, ...filter }) => {
      // What happened before the question is part of the answer.
      await journal.flush();
      return { output: await log.searchLog(filter, { limit, cursor }) };
    },
  }),

  'log.show': look('log.show', {
    area: 'log',
    title: 'Shows all that the log has of one message or session',
    input: { id: Text },
    run: async ({ log, journal }, { id }) => {
      await journal.flush();
      const shown = await log.showMessage(id);
      if (shown) return { output: shown };
      throw new OperationalError('log.missing', `cannot show ${id}, as it must be a message or session in the log`);
    },
  }),

  'log.sessions': look('log.sessions', {
    area: 'log',
    title: 'Lists sessions of mail servers and clients, newest first',
    input: { client: Type.Optional(Text), idle: Type.Optional(Type.Boolean()), since: Time, until: Time, ...Page },
    run: async ({ log, journal }, { limit, cursor, ...filter }) => {
      await journal.flush();
      return { output: await log.listSessions(filter, { limit, cursor }) };
    },
  }),

  'log.audit': look('log.audit', {
    area: 'audit',
    title: 'Lists who changed what, newest first',
    input: { since: Time, until: Time, ...Page },
    run: async ({ log, journal }, { limit, cursor, ...filter }) => {
      await journal.flush();
      return { output: await log.listAudit(filter, { limit, cursor }) };
    },
  }),
};
