/**
 * SCRAM-SHA-256 and -PLUS (RFC 5802, RFC 7677, RFC 9266), the server. Unknown users get a verifier that nobody can
 * satisfy and the same messages. A client that supports channel binding and believes that we do not (`y`) is refused:
 * somebody between us removed -PLUS from the list.
 */
import { andThen } from '../../model/maybe-promise.ts';
import {
  type ClientFirst,
  formatServerFinal,
  formatServerFirst,
  parseClientFinal,
  parseClientFirst,
  type ScramVerifier,
  verifyProof,
} from '../../protocol/sasl/scram.ts';
import type { Mechanism, SaslChannel, SaslStep } from './server.ts';
import { done, EMPTY_CHALLENGE, isSelf, MALFORMED, refused } from './steps.ts';
import type { SaslVerdict } from './types.ts';

const NONCE_BYTES = 18;

interface Known {
  readonly first: ClientFirst;
  readonly nonce: string;
  readonly serverFirst: string;
  readonly verifier: ScramVerifier;
  readonly outcome: SaslVerdict;
}

export function scram(plus: boolean): Mechanism {
  return (authority, channel) => {
    let known: Known | undefined;
    let proven: SaslVerdict | undefined;

    function begin(message: Buffer): SaslStep | Promise<SaslStep> {
      const first = parseClientFirst(message.toString('utf8'));
      if (!first || !fits(first, plus, channel)) return MALFORMED;
      if (!isSelf(first.authorization, first.username)) return refused('not-allowed');
      return andThen(authority.scram(first.username), ({ verifier, outcome }) => {
        const nonce = first.nonce + Buffer.from(channel.random.bytes(NONCE_BYTES)).toString('base64');
        const serverFirst = formatServerFirst(nonce, verifier.salt, verifier.iterations);
        known = { first, nonce, serverFirst, verifier, outcome };
        return { kind: 'challenge', data: serverFirst } as const;
      });
    }

    function finish(message: Buffer, { first, nonce, serverFirst, verifier, outcome }: Known): SaslStep {
      const final = parseClientFinal(message.toString('utf8'));
      if (!final) return MALFORMED;
      const bound = Buffer.concat([Buffer.from(first.gs2Header), plus ? channel.binding! : Buffer.alloc(0)]);
      if (final.nonce !== nonce || !final.binding.equals(bound)) return refused('wrong');
      const exchange = {
        clientFirstBare: first.bare,
        serverFirst,
        clientFinalWithoutProof: final.withoutProof,
      };
      if (!verifyProof(verifier, exchange, final.proof)) return done(failed(outcome));
      if (outcome.kind !== 'yes') return done(outcome);
      // RFC 4422 5: our proof goes as a challenge where success carries no data; the client answers it with an empty
      // response.
      proven = outcome;
      return { kind: 'challenge', data: formatServerFinal(verifier, exchange) };
    }

    return {
      respond(message) {
        if (!message) return EMPTY_CHALLENGE;
        if (proven) return message.length === 0 ? done(proven) : MALFORMED;
        return known ? finish(message, known) : begin(message);
      },
    };
  };
}

/** RFC 5802 6. */
function fits({ binding }: ClientFirst, plus: boolean, channel: SaslChannel): boolean {
  if (plus) return binding.kind === 'used' && binding.type === 'tls-exporter' && channel.binding !== undefined;
  return binding.kind === 'none' || (binding.kind === 'unoffered' && channel.binding === undefined);
}

function failed(outcome: SaslVerdict): SaslVerdict {
  return outcome.kind === 'no' && outcome.reason === 'unknown' ? outcome : { kind: 'no', reason: 'wrong' };
}
