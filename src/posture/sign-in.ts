/** Signing in: passwords that cross the network in clear, and those that are kept. */
import type { SealedPasswords } from '../directory/sealed-passwords.ts';
import { good, type PostureResult, problem } from './words.ts';

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

export function checkSignIn(needsTls: boolean, { logins, count }: SealedPasswords): readonly PostureResult[] {
  const about = { test: 'sign-in', subject: 'AUTH' } as const;
  const results: PostureResult[] = [];
  if (!needsTls) results.push(problem(about, CLEAR, 'AUTH is offered without TLS'));
  for (const login of logins)
    results.push(problem({ test: 'sign-in', subject: login }, CRAM_MD5, `${login} signs in by CRAM-MD5`));
  if (count > logins.length)
    results.push(problem(about, CRAM_MD5, `${count - logins.length} more accounts sign in by CRAM-MD5`));
  return results.length > 0 ? results : [good(about, 'passwords are said inside TLS only, and none is kept')];
}
