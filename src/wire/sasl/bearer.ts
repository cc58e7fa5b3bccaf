/** OAUTHBEARER (RFC 7628) and XOAUTH2: a token of an issuer that this node trusts. */
import { formatOauthFailure, formatXoauth2Failure, parseOauthBearer, parseXoauth2 } from '../../protocol/sasl/oauth.ts';
import type { Mechanism, SaslStep } from './server.ts';
import { done, EMPTY_CHALLENGE, MALFORMED } from './steps.ts';
import type { SaslVerdict } from './types.ts';

const FORMS = {
  OAUTHBEARER: { parse: parseOauthBearer, format: formatOauthFailure },
  XOAUTH2: { parse: parseXoauth2, format: formatXoauth2Failure },
} as const;

export function bearer(mechanism: keyof typeof FORMS): Mechanism {
  const { parse, format } = FORMS[mechanism];
  const settle = (verdict: SaslVerdict): SaslStep => {
    if (verdict.kind !== 'no') return done(verdict);
    // RFC 7628 3.2.3: the error is sent as a challenge, which the client answers before it is refused.
    const data = format(verdict.token ?? { status: 'invalid_token' });
    return { kind: 'refusal', data, verdict };
  };
  return (authority) => ({
    respond(message) {
      if (!message) return EMPTY_CHALLENGE;
      const said = parse(message.toString('utf8'));
      return said ? authority.bearer(said.username, said.token).then(settle) : MALFORMED;
    },
  });
}
