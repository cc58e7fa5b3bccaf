/**
 * Rules for strong passwords. Length counts most: character classes are required only below 15 characters (NIST SP
 * 800-63B 3.1.1.2), and passwords that guessers try first are refused at any length.
 */
import { OperationalError } from '../../../model/errors.ts';
import { PASSWORD_BYTES } from '../../limits.ts';

export interface PasswordRules {
  readonly leastCharacters: number;
  /** Classes among small letters, capitals, digits and others, below LONG_CHARACTERS. */
  readonly leastClasses: number;
}

/** From here on, length replaces character classes. */
export const LONG_CHARACTERS = 15;

export interface PasswordOwner {
  /** Its address, or `@domain`. */
  readonly login: string;
  /** The display name; may be empty. */
  readonly name: string;
}

/**
 * The rule that it violates (`be at least 10 characters long: it has 7`), or undefined. Never contains the password.
 * Whether it is a common one is checked elsewhere (isTriedFirst), in a thread.
 */
export function weakness(password: string, owner: PasswordOwner, rules: PasswordRules): string | undefined {
  const characters = [...password].length;
  if (characters < rules.leastCharacters)
    return `be at least ${rules.leastCharacters} characters long: it has ${characters}`;
  if (characters < LONG_CHARACTERS && classes(password) < rules.leastClasses)
    return `have ${rules.leastClasses} of small letters, capitals, digits and other characters, or be at least ${LONG_CHARACTERS} characters long`;
  if (hasName(password, owner)) return 'not contain the name that it belongs to';
  return undefined;
}

/** The violated rule for a common password (common-passwords.ts), in the form of `weakness`. */
export const TRIED_FIRST = 'not be one that everybody tries: it is a common password, or one with little added';

/** Rules without exemption. */
export function impossible(password: string): string | undefined {
  if (password === '') return 'not be empty';
  if (/\p{Cc}/u.test(password)) return 'have no control characters';
  const octets = Buffer.byteLength(password);
  return octets > PASSWORD_BYTES ? `have at most ${PASSWORD_BYTES} octets: it has ${octets}` : undefined;
}

export function weakPassword(must: string): OperationalError {
  return new OperationalError('directory.password', `cannot set the password, as it must ${must}`);
}

function classes(password: string): number {
  return [/\p{Ll}/u, /\p{Lu}/u, /\p{Nd}/u, /[^\p{Ll}\p{Lu}\p{Nd}]/u].filter((kind) => kind.test(password)).length;
}

/** Shorter parts of names are in too many honest passwords. */
const NAME_PART = 4;

function hasName(password: string, { login, name }: PasswordOwner): boolean {
  const lower = password.toLowerCase();
  const at = login.lastIndexOf('@');
  const words = [login.slice(0, at), login.slice(at + 1).split('.')[0]!, ...name.split(/\s+/)];
  return words
    .flatMap((word) => [word, ...word.split(/[._+-]/)])
    .some((word) => word.length >= NAME_PART && lower.includes(word.toLowerCase()));
}
