/** Logins in the form of the database: their keys, rows, and the stored forms of proofs. */
import { createHash } from 'node:crypto';
import { addressKey } from '../../model/address.ts';
import type { ScramVerifier } from '../../protocol/sasl/scram.ts';
import { parseAddress } from '../../protocol/smtp/address.ts';
import { parseDomain } from '../../protocol/smtp/domain.ts';
import type { Database, Row, Statement } from '../../store/contract.ts';
import type { CredentialStatements } from './statements.ts';

/** A login from the database. */
export interface Login {
  readonly login: string;
  readonly domain: string;
  readonly name: string;
  readonly state: 'active' | 'frozen' | 'disabled';
  readonly enabled: boolean;
  readonly password: string | undefined;
  readonly scram: string | undefined;
  readonly secret: string | undefined;
  readonly changedAt: number | undefined;
}

/** `user@domain` as a key, `@domain` for a bare domain; undefined for anything else. */
export function loginKey(username: string): string | undefined {
  const name = username.trim();
  if (name.includes('@')) {
    const address = parseAddress(name);
    return address.ok ? addressKey(address.value) : undefined;
  }
  const domain = parseDomain(name);
  return domain.ok && name.includes('.') ? `@${domain.value}` : undefined;
}

export function statementFor(statements: CredentialStatements, login: string): Statement {
  return login.startsWith('@') ? statements.ofDomain({ login }) : statements.ofAccount({ login });
}

export async function readLogin(
  db: Database,
  statements: CredentialStatements,
  key: string,
): Promise<Login | undefined> {
  const [row] = await db.read(statementFor(statements, key));
  return row && toLogin(row);
}

export function toLogin(row: Row): Login {
  const text = (name: string): string | undefined => (row[name] as string | null) ?? undefined;
  return {
    login: row['login'] as string,
    domain: row['domain'] as string,
    name: text('name') ?? '',
    state: row['state'] as Login['state'],
    enabled: Number(row['enabled']) !== 0,
    password: text('password'),
    scram: text('scram'),
    secret: text('secret'),
    changedAt: row['changed_at'] === null ? undefined : Number(row['changed_at']),
  };
}

/** Twenty-five characters of base32: 125 bits. Spaces and dashes between them are ignored. */
const APP_PASSWORD = /^[a-z2-7]{25}$/;

/** Undefined for text that cannot be an app password. */
export function appPasswordDigest(password: string): string | undefined {
  const bare = password.replace(/[ -]/g, '').toLowerCase();
  return APP_PASSWORD.test(bare) ? createHash('sha256').update(bare).digest('hex') : undefined;
}

interface StoredVerifier {
  readonly salt: string;
  readonly iterations: number;
  readonly storedKey: string;
  readonly serverKey: string;
}

export function formatVerifier({ salt, iterations, storedKey, serverKey }: ScramVerifier): string {
  const text = (octets: Uint8Array): string => Buffer.from(octets).toString('base64');
  const stored: StoredVerifier = {
    salt: text(salt),
    iterations,
    storedKey: text(storedKey),
    serverKey: text(serverKey),
  };
  return JSON.stringify(stored);
}

export function parseVerifier(json: string): ScramVerifier {
  const { salt, iterations, storedKey, serverKey } = JSON.parse(json) as StoredVerifier;
  const octets = (text: string): Buffer => Buffer.from(text, 'base64');
  return { salt: octets(salt), iterations, storedKey: octets(storedKey), serverKey: octets(serverKey) };
}
