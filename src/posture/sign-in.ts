/** Sign-in: passwords that cross the network in clear, and passwords that are stored. */
import type { SealedPasswords } from '../directory/sign-in/passwords/sealed-passwords.ts';
import { good, type PostureResult, problem } from './types.ts';

const CLEAR = {
  code: 'in-clear',
  severity: 'critical',
  why: 'Passwords may cross the network in clear, for whoever listens. Set smtp.authRequiresTls to true.',
} as const;

const CRAM_MD5 = {
  code: 'cram-md5',
  severity: 'advice',
  why: 'The password itself is kept, sealed: whoever steals the database and its key reads it. Where the program can do better, set the password anew without --cram-md5.',
} as const;

const CLAIMS = {
  code: 'unverified-claims',
  severity: 'advice',
  why: 'Where users of the issuer can change such a claim, one may sign in as another. Set oauth.addressClaims to email, and oauth.verifiedEmail to true, unless the issuer sends no verified email and its administrators alone set the claim.',
} as const;

/** `claims`: claims of tokens that name users and are not verified. */
export function checkSignIn(
  needsTls: boolean,
  { logins, count }: SealedPasswords,
  claims: readonly string[] = [],
): readonly PostureResult[] {
  const about = { test: 'sign-in', subject: 'AUTH' } as const;
  const results: PostureResult[] = [];
  if (!needsTls) results.push(problem(about, CLEAR, 'AUTH is offered without TLS'));
  for (const login of logins)
    results.push(problem({ test: 'sign-in', subject: login }, CRAM_MD5, `${login} signs in by CRAM-MD5`));
  if (count > logins.length)
    results.push(problem(about, CRAM_MD5, `${count - logins.length} more accounts sign in by CRAM-MD5`));
  if (claims.length > 0) {
    const seen = `tokens name their users by ${claims.join(', ')}, which nobody verifies`;
    results.push(problem({ test: 'sign-in', subject: 'oauth.addressClaims' }, CLAIMS, seen));
  }
  return results.length > 0 ? results : [good(about, 'passwords are said inside TLS only, and none is kept')];
}
