/** Settings of passwords. */
import { amount, count, defineSettings, flag } from '../../settings/define.ts';

export const passwordSettings = defineSettings('passwords', {
  strong: flag(
    true,
    'Passwords must be strong: long enough (`passwords.minCharacters`), of several classes of characters when they are short, without the name or address of their owner, and none that is tried first (a list of 49,000 that leaked, each with what people add to them, keyboard walks, sequences). Off for an account: that account is exempt.',
    { scope: 'account' },
  ),
  minCharacters: count(10, { min: 8, max: 64 }, 'The fewest characters of a password.', { scope: 'domain' }),
  minClasses: count(
    3,
    { min: 1, max: 4 },
    'How many of the four classes (small letters, capitals, digits, others) a password of fewer than 15 characters must have. Longer ones are strong by their length.',
    { scope: 'domain' },
  ),
  history: count(
    5,
    { min: 0, max: 24 },
    'How many earlier passwords may not be used again. Setting a password compares it with each, which takes a quarter of a second a piece.',
    { scope: 'domain' },
  ),
  expire: flag(
    false,
    'Passwords end after `passwords.maxAgeDays`: sign-ins are refused until a new one is set. NIST SP 800-63B 3.1.1.2 advises against it, since people then choose weaker ones.',
    { scope: 'domain' },
  ),
  maxAgeDays: amount(365, 'days', { min: 7, max: 3650 }, 'How long a password lasts where `passwords.expire` is on.', {
    scope: 'domain',
  }),
  scram: flag(
    false,
    'Keep a SCRAM-SHA-256 verifier beside the hash of each password that is set from now on, so that clients can sign in without saying it. It is quicker to guess from a stolen database than the hash (PBKDF2 with 100,000 rounds in place of Argon2id), so it is made only where this is on. SCRAM is offered once somebody has a verifier.',
    { scope: 'domain' },
  ),
});
