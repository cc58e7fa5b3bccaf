/** EXTERNAL (RFC 4422 appendix A): TLS has already proven who the client is; it may name the account it wants. */
import { andThen } from '../../model/maybe-promise.ts';
import type { Mechanism } from './server.ts';
import { done, EMPTY_CHALLENGE, MALFORMED, refused } from './steps.ts';

const LONGEST_NAME = 255;

export const external: Mechanism = (authority, { certificate }) => ({
  respond(message) {
    if (!message) return EMPTY_CHALLENGE;
    if (message.length > LONGEST_NAME) return MALFORMED;
    if (certificate === undefined) return refused('not-allowed');
    return andThen(authority.certificate(certificate, message.toString('utf8')), done);
  },
});
