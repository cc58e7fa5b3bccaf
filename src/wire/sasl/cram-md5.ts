/** CRAM-MD5 (RFC 2195), for devices that support nothing else: it needs the password itself on our side. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { andThen } from '../../model/maybe-promise.ts';
import type { Mechanism } from './server.ts';
import { done, MALFORMED, refused } from './steps.ts';

/** User name, a space, and sixteen bytes in hex. */
const RESPONSE = /^(.{1,255}) ([0-9a-f]{32})$/;

export const cramMd5: Mechanism = (authority, { hostname, random, now }) => {
  const challenge = `<${Buffer.from(random.bytes(12)).toString('hex')}.${now}@${hostname}>`;
  let asked = false;
  return {
    respond(message) {
      if (!asked) {
        // RFC 2195: the server speaks first, so an initial response is ignored.
        asked = true;
        return message ? MALFORMED : { kind: 'challenge', data: challenge };
      }
      const match = RESPONSE.exec(message?.toString('utf8') ?? '');
      if (!match) return MALFORMED;
      return andThen(authority.sharedSecret(match[1]!), ({ secret, outcome }) => {
        const expected = createHmac('md5', secret).update(challenge).digest();
        if (timingSafeEqual(expected, Buffer.from(match[2]!, 'hex'))) return done(outcome);
        return outcome.kind === 'no' ? done(outcome) : refused('wrong');
      });
    },
  };
};
