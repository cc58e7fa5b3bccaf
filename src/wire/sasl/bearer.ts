/** OAUTHBEARER (RFC 7628) and XOAUTH2: a token of an issuer that is trusted here. */
import { formatOauthFailure, parseOauthBearer, parseXoauth2 } from '../../protocol/sasl/oauth.ts';
import type { Mechanism, SaslStep } from './server.ts';
import { done, EMPTY_CHALLENGE, MALFORMED } from './steps.ts';
import type { Verdict } from './words.ts';

export function bearer(mechanism: 'OAUTHBEARER' | 'XOAUTH2'): Mechanism {
  const parse = mechanism === 'OAUTHBEARER' ? parseOauthBearer : parseXoauth2;
  return (authority) => {
    let refusal: Verdict | undefined;
    const settle = (verdict: Verdict): SaslStep => {
      if (verdict.kind !== 'no') return done(verdict);
      // RFC 7628 3.2.3: the error is a challenge, which the client answers before it is refused.
      refusal = verdict;
      return { kind: 'challenge', data: formatOauthFailure('invalid_token') };
    };
    return {
      respond(message) {
        if (!message) return EMPTY_CHALLENGE;
        if (refusal) return done(refusal);
        const said = parse(message.toString('utf8'));
        return said ? authority.bearer(said.username, said.token).then(settle) : MALFORMED;
      },
    };
  };
}
