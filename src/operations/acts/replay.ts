/** The effect of changed settings on past mail. */
import { Type } from 'typebox';
import { OperationalError } from '../../model/errors.ts';
import { Answer } from '../answers.ts';
import { look } from '../define.ts';
import { ELSEWHERE } from '../unsafe-text.ts';
import { Force, Text } from './types.ts';

const Time = Type.Integer({ minimum: 0 });
const Tried = Type.Object({ key: Text, value: Type.Unknown(ELSEWHERE) }, { additionalProperties: false });

const ChangedAnswer = Answer({
  id: Type.String(),
  recipient: Type.String(),
  was: Type.String(),
  would: Type.String(),
  check: Type.Optional(Type.String()),
  code: Type.Optional(Type.String()),
  atLeast: Type.Optional(Type.Literal(true)),
});

export const replayOperations = {
  'replay.run': look('replay.run', {
    title: 'Shows what other settings would have made of past mail; nothing is changed',
    area: 'log',
    reach: { named: ({ domain }) => [domain?.toLowerCase()] },
    answer: Answer({
      messages: Type.Integer(),
      unknown: Type.Integer(),
      why: Type.Record(Type.String(), Type.Integer()),
      changed: Type.Array(ChangedAnswer),
      changedRecipients: Type.Integer(),
      more: Type.Optional(Type.Literal(true)),
    }),
    input: {
      since: Time,
      until: Type.Optional(Time),
      /** The settings apply to this domain, and only its mail is judged. */
      domain: Type.Optional(Text),
      /** Empty: the effect of today's settings. */
      set: Type.Array(Tried, { maxItems: 100 }),
      force: Force,
    },
    run: async ({ settings, directory, journal, replays }, { since, until, domain: said, set, force }) => {
      const domain = said?.toLowerCase();
      if (domain !== undefined && !(await directory.domain(domain)))
        throw new OperationalError(
          'directory.missing',
          `cannot replay mail of ${domain}, as it must be a local domain`,
        );
      const owner = domain === undefined ? {} : { domain };
      const values = settings.preview(
        set.map(({ key, value }) => ({ key, owner, value })),
        { force },
      );
      // Events before the request are part of the answer.
      await journal.flush();
      const range = { since, ...(until !== undefined && { until }), ...(domain !== undefined && { domain }) };
      return { output: await replays.run(range, values) };
    },
  }),
};
