/**
 * The credentials with which this node signs in to other mail servers, by host and port: sealed in the database, open
 * in memory. Errors: OperationalError `directory.invalid`, `directory.missing`.
 */
import { X509Certificate } from 'node:crypto';
import { OperationalError } from '../../model/errors.ts';
import type { ClientSecret } from '../../protocol/sasl/client.ts';
import { changeOf, readAgain } from '../../store/changes.ts';
import type { Database, PreparedChange, Row } from '../../store/contract.ts';
import type { Secrets } from '../../store/secrets.ts';
import { prepare } from '../../store/statement.ts';
import { createSalting } from '../../wire/client/salting.ts';
import type { ConnectOptions } from '../../wire/client/types.ts';
import type { Clock } from '../../world/clock.ts';
import type { Random } from '../../world/random.ts';
import { keyDigest, serverProof } from '../../world/server-proof.ts';
import type { ServerName } from '../addresses/names.ts';
import { PASSWORD_BYTES, SERVER_LOGINS, SERVER_PINS, TOKEN_CHARACTERS } from '../limits.ts';
import type { ServerLoginRow, ServerLoginTables } from './login-schema.ts';

/** The parts of one that an operator may see. */
export interface ListedLogin extends ServerName {
  readonly user: string;
  readonly kind: ClientSecret['kind'];
  readonly pins: readonly string[];
  /** Its certificate is verified by an authority that the operator entered, not by the public ones. */
  readonly ownAuthority: boolean;
  readonly implicitTls: boolean;
  /** False: its key is lost, and the secret must be entered again. */
  readonly usable: boolean;
  readonly changedAt: number;
}

export interface ServerLogin {
  readonly user: string;
  /** Different for any two credentials: connections of one are not used for another. */
  readonly key: string;
  /** How to connect; undefined: the secret cannot be opened any more. */
  readonly connect: (Pick<ConnectOptions, 'tls' | 'tlsOptions'> & Required<Pick<ConnectOptions, 'signIn'>>) | undefined;
}

export interface LoginDraft {
  readonly user: string;
  readonly secret: string;
  readonly kind?: ClientSecret['kind'];
  /** SHA-256 of public keys, base64, with or without `sha256/` before it. */
  readonly pins?: readonly string[];
  /** PEM. */
  readonly authority?: string;
  /** Absent: if the port is 465 (RFC 8314 3.3). */
  readonly implicitTls?: boolean;
}

export interface ServerLogins {
  /** `host` in lower case. Undefined: no sign-in at that host. */
  of(host: string, port: number): ServerLogin | undefined;
  list(): readonly ListedLogin[];
  set(server: ServerName, draft: LoginDraft): PreparedChange;
  clear(server: ServerName): PreparedChange;
  /** Called after each change. */
  onChange(listener: () => void): void;
}

interface Known {
  /** The row that was read, as JSON. */
  readonly row: string;
  readonly login: ServerLogin;
  readonly listed: ListedLogin;
}

const SUBMISSIONS_PORT = 465;

export async function openServerLogins(
  db: Database,
  services: { readonly secrets: Secrets; readonly clock: Clock; readonly random: Random },
): Promise<ServerLogins> {
  const { secrets, clock } = services;
  const sql = statements(db);
  const known = new Map<string, Known>();
  const listeners: (() => void)[] = [];
  let made = 0;

  const madeOf = (row: ServerLoginRow): Known => {
    const secret = opened(secrets, row);
    const listed = listedOf(row, secret !== undefined);
    const key = `login ${++made}`;
    return { row: JSON.stringify(row), listed, login: loginOf(row, listed, key, secret, services.random) };
  };
  /** Unchanged logins stay the same objects, and their open connections go on. */
  const follow = (rows: readonly Row[]): void => {
    const next = new Map(rows.map((row) => [placeOf(toRow(row)), toRow(row)]));
    for (const place of known.keys()) if (!next.has(place)) known.delete(place);
    for (const [place, row] of next) if (known.get(place)?.row !== JSON.stringify(row)) known.set(place, madeOf(row));
    for (const listener of listeners) listener();
  };
  follow(await db.read(sql.all({})));
  readAgain(db, ['server_login'], { statement: sql.all({}), take: follow });

  return {
    of: (host, port) => (known.size === 0 ? undefined : known.get(`${host}:${port}`)?.login),
    list: () => [...known.values()].map(({ listed }) => listed),
    set(server, draft) {
      if (known.size >= SERVER_LOGINS && !known.has(placeOf(server)))
        throw invalid(`there must be at most ${SERVER_LOGINS}: there are ${known.size}`);
      const row = checkedRow(server, draft, secrets, clock.now());
      return changeOf([sql.remove({ host: row.host, port: row.port }), sql.add(row)]);
    },
    clear({ host, port }) {
      const place = placeOf({ host, port });
      if (!known.has(place))
        throw new OperationalError(
          'directory.missing',
          `cannot find credentials for ${place}, as they must be set first`,
        );
      return changeOf([sql.remove({ host, port })]);
    },
    onChange: (listener) => void listeners.push(listener),
  };
}

function placeOf({ host, port }: ServerName): string {
  return `${host}:${port}`;
}

function secretName(server: ServerName): string {
  return `server/${placeOf(server)}`;
}

function checkedRow(server: ServerName, draft: LoginDraft, secrets: Secrets, now: number): ServerLoginRow {
  const { user, secret, kind = 'password', pins = [], authority = '', implicitTls } = draft;
  if (!isSayable(user)) throw invalid(`the user must have 1 to ${PASSWORD_BYTES} octets and no control characters`);
  if (kind === 'password' && !isSayable(secret))
    throw invalid(`the password must have 1 to ${PASSWORD_BYTES} octets and no control characters`);
  // RFC 6750 2.1: b64token.
  if (kind === 'token' && (secret.length > TOKEN_CHARACTERS || !/^[A-Za-z0-9\-._~+/]+=*$/.test(secret)))
    throw invalid(`the access token must have at most ${TOKEN_CHARACTERS} characters of A-Z a-z 0-9 - . _ ~ + / =`);
  if (pins.length > SERVER_PINS) throw invalid(`there must be at most ${SERVER_PINS} pins: there are ${pins.length}`);
  if (authority !== '' && !isCertificate(authority)) throw invalid('the authority must be a certificate in PEM');
  return {
    ...server,
    user_name: user,
    kind,
    secret: secrets.seal(secretName(server), Buffer.from(secret)),
    pins: JSON.stringify(pins.map(pinOf)),
    authority,
    implicit_tls: (implicitTls ?? server.port === SUBMISSIONS_PORT) ? 1 : 0,
    changed_at: now,
  };
}

/** RFC 4616 2 allows no NUL, and RFC 4013 2.3 no other control characters. */
function isSayable(text: string): boolean {
  return text !== '' && Buffer.byteLength(text) <= PASSWORD_BYTES && !/\p{Cc}/u.test(text);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

function pinOf(text: string): string {
  const digest = keyDigest(text);
  if (digest) return digest;
  throw invalid(`a pin must be the SHA-256 of the server's public key in base64: current value is ${text}`);
}

function opened(secrets: Secrets, row: ServerLoginRow): string | undefined {
  try {
    return Buffer.from(secrets.open(secretName(row), row.secret)).toString('utf8');
  } catch {
    return undefined;
  }
}

function listedOf(row: ServerLoginRow, usable: boolean): ListedLogin {
  return {
    host: row.host,
    port: row.port,
    user: row.user_name,
    kind: row.kind,
    pins: JSON.parse(row.pins) as readonly string[],
    ownAuthority: row.authority !== '',
    implicitTls: row.implicit_tls !== 0,
    usable,
    changedAt: row.changed_at,
  };
}

function loginOf(
  { authority }: ServerLoginRow,
  { host, user, kind, pins, implicitTls }: ListedLogin,
  key: string,
  secret: string | undefined,
  random: Random,
): ServerLogin {
  if (secret === undefined) return { user, key, connect: undefined };
  const { tlsOptions, doubt } = serverProof({ host, authority, pins });
  const credentials = { user, secret: { kind, text: secret } };
  const signIn = { credentials, doubt, salting: createSalting(), random };
  return { user, key, connect: { tls: implicitTls ? 'implicit' : 'required', tlsOptions, signIn } };
}

function toRow(row: Row): ServerLoginRow {
  const { port, implicit_tls, changed_at } = row;
  const numbers = { port: Number(port), implicit_tls: Number(implicit_tls), changed_at: Number(changed_at) };
  return { ...(row as unknown as ServerLoginRow), ...numbers };
}

function statements({ dialect }: Database) {
  return {
    all: prepare<object, ServerLoginTables>(dialect, (db) =>
      db.selectFrom('server_login').selectAll().orderBy('host').orderBy('port').limit(SERVER_LOGINS),
    ),
    remove: prepare<ServerName, ServerLoginTables>(dialect, (db, p) =>
      db.deleteFrom('server_login').where('host', '=', p('host')).where('port', '=', p('port')),
    ),
    add: prepare<ServerLoginRow, ServerLoginTables>(dialect, (db, p) =>
      db.insertInto('server_login').values({
        host: p('host'),
        port: p('port'),
        user_name: p('user_name'),
        kind: p('kind'),
        secret: p('secret'),
        pins: p('pins'),
        authority: p('authority'),
        implicit_tls: p('implicit_tls'),
        changed_at: p('changed_at'),
      }),
    ),
  };
}

function invalid(why: string): OperationalError {
  return new OperationalError('directory.invalid', `cannot keep these credentials, as ${why}`);
}
