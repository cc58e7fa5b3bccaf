/** PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login): the client sends the password itself. */
import { parseLoginAnswer, parsePlain } from '../../protocol/sasl/plain.ts';
import type { Mechanism } from './server.ts';
import { done, EMPTY_CHALLENGE, isSelf, MALFORMED, refused } from './steps.ts';

export const plain: Mechanism = (authority, { network }) => ({
  respond(message) {
    if (!message) return EMPTY_CHALLENGE;
    const said = parsePlain(message);
    if (!said) return MALFORMED;
    if (!isSelf(said.authorization, said.username)) return refused('not-allowed');
    return authority.password(said.username, said.password, network).then(done);
  },
});

/** Clients compare these with the customary texts. */
const USERNAME = { kind: 'challenge', data: 'Username:' } as const;
const PASSWORD = { kind: 'challenge', data: 'Password:' } as const;

export const login: Mechanism = (authority, { network }) => {
  let username: string | undefined;
  return {
    respond(message) {
      if (!message) return USERNAME;
      const answer = parseLoginAnswer(message);
      if (answer === undefined) return MALFORMED;
      if (username !== undefined) return authority.password(username, answer, network).then(done);
      username = answer;
      return PASSWORD;
    },
  };
};
