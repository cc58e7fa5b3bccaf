/**
 * DKIM keys of the domains: those that sign, from memory; and the changes by rotation and operators.
 *
 * Private keys leave the database sealed and are opened on first use. A change fails as a whole if another writer
 * changed the keys from which it was decided (`isOvertaken`): then it must be decided again.
 * Errors: those of store/secrets.ts; OperationalError `dkim.missing`, `dkim.state`.
 */
import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { OperationalError } from '../../model/errors.ts';
import type { MaybePromise } from '../../model/maybe-promise.ts';
import type { SigningAlgorithm } from '../../protocol/dkim/signature.ts';
import { changeOf } from '../../store/changes.ts';
import type { Database, PreparedChange, Row, Statement } from '../../store/contract.ts';
import type { Secrets } from '../../store/secrets.ts';
import type { Clock } from '../../world/clock.ts';
import { createCache } from '../cache.ts';
import { SIGNING_DOMAINS } from '../limits.ts';
import type { RecordCheck } from './check.ts';
import type { RotationStep } from './rotation.ts';
import type { DkimKeyRow } from './schema.ts';
import { dkimStatements } from './statements.ts';

export interface SigningKey {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: SigningAlgorithm;
  readonly key: KeyObject;
}

export interface DkimKeys {
  /** The keys that sign for this domain and no other; the same array until a change. */
  active(domain: string): MaybePromise<readonly SigningKey[]>;
  ofDomain(domain: string): Promise<readonly DkimKeyRow[]>;
  create(domain: string, algorithm: SigningAlgorithm, selector: string): Promise<PreparedChange>;
  /** The steps of rotation, as one change. */
  change(domain: string, steps: readonly RotationStep[]): Promise<PreparedChange>;
  /** Call it only from published.ts, which decides what is worth storing. */
  checked(key: Pick<DkimKeyRow, 'domain' | 'selector'>, check: RecordCheck): Statement;
  /** With the domain's secrets. */
  remove(domain: string): Statement;
  /** Statements that seal again what an older key of the key file sealed. */
  reseal(domain: string): Promise<readonly Statement[]>;
}

const generate = promisify(generateKeyPair);
const RSA_BITS = 2048;
const NO_KEYS: readonly SigningKey[] = Object.freeze([]);

export function createDkimKeys(db: Database, { secrets, clock }: { secrets: Secrets; clock: Clock }): DkimKeys {
  const sql = dkimStatements(db.dialect);
  const signing = createCache<readonly SigningKey[]>(SIGNING_DOMAINS);
  let version = 0;

  db.changes.subscribe(['dkim_key'], (changes) => {
    version++;
    if (changes.some(({ key }) => key === undefined)) signing.clear();
    else for (const { key } of changes) signing.delete(key!);
  });

  function opened(rows: readonly Row[]): readonly SigningKey[] {
    const active = rowsOf(rows).filter(({ state, private_key }) => state === 'active' && private_key !== null);
    if (active.length === 0) return NO_KEYS;
    return active.map(({ domain, selector, algorithm, private_key }) => {
      const der = Buffer.from(secrets.open(sealName(domain, selector), private_key!));
      return { domain, selector, algorithm, key: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }) };
    });
  }

  async function insertion(domain: string, algorithm: SigningAlgorithm, selector: string): Promise<Statement[]> {
    const { privateKey, publicKey } = await newPair(algorithm);
    const now = clock.now();
    return [
      sql.makeRoom({ domain, selector }),
      sql.insert({
        domain,
        selector,
        algorithm,
        state: 'pending',
        private_key: secrets.seal(sealName(domain, selector), privateKey),
        public_key: publicKey,
        created_at: now,
        since: now,
      }),
    ];
  }

  async function statementsOf(domain: string, step: RotationStep): Promise<readonly Statement[]> {
    const since = clock.now();
    switch (step.kind) {
      case 'create':
        return insertion(domain, step.algorithm, step.selector);
      case 'activate': {
        const { selector } = step.key;
        const activation = sql.move({ domain, selector, from: 'pending', state: 'active', since });
        if (!step.instead) return [activation];
        const { selector: old } = step.instead;
        return [sql.move({ domain, selector: old, from: 'active', state: 'retiring', since }), activation];
      }
      case 'withdraw':
        return [sql.move({ domain, selector: step.key.selector, from: 'active', state: 'retiring', since })];
      case 'retire':
        return [sql.retire({ domain, selector: step.key.selector, since })];
    }
  }

  return {
    active(domain) {
      const known = signing.get(domain);
      if (known) return known;
      const startedAt = version;
      const keep = (rows: readonly Row[]): readonly SigningKey[] => {
        const keys = opened(rows);
        if (version === startedAt) signing.set(domain, keys);
        return keys;
      };
      const statement = sql.ofDomain({ domain });
      return db.readNow ? keep(db.readNow(statement)) : db.read(statement).then(keep);
    },
    ofDomain: async (domain) => rowsOf(await db.read(sql.ofDomain({ domain }))),
    create: async (domain, algorithm, selector) => changeOf(await insertion(domain, algorithm, selector)),
    async change(domain, steps) {
      const statements: Statement[] = [];
      for (const step of steps) statements.push(...(await statementsOf(domain, step)));
      return changeOf(statements);
    },
    checked: ({ domain, selector }, { state }) => sql.checked({ domain, selector, at: clock.now(), result: state }),
    remove: (domain) => sql.removeOf({ domain }),
    async reseal(domain) {
      const statements: Statement[] = [];
      for (const { selector, private_key } of rowsOf(await db.read(sql.ofDomain({ domain })))) {
        if (private_key === null || secrets.isCurrent(private_key)) continue;
        const name = sealName(domain, selector);
        const value = openedOrNone(secrets, name, private_key);
        if (!value) continue;
        statements.push(sql.reseal({ domain, selector, private_key: secrets.seal(name, value), was: private_key }));
      }
      return statements;
    },
  };
}

function sealName(domain: string, selector: string): string {
  return `dkim/${domain}/${selector}`;
}

/** After the loss of the key file a domain's keys are still maintained: otherwise no new one would be created. */
function openedOrNone(secrets: Secrets, name: string, sealed: string): Uint8Array | undefined {
  try {
    return secrets.open(name, sealed);
  } catch {
    return undefined;
  }
}

function rowsOf(rows: readonly Row[]): readonly DkimKeyRow[] {
  return rows as unknown as readonly DkimKeyRow[];
}

interface NewPair {
  /** PKCS 8. */
  readonly privateKey: Buffer;
  /** In the form of `p=`. */
  readonly publicKey: string;
}

/** In libuv's pool: an RSA key takes a tenth of a second. */
async function newPair(algorithm: SigningAlgorithm): Promise<NewPair> {
  const pair =
    algorithm === 'rsa-sha256' ? await generate('rsa', { modulusLength: RSA_BITS }) : await generate('ed25519');
  const spki = pair.publicKey.export({ format: 'der', type: 'spki' });
  return {
    privateKey: pair.privateKey.export({ format: 'der', type: 'pkcs8' }),
    // RFC 8463 4: the 32 bytes themselves, which are at the end of the SubjectPublicKeyInfo.
    publicKey: (algorithm === 'rsa-sha256' ? spki : spki.subarray(-32)).toString('base64'),
  };
}

/** Errors: OperationalError `dkim.missing`. */
export function keyNamed(keys: readonly DkimKeyRow[], domain: string, selector: string): DkimKeyRow {
  const key = keys.find((candidate) => candidate.selector === selector);
  if (key) return key;
  throw new OperationalError(
    'dkim.missing',
    `cannot use the DKIM key ${selector} of ${domain}, as it must exist: it does not`,
  );
}
