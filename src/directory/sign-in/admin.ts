/**
 * Changing credentials: passwords under the rules of their domain, app passwords, certificates, states, send-as
 * grants, administrators. Each change is checked and returned prepared (admin.ts).
 *
 * Errors: OperationalError `directory.password` (with what the password must be), `directory.invalid`,
 * `directory.exists`, `directory.missing`, `directory.busy`.
 */
import { X509Certificate } from 'node:crypto';
import { addressKey } from '../../model/address.ts';
import { OperationalError } from '../../model/errors.ts';
import { ROLES, type Role } from '../../model/role.ts';
import { saslprep } from '../../protocol/sasl/saslprep.ts';
import type { ScramVerifier } from '../../protocol/sasl/scram.ts';
import type { Settings } from '../../settings/contract.ts';
import { changeOf } from '../../store/changes.ts';
import type { Database, PreparedChange, Row, Statement } from '../../store/contract.ts';
import type { Secrets } from '../../store/secrets.ts';
import type { Clock } from '../../world/clock.ts';
import type { Random } from '../../world/random.ts';
import { anyAddress, domainName } from '../addresses/names.ts';
import { APP_PASSWORDS, NAME_CHARACTERS, SCRAM, SEND_AS_GRANTS } from '../limits.ts';
import { appPasswordDigest, formatVerifier, type Login, loginKey, readLogin } from './logins.ts';
import type { Hashing } from './passwords/hashing.ts';
import { hashPassword, isTriedFirst, verifyPassword } from './passwords/password.ts';
import { impossible, TRIED_FIRST, weakness, weakPassword } from './passwords/rules.ts';
import { passwordSettings } from './settings.ts';
import { credentialStatements } from './statements.ts';

export type AccountState = Login['state'];

export interface AppPassword {
  readonly name: string;
  readonly createdAt: number;
}

export interface ClientCertificate {
  /** SHA-256 of the certificate, hex. */
  readonly fingerprint: string;
  readonly createdAt: number;
}

export interface Administrator {
  readonly login: string;
  /** Absent: of everything. */
  readonly domain?: string;
  readonly role: Role;
  readonly createdAt: number;
}

export interface CredentialAdminServices {
  readonly secrets: Secrets;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  readonly hashing: Hashing;
}

export interface NewPassword {
  readonly login: string;
  readonly domain: string;
  readonly name: string;
  readonly password: string;
  /** Store the password itself, sealed, so that CRAM-MD5 works. Undefined: unchanged. */
  readonly cramMd5?: boolean;
}

export type CredentialAdmin = ReturnType<typeof createCredentialAdmin>;

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

export function createCredentialAdmin(db: Database, services: CredentialAdminServices) {
  const { secrets, settings, clock, random, hashing } = services;
  const statements = credentialStatements(db.dialect);

  async function existing(text: string): Promise<Login> {
    const key = loginKey(text);
    const login = key === undefined ? undefined : await readLogin(db, statements, key);
    if (login && !login.login.startsWith('@')) return login;
    throw new OperationalError('directory.missing', `cannot find the account ${text}, as it must be added first`);
  }

  function mustHave(rows: readonly Row[], column: string, value: string, what: string): void {
    if (rows.some((row) => row[column] === value)) return;
    throw new OperationalError(
      'directory.missing',
      `cannot find the ${what} ${value}, as it must be among those listed`,
    );
  }

  async function checkStrength(next: NewPassword): Promise<void> {
    const { login, domain, name, password } = next;
    const never = impossible(password);
    if (never !== undefined) throw weakPassword(never);
    const snapshot = settings.current();
    const owner = login.startsWith('@') ? { domain } : { domain, account: login };
    if (!snapshot.get(passwordSettings.strong, owner)) return;
    const must = weakness(
      password,
      { login, name },
      {
        leastCharacters: snapshot.get(passwordSettings.minCharacters, owner),
        leastClasses: snapshot.get(passwordSettings.minClasses, owner),
      },
    );
    if (must !== undefined) throw weakPassword(must);
    if (await isTriedFirst(hashing, password)) throw weakPassword(TRIED_FIRST);
    const limit = snapshot.get(passwordSettings.history, owner);
    const former = limit === 0 ? [] : await db.read(statements.history({ login, limit }));
    for (const row of former)
      if (await verifyPassword(hashing, password, row['password'] as string))
        throw weakPassword(`be new: it is one of the last ${limit}`);
  }

  /** SASLprep first (RFC 5802 2.2); a password that cannot be prepared signs in by other mechanisms. */
  async function scramVerifier(password: string): Promise<ScramVerifier | undefined> {
    const normal = saslprep(password);
    if (normal === undefined) return undefined;
    const salt = random.bytes(SCRAM.saltBytes);
    const keys = await hashing.run({ kind: 'scram', password: normal, salt, iterations: SCRAM.iterations });
    return { salt, iterations: SCRAM.iterations, storedKey: keys.subarray(0, 32), serverKey: keys.subarray(32) };
  }

  /** The statements that set this password for `login`. For a new account they follow the one that creates it. */
  async function passwordStatements(next: NewPassword): Promise<readonly Statement[]> {
    await checkStrength(next);
    const { login, domain, password } = next;
    const before = await readLogin(db, statements, login);
    const phc = await hashPassword(hashing, password, random.bytes);
    const verifier = settings.current().get(passwordSettings.scram, { domain })
      ? await scramVerifier(password)
      : undefined;
    const keepsSecret = next.cramMd5 ?? before?.secret !== undefined;
    const at = clock.now();
    const isDomain = login.startsWith('@');
    return [
      statements.setLogin({
        login,
        domain,
        password: isDomain ? phc : null,
        scram: verifier ? formatVerifier(verifier) : null,
        secret: keepsSecret ? secrets.seal(`login/${login}`, Buffer.from(password)) : null,
        changed_at: at,
      }),
      ...(isDomain ? [] : [statements.setAccountPassword({ login, password: phc })]),
      statements.remember({ login, password: phc, changed_at: at }),
      statements.trimHistory({ login }),
    ];
  }

  return {
    passwordStatements,

    async setPassword(text: string, password: string, cramMd5?: boolean): Promise<PreparedChange> {
      const { login, domain, name } = await existing(text);
      return changeOf(await passwordStatements({ login, domain, name, password, cramMd5 }));
    },

    /** The login by which users or servers of a whole domain sign in: its name. The empty password removes it. */
    async setDomainPassword(text: string, password: string): Promise<PreparedChange> {
      const domain = domainName(text);
      const login = `@${domain}`;
      if ((await db.read(statements.domain({ domain }))).length === 0)
        throw new OperationalError('directory.missing', `cannot find the domain ${domain}, as it must be added first`);
      if (password === '') return changeOf([statements.removeLogin({ login })]);
      return changeOf(await passwordStatements({ login, domain, name: '', password }));
    },

    async setState(text: string, state: AccountState): Promise<PreparedChange> {
      const { login } = await existing(text);
      return changeOf([statements.setState({ login, state })]);
    },

    stateStatement: (login: string, state: AccountState): Statement => statements.setState({ login, state }),

    /** Only the answer contains the password. */
    async addAppPassword(
      text: string,
      label: string,
    ): Promise<{ readonly password: string; readonly change: PreparedChange }> {
      const { login } = await existing(text);
      const name = label.trim();
      if (name === '' || name.length > NAME_CHARACTERS)
        throw new OperationalError(
          'directory.invalid',
          `cannot add the app password, as its name must have 1 to ${NAME_CHARACTERS} characters: it has ${name.length}`,
        );
      const present = await db.read(statements.appPasswords({ login }));
      if (present.some((row) => row['name'] === name))
        throw new OperationalError('directory.exists', `cannot add the app password ${name}, as it must be new`);
      if (present.length >= APP_PASSWORDS)
        throw new OperationalError(
          'directory.invalid',
          `cannot add an app password, as there must be at most ${APP_PASSWORDS}: there are ${present.length}`,
        );
      const groups = Array.from({ length: 5 }, () =>
        Array.from({ length: 5 }, () => BASE32[random.below(BASE32.length)]!).join(''),
      );
      const password = groups.join('-');
      const digest = appPasswordDigest(password)!;
      return {
        password,
        change: changeOf([statements.addAppPassword({ login, name, digest, created_at: clock.now() })]),
      };
    },

    async listAppPasswords(text: string): Promise<readonly AppPassword[]> {
      const { login } = await existing(text);
      const rows = await db.read(statements.appPasswords({ login }));
      return rows.map((row) => ({ name: row['name'] as string, createdAt: Number(row['created_at']) }));
    },

    async removeAppPassword(text: string, name: string): Promise<PreparedChange> {
      const { login } = await existing(text);
      mustHave(await db.read(statements.appPasswords({ login })), 'name', name, 'app password');
      return changeOf([statements.removeAppPassword({ login, name })]);
    },

    /** `pem`: the certificate that the client will present; its key stays with the client. */
    async addCertificate(
      text: string,
      pem: string,
    ): Promise<{ readonly fingerprint: string; readonly change: PreparedChange }> {
      const { login } = await existing(text);
      const fingerprint = certificateFingerprint(pem);
      const [taken] = await db.read(statements.certificate({ fingerprint }));
      if (taken)
        throw new OperationalError(
          'directory.exists',
          `cannot add the certificate, as it must be new: ${taken['login']} has it`,
        );
      return {
        fingerprint,
        change: changeOf([statements.addCertificate({ fingerprint, login, created_at: clock.now() })]),
      };
    },

    async listCertificates(text: string): Promise<readonly ClientCertificate[]> {
      const { login } = await existing(text);
      const rows = await db.read(statements.certificates({ login }));
      return rows.map((row) => ({
        fingerprint: row['fingerprint'] as string,
        createdAt: Number(row['created_at']),
      }));
    },

    /** `hex`: in the form of the list, or with colons as OpenSSL prints it. */
    async removeCertificate(text: string, hex: string): Promise<PreparedChange> {
      const { login } = await existing(text);
      const fingerprint = hex.replaceAll(':', '').toLowerCase();
      mustHave(await db.read(statements.certificates({ login })), 'fingerprint', fingerprint, 'certificate');
      return changeOf([statements.removeCertificate({ login, fingerprint })]);
    },

    async listSendAs(text: string): Promise<readonly string[]> {
      const { login } = await existing(text);
      return (await db.read(statements.sendAs({ login }))).map((row) => row['sender'] as string);
    },

    async addSendAs(text: string, sender: string): Promise<PreparedChange> {
      const { login } = await existing(text);
      const granted = await db.read(statements.sendAs({ login }));
      if (granted.length >= SEND_AS_GRANTS)
        throw new OperationalError(
          'directory.invalid',
          `cannot let ${login} write as another, as there must be at most ${SEND_AS_GRANTS} grants: there are ${granted.length}`,
        );
      return changeOf([statements.addSendAs({ login, sender: senderKey(sender) })]);
    },

    async removeSendAs(text: string, granted: string): Promise<PreparedChange> {
      const { login } = await existing(text);
      const sender = senderKey(granted);
      mustHave(await db.read(statements.sendAs({ login })), 'sender', sender, 'grant to write as');
      return changeOf([statements.removeSendAs({ login, sender })]);
    },

    /** Without a domain: of everything. An existing administrator gets the new role from then on. */
    async addAdministrator(text: string, domain?: string, role: Role = 'administrator'): Promise<PreparedChange> {
      const { login } = await existing(text);
      const of = domain === undefined ? '' : domainName(domain);
      if (of !== '' && (await db.read(statements.domain({ domain: of }))).length === 0)
        throw new OperationalError('directory.missing', `cannot find the domain ${of}, as it must be added first`);
      if (of === '' && role === 'domain-administrator')
        throw new OperationalError('directory.invalid', `cannot make ${login} a ${role}, as a domain must be given`);
      return changeOf([statements.addAdministrator({ login, domain: of, role, created_at: clock.now() })]);
    },

    async removeAdministrator(text: string, domain?: string): Promise<PreparedChange> {
      const login = addressKey(anyAddress(text));
      const of = domain === undefined ? '' : domainName(domain);
      const present = await db.read(statements.administrators({}));
      if (!present.some((row) => row['login'] === login && row['domain'] === of))
        throw new OperationalError('directory.missing', `cannot find the administrator ${login}${of && ` of ${of}`}`);
      return changeOf([statements.removeAdministrator({ login, domain: of })]);
    },

    async listAdministrators(): Promise<readonly Administrator[]> {
      const rows = await db.read(statements.administrators({}));
      // A role of a newer version grants nothing here.
      return rows
        .filter((row) => ROLES.includes(row['role'] as Role))
        .map((row) => ({
          login: row['login'] as string,
          ...(row['domain'] === '' ? {} : { domain: row['domain'] as string }),
          role:
            row['role'] === 'administrator' && row['domain'] !== '' ? 'domain-administrator' : (row['role'] as Role),
          createdAt: Number(row['created_at']),
        }));
    },

    /** The rows that are removed with an account. */
    removalsOf: (text: string): PreparedChange =>
      changeOf(statements.removeLike.map((remove) => remove({ pattern: escaped(addressKey(anyAddress(text))) }))),

    /** The rows that are removed with a domain: its login, and those of all its accounts. */
    removalsOfDomain: (domain: string): PreparedChange =>
      changeOf(statements.removeLike.map((remove) => remove({ pattern: `%@${escaped(domainName(domain))}` }))),
  };
}

/** An address, or `@domain`. */
function senderKey(text: string): string {
  const sender = text.trim();
  return sender.startsWith('@') ? `@${domainName(sender.slice(1))}` : addressKey(anyAddress(sender));
}

/** For LIKE. */
function escaped(text: string): string {
  return text.replace(/[%_!]/g, '!$&');
}

function certificateFingerprint(pem: string): string {
  try {
    return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
  } catch (cause) {
    throw new OperationalError('directory.invalid', 'cannot use the certificate, as it must be one in PEM', { cause });
  }
}
