/** Diagnosis of sign-ins. */
import { Type } from 'typebox';
import { Answer } from '../answers.ts';
import { look } from '../define.ts';

/** Longer than any token may be: an administrator who pastes one reads why it is refused. */
const TOKEN_CHARACTERS = 100_000;

export const authOperations = {
  'auth.explain-token': look('auth.explain-token', {
    area: 'sign-in',
    reach: 'node',
    title: 'Says which check of a token fails (OAUTHBEARER, XOAUTH2)',
    input: { token: Type.String({ maxLength: TOKEN_CHARACTERS }) },
    secrets: ['token'],
    answer: Type.Array(
      Answer({
        check: Type.String(),
        result: Type.Optional(Type.Enum(['ok', 'fails', 'cannot-tell'])),
        text: Type.Optional(Type.String()),
      }),
    ),
    run: async ({ explainToken }, { token }) => ({ output: await explainToken(token) }),
  }),
};
