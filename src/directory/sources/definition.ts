/**
 * The definition of a source: one closed list of kinds, each with its options. An operator's input is checked against
 * it. Errors: OperationalError `directory.invalid`.
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { OperationalError } from '../../model/errors.ts';
import { parseAddress } from '../../protocol/smtp/address.ts';
import { parseDomain } from '../../protocol/smtp/domain.ts';
import { unsafeInLine, unsafeInLines } from '../../protocol/text/unsafe.ts';
import { keyDigest } from '../../world/server-proof.ts';
import { OPTION_CHARACTERS } from './limits.ts';

export const SOURCE_KINDS = ['smtp', 'active-directory', 'ldap', 'minger', 'microsoft-365'] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

export interface SmtpOptions {
  readonly host: string;
  readonly port: number;
  /**
   * `opportunistic`: encrypts if offered, and sends no password; `required`, `implicit`: the certificate is verified.
   */
  readonly tls: 'opportunistic' | 'required' | 'implicit' | 'clear';
  /** PEM; empty: the public authorities. */
  readonly trust: string;
  /** SHA-256 of the server's public key, base64, which counts in place of its certificate; empty: none. */
  readonly pin: string;
  /** Empty: does not sign in. */
  readonly user: string;
  /** The secret is an access token (XOAUTH2), not a password. */
  readonly token: boolean;
  /** Empty: the null reverse-path. */
  readonly sender: string;
}

export interface LdapOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: 'starttls' | 'implicit' | 'clear';
  readonly trust: string;
  /** Empty: an anonymous search. */
  readonly user: string;
  /** Empty: the server's default naming context. */
  readonly base: string;
  /** `%a` the address, `%u` its local part, `%d` its domain. */
  readonly filter: string;
  readonly scope: 'base' | 'one' | 'sub';
  /** Active Directory: a disabled account does not exist. Shared mailboxes are disabled accounts. */
  readonly excludeDisabled: boolean;
}

export interface MingerOptions {
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
  /** Minger has no passwords: a submission port of the same host that accepts them; 0: none. */
  readonly signInPort: number;
  readonly trust: string;
  readonly pin: string;
}

export interface MicrosoftOptions {
  readonly tenant: string;
  readonly clientId: string;
  readonly cloud: 'global' | 'us-gov' | 'us-dod' | 'china';
}

export interface OptionsByKind {
  readonly smtp: SmtpOptions;
  readonly 'active-directory': LdapOptions;
  readonly ldap: LdapOptions;
  readonly minger: MingerOptions;
  readonly 'microsoft-365': MicrosoftOptions;
}

export type SourceDefinition = {
  readonly [K in SourceKind]: { readonly kind: K; readonly options: OptionsByKind[K] };
}[SourceKind];

type Value = string | number | boolean;
export type GivenOptions = Readonly<Record<string, Value | undefined>>;

/** A default, and what a value must be; undefined: valid. */
type Field = readonly [fallback: Value | undefined, wrong: (value: Value) => string | undefined];

const text = (wrong?: (value: string) => string | undefined) => (value: Value) =>
  typeof value !== 'string' || value.length > OPTION_CHARACTERS || unsafeInLine(value) !== undefined
    ? 'must be a text of one line'
    : wrong?.(value);
const oneOf = (...values: readonly string[]) =>
  text((value) => (values.includes(value) ? undefined : `must be one of ${values.join(', ')}`));
const host = text((value) => (isIP(value) || parseDomain(value).ok ? undefined : 'must be a host name or an address'));
const portNumber = (least: number) => (value: Value) =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= 65_535
    ? undefined
    : `must be a port (${least} to 65535)`;
const pem = (value: Value): string | undefined => {
  if (typeof value !== 'string' || value.length > OPTION_CHARACTERS || unsafeInLines(value) !== undefined)
    return 'must be a text';
  try {
    if (value !== '') new X509Certificate(value);
    return undefined;
  } catch {
    return 'must be a certificate in PEM';
  }
};
const pin = text((value) =>
  value === '' || keyDigest(value) ? undefined : 'must be the SHA-256 of a public key in base64',
);
const sender = text((value) => (value === '' || parseAddress(value).ok ? undefined : 'must be an address'));
const filter = text((value) =>
  /^\(.*\)$/s.test(value) && /%[au]/.test(value) ? undefined : 'must be an LDAP filter in brackets that names %a or %u',
);
const word = text((value) => (/^[A-Za-z0-9.-]{1,255}$/.test(value) ? undefined : 'must be a name or a UUID'));
const flag = (value: Value) => (typeof value === 'boolean' ? undefined : 'must be true or false');

const ANY_MAIL = '(|(mail=%a)(proxyAddresses=smtp:%a)(userPrincipalName=%a))';
/** Groups, contacts and public folders get mail too; members of the domain that get none are left out. */
const ACTIVE_DIRECTORY = `(&(|(objectClass=user)(objectClass=group)(objectClass=contact)(objectClass=publicFolder))${ANY_MAIL})`;
const LDAP = '(|(mail=%a)(mailAlternateAddress=%a))';

const directory = (defaultFilter: string): Readonly<Record<keyof LdapOptions, Field>> => ({
  host: [undefined, host],
  port: [389, portNumber(1)],
  tls: ['starttls', oneOf('starttls', 'implicit', 'clear')],
  trust: ['', pem],
  user: ['', text()],
  base: ['', text()],
  filter: [defaultFilter, filter],
  scope: ['sub', oneOf('base', 'one', 'sub')],
  excludeDisabled: [false, flag],
});

const FIELDS: { readonly [K in SourceKind]: Readonly<Record<keyof OptionsByKind[K], Field>> } = {
  smtp: {
    host: [undefined, host],
    port: [25, portNumber(1)],
    tls: ['opportunistic', oneOf('opportunistic', 'required', 'implicit', 'clear')],
    trust: ['', pem],
    pin: ['', pin],
    user: ['', text()],
    token: [false, flag],
    sender: ['', sender],
  },
  'active-directory': directory(ACTIVE_DIRECTORY),
  ldap: directory(LDAP),
  minger: {
    host: [undefined, host],
    port: [4069, portNumber(1)],
    transport: ['udp', oneOf('udp', 'tcp')],
    signInPort: [0, portNumber(0)],
    trust: ['', pem],
    pin: ['', pin],
  },
  'microsoft-365': {
    tenant: [undefined, word],
    clientId: [undefined, word],
    cloud: ['global', oneOf('global', 'us-gov', 'us-dod', 'china')],
  },
};

/** RFC 8314 7.3, and LDAP's. */
const IMPLICIT_PORTS: Readonly<Partial<Record<SourceKind, number>>> = { smtp: 465, ldap: 636, 'active-directory': 636 };

/** `hasSecret`: it has a password that this node would send. */
export function defineSource(kind: SourceKind, given: GivenOptions, hasSecret: boolean): SourceDefinition {
  const fields: Readonly<Record<string, Field>> = FIELDS[kind];
  for (const name of Object.keys(given))
    if (given[name] !== undefined && !fields[name])
      throw invalid(kind, name, `must be one of ${Object.keys(fields).join(', ')}`);
  const options: Record<string, Value> = {};
  for (const [name, [fallback, wrong]] of Object.entries(fields)) {
    const value = given[name] ?? (name === 'port' && given['tls'] === 'implicit' ? IMPLICIT_PORTS[kind] : fallback);
    const problem = value === undefined ? 'must be given' : wrong(value);
    if (problem) throw invalid(kind, name, problem);
    options[name] = value!;
  }
  const definition = { kind, options } as unknown as SourceDefinition;
  mustBeSafe(definition, hasSecret);
  return definition;
}

/** A password travels only in TLS, to a server that proved its identity. */
function mustBeSafe({ kind, options }: SourceDefinition, hasSecret: boolean): void {
  if (kind === 'microsoft-365' && !hasSecret) throw invalid(kind, 'secret', 'must be given');
  if (kind === 'smtp' && options.pin !== '' && !hasSecret)
    throw invalid(kind, 'pin', 'must go with a password: without one nothing secret is said');
  if (kind === 'minger' || kind === 'microsoft-365' || !hasSecret) return;
  if (options.user === '') throw invalid(kind, 'user', 'must be given where a password is');
  const encrypts = options.tls === 'required' || options.tls === 'starttls' || options.tls === 'implicit';
  if (!encrypts && !isOwnMachine(options.host))
    throw invalid(kind, 'tls', 'must verify the server where a password is said');
}

/** Nobody can listen to a connection within this machine. */
export function isOwnMachine(name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

function invalid(kind: SourceKind, name: string, why: string): OperationalError {
  return new OperationalError('directory.invalid', `cannot use this ${kind} source, as its ${name} ${why}`);
}
