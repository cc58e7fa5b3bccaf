/** The steps that several mechanisms share. */
import type { SaslStep } from './server.ts';
import type { Refusal, SaslVerdict } from './types.ts';

export const MALFORMED: SaslStep = { kind: 'malformed' };
export const EMPTY_CHALLENGE: SaslStep = { kind: 'challenge', data: '' };

export function done(verdict: SaslVerdict): SaslStep {
  return { kind: 'done', verdict };
}

export function refused(reason: Refusal): SaslStep {
  return done({ kind: 'no', reason });
}

/** Nobody may act for another account: an authorization identity must be the one that signs in, or absent. */
export function isSelf(authorization: string, username: string): boolean {
  return authorization === '' || authorization.toLowerCase() === username.toLowerCase();
}
