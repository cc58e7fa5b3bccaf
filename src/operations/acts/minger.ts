/** The Minger server, which other servers ask whether a user exists here. */
import { Type } from 'typebox';
import { Answer } from '../answers.ts';
import { act } from '../define.ts';

export const mingerOperations = {
  'minger.set-secret': act('minger.set-secret', {
    area: 'node',
    reach: 'node',
    title: 'Gives the Minger server its shared secret; the empty one takes it away',
    input: { secret: Type.String({ maxLength: 1000 }) },
    secrets: ['secret'],
    answer: Answer({ set: Type.Boolean() }),
    run: async ({ minger }, { secret }) => ({ output: { set: secret !== '' }, change: minger.set(secret) }),
  }),
};
