/** Which issuers may vouch for which domains (OAUTHBEARER, XOAUTH2), and the parser of a line that names one. */
import { X509Certificate } from 'node:crypto';
import type { SettingsSnapshot } from '../../../settings/contract.ts';
import { defineSettings, flag, list, text } from '../../../settings/define.ts';
import { ISSUERS_OF_ONE } from './limits.ts';

export interface TrustedIssuer {
  /** In the spelling of its tokens (RFC 8414 2). */
  readonly url: string;
  /** A token must be for one of these. */
  readonly audiences: readonly string[];
}

/** `https://issuer.example/path audience...`; undefined: something else. */
export function parseIssuer(line: string): TrustedIssuer | undefined {
  const [url = '', ...audiences] = line.trim().split(/\s+/);
  if (audiences.length === 0 || !isIssuerUrl(url)) return undefined;
  return { url, audiences };
}

/** RFC 8414 2: https, and neither query nor fragment. */
function isIssuerUrl(value: string): boolean {
  if (!value.startsWith('https://') || !URL.canParse(value)) return false;
  const { search, hash, username, password } = new URL(value);
  return search === '' && hash === '' && username === '' && password === '' && !/[?#]/.test(value);
}

export const tokenSettings = defineSettings('oauth', {
  issuers: list(
    [],
    'Who may vouch for users by a token in place of a password (SMTP AUTH OAUTHBEARER and XOAUTH2, offered while there is any): for each issuer its URL and, behind spaces, the client ids or audiences of which a token must name one: `https://login.microsoftonline.com/TENANT-ID/v2.0 CLIENT-ID`, `https://accounts.google.com CLIENT-ID`. The URL is spelled as in the tokens; its keys are found by `/.well-known/openid-configuration` or `/.well-known/oauth-authorization-server`. Set for a domain (`--domain`), these issuers vouch for its users and those set for all do not; nobody vouches for users of a domain where it is not said. Set for all domains, an issuer may sign anybody in: do that only where it is your own. The account must exist here.',
    {
      scope: 'domain',
      maxItems: ISSUERS_OF_ONE,
      check(lines) {
        const wrong = lines.find((line) => !parseIssuer(line));
        return wrong === undefined
          ? undefined
          : `must be a list of https URLs, each with at least one audience behind a space, and ${wrong} is none`;
      },
    },
  ),
  addressClaims: list(
    ['email'],
    'Which claims of a token name the user’s address: the first that the token has counts, whatever the others say. Only `email` is verified (`oauth.verifiedEmail`). Add `preferred_username` or `upn` where your issuer sends no verified `email`, as Entra ID does, and your users cannot change them: who may choose a `preferred_username` may choose to be somebody else.',
    { maxItems: 10 },
  ),
  verifiedEmail: flag(
    true,
    'The claim `email` counts only in tokens that say `email_verified: true`. Where they say false, they are refused; where they do not say, the next of `oauth.addressClaims` counts. Turn it off only for an issuer whose administrators, and nobody else, set addresses.',
    { scope: 'domain' },
  ),
  scopes: list(
    [],
    'Scopes that a token must have, all of them (claims `scope` and `scp`). Empty: none is asked for, and the audience alone says that the token is meant for here.',
    { scope: 'domain', maxItems: 20 },
  ),
  trust: text(
    '',
    'A certificate in PEM that vouches for issuers in place of the public authorities: for an issuer inside your network.',
    { maxLength: 20_000, lines: true, check: certificateOnly },
  ),
});

function certificateOnly(value: string): string | undefined {
  try {
    if (value !== '') new X509Certificate(value);
    return undefined;
  } catch {
    return 'must be a certificate in PEM';
  }
}

/** Claims that name users and are not verified, while tokens are in use: for `postern check`. */
export function unverifiedClaims(snapshot: SettingsSnapshot): readonly string[] {
  const { issuers, addressClaims, verifiedEmail } = tokenSettings;
  if (snapshot.get(issuers).length === 0 && !snapshot.isOverridden?.(issuers)) return [];
  return snapshot.get(addressClaims).filter((claim) => claim !== 'email' || !snapshot.get(verifiedEmail));
}
