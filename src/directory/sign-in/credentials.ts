/**
 * Who may sign in, and with which credential: passwords (Argon2id), app passwords, SCRAM verifiers, stored secrets
 * (CRAM-MD5), bearer tokens and client certificates. Answers for every protocol.
 *
 * Local credentials come first; for a user without a password here the verification sources are asked, which are
 * attached (`askSources`); tokens/ reads tokens. Frozen and disabled accounts, and those of disabled domains, are
 * never admitted. An unknown result is never `no`. Nothing here rejects.
 */
import { createHmac } from 'node:crypto';
import { isOperational } from '../../model/errors.ts';
import { andThen, type MaybePromise } from '../../model/maybe-promise.ts';
import type { ScramVerifier } from '../../protocol/sasl/scram.ts';
import type { Settings } from '../../settings/contract.ts';
import type { Database, Row, Statement } from '../../store/contract.ts';
import type { Secrets } from '../../store/secrets.ts';
import { siteOf } from '../../wire/network.ts';
import type { Authority, Offers, Proof, Refusal, SaslVerdict } from '../../wire/sasl/types.ts';
import type { Clock } from '../../world/clock.ts';
import type { Events } from '../../world/events.ts';
import type { Random } from '../../world/random.ts';
import { createOwnerOf } from '../addresses/owner.ts';
import type { Directory } from '../contract.ts';
import { SCRAM } from '../limits.ts';
import { openDecoyKey } from './decoy-key.ts';
import { appPasswordDigest, type Login, loginKey, parseVerifier, statementFor, toLogin } from './logins.ts';
import type { Asker, Hashing } from './passwords/hashing.ts';
import { createPasswordMemory } from './passwords/memory.ts';
import { spendHash, verifyPassword } from './passwords/password.ts';
import { createProofs, passwordOf } from './proofs.ts';
import { passwordSettings } from './settings.ts';
import { credentialStatements } from './statements.ts';
import { tokenSettings } from './tokens/settings.ts';
import { TOKEN_CHECKS, type TokenCheck, type Tokens } from './tokens/tokens.ts';

/**
 * Asks the sources of a domain's accounts; only about local domains and never with an empty password. May reject:
 * cannot tell.
 */
export type AskSources = (
  username: string,
  password: string,
  asker: Asker,
  site?: string,
) => Promise<
  /** Yes; whose it is: the key of the user's main address. */
  { readonly user: string } | 'no' | 'cannot-tell' | /** No source of the domain can. */ 'none'
>;

/** The result of one check of a token; `result` absent: the check was not reached. */
export interface TokenFinding {
  readonly check: TokenCheck | 'account';
  readonly result?: 'ok' | 'fails' | 'cannot-tell';
  /** The reason, or the value found. */
  readonly text?: string;
}

export interface Credentials extends Authority {
  /** The mechanisms that any account could use; cached until credentials change. */
  offers(): MaybePromise<Offers>;
  /** Each check of a token, for an administrator. Errors: those of the database. */
  explainToken(token: string): Promise<readonly TokenFinding[]>;
}

export interface CredentialServices {
  readonly secrets: Secrets;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  readonly hashing: Hashing;
  /** Absent: no event reports why a token was refused. */
  readonly events?: Events;
  readonly askSources?: AskSources;
  /** The local entry of an address: whose alias it is. Absent: there are none. */
  readonly resolve?: Directory['resolve'];
  readonly tokens?: Tokens;
}

const DAY_MS = 86_400_000;

export async function openCredentials(db: Database, services: CredentialServices): Promise<Credentials> {
  const { secrets, settings, clock, random, hashing, events, askSources, resolve, tokens } = services;
  const statements = credentialStatements(db.dialect);
  const decoyKey = await openDecoyKey(db, statements, { secrets, random, events });
  const memory = createPasswordMemory(clock);
  let offered: Offers | undefined;

  const now = (statement: Statement): MaybePromise<readonly Row[]> =>
    db.readNow ? db.readNow(statement) : db.read(statement);
  const find = (login: string): MaybePromise<Login | undefined> =>
    andThen(now(statementFor(statements, login)), ([row]) => row && toLogin(row));

  /** The verdict of a right proof of any kind. */
  function admitted(login: Login, proof?: Proof): SaslVerdict {
    if (login.state !== 'active' || !login.enabled) return no('state');
    return { kind: 'yes', account: login.login, ...(proof && { proof }) };
  }

  const isActive = (login: Login): boolean => admitted(login).kind === 'yes';

  const ownerOf = createOwnerOf(find, resolve);
  const proofs = createProofs(statements, now);

  function isExpired({ domain, changedAt }: Login): boolean {
    const snapshot = settings.current();
    if (changedAt === undefined || !snapshot.get(passwordSettings.expire, { domain })) return false;
    return clock.now() - changedAt > snapshot.get(passwordSettings.maxAgeDays, { domain }) * DAY_MS;
  }

  const viaPassword = (login: Login): SaslVerdict =>
    isExpired(login) ? no('expired') : admitted(login, passwordOf(login));

  /** Undefined: it is no app password of the login. */
  async function viaAppPassword(login: Login, password: string): Promise<SaslVerdict | undefined> {
    const digest = appPasswordDigest(password);
    if (digest === undefined) return undefined;
    const proof = { kind: 'app-password', digest } as const;
    return (await proofs.holds(login, proof)) ? admitted(login, proof) : undefined;
  }

  async function isRight(
    { password: stored }: Login,
    password: string,
    asker: Asker,
    site: string | undefined,
  ): Promise<boolean> {
    if (memory.knows(stored!, password)) return true;
    if (!(await verifyPassword(hashing, password, stored!, asker, site))) return false;
    memory.remember(stored!, password);
    return true;
  }

  /**
   * Sources know users by each of their addresses, and lists and roles may be among these: the confirmed user is the
   * one that the source names, who has an account by now unless an administrator disabled it.
   */
  async function confirmed(key: string, user: string): Promise<SaslVerdict> {
    const named = await ownerOf(user);
    if (named && !isActive(named)) return no('state');
    // An account of exactly that name stays itself, so that it may write as itself.
    const login = (await find(key)) ?? named;
    return login ? admitted(login, passwordOf(login)) : no('unknown');
  }

  async function viaSources(
    key: string,
    password: string,
    known: Login | undefined,
    asker: Asker,
    site: string | undefined,
  ): Promise<SaslVerdict | undefined> {
    if (!askSources || key.startsWith('@')) return undefined;
    const owner = await ownerOf(key);
    if (owner && !isActive(owner)) return undefined;
    const domain = await db.read(statements.domain({ domain: key.slice(key.lastIndexOf('@') + 1) }));
    if (domain.length === 0) return undefined;
    const answer = await askSources(key, password, asker, site);
    const isRight = typeof answer === 'object';
    if (asker === 'unknown' && (isRight || answer === 'no')) hashing.checked(isRight);
    if (isRight) return confirmed(key, answer.user);
    if (answer === 'cannot-tell') return { kind: 'cannot-tell', reason: 'no verification source answers' };
    return answer === 'no' ? no(known ? 'wrong' : 'unknown') : undefined;
  }

  async function decide(
    key: string | undefined,
    password: string,
    asker: Asker,
    site: string | undefined,
  ): Promise<SaslVerdict> {
    const login = key === undefined ? undefined : await find(key);
    const byAppPassword = login && (await viaAppPassword(login, password));
    if (byAppPassword) return byAppPassword;
    if (login?.password !== undefined)
      return (await isRight(login, password, asker, site)) ? viaPassword(login) : no('wrong');
    // Before the sources are asked: the line protects them, and a user without a password here waits like the others.
    const hasWaited = asker === 'unknown' && hashing.isGuessed();
    if (hasWaited) await spendHash(hashing, password, site);
    const elsewhere = key === undefined ? undefined : await viaSources(key, password, login, asker, site);
    if (elsewhere) return elsewhere;
    if (!hasWaited) await spendHash(hashing, password, site);
    if (asker === 'unknown') hashing.checked(false);
    return no(login ? 'wrong' : 'unknown');
  }

  async function viaAnyPassword(username: string, password: string, network?: string): Promise<SaslVerdict> {
    // Some sources take an empty password as "anybody" (RFC 4513 5.1.2).
    if (password === '') return no('wrong');
    const key = loginKey(username);
    const site = network === undefined ? undefined : siteOf(network);
    try {
      const verdict = await memory.judged(key ?? username, network, (asker) => decide(key, password, asker, site));
      if (key !== undefined && verdict.kind === 'yes') memory.signedIn(key, network);
      if (key !== undefined && verdict.kind === 'no') memory.failed(key, network);
      return verdict;
    } catch (error) {
      return cannotTell(error);
    }
  }

  function decoy(login: string): ScramVerifier {
    const octets = (what: string): Buffer => createHmac('sha256', decoyKey).update(`${what}\0${login}`).digest();
    return {
      salt: octets('salt').subarray(0, SCRAM.saltBytes),
      iterations: SCRAM.iterations,
      storedKey: octets('stored'),
      serverKey: octets('server'),
    };
  }

  db.changes.subscribe(['login', 'client_certificate'], () => {
    offered = undefined;
  });
  settings.onChange((_, keys) => {
    if (keys.includes(tokenSettings.issuers.key)) offered = undefined;
  });

  return {
    password: viaAnyPassword,

    scram(username) {
      const key = loginKey(username) ?? username;
      const nobody = { verifier: decoy(key), outcome: no('unknown') };
      return orElse(nobody, () =>
        andThen(find(key), (login) =>
          login?.scram === undefined ? nobody : { verifier: parseVerifier(login.scram), outcome: viaPassword(login) },
        ),
      );
    },

    sharedSecret(username) {
      const key = loginKey(username) ?? username;
      const nobody = { secret: decoy(key).storedKey, outcome: no('unknown') };
      return orElse(nobody, () =>
        andThen(find(key), (login) =>
          login?.secret === undefined
            ? nobody
            : { secret: secrets.open(`login/${key}`, login.secret), outcome: viaPassword(login) },
        ),
      );
    },

    async bearer(username, token) {
      if (!tokens) return no('not-allowed');
      try {
        const verdict = await tokens.read(token);
        if (verdict.kind === 'cannot-tell') return verdict;
        const domain = verdict.kind === 'no' ? verdict.domain : domainOf(verdict.address);
        const refuse = (reason: Refusal, check: string, why: string): SaslVerdict => {
          events?.emit('token.refused', { check, why });
          const status = check === 'scope' ? 'insufficient_scope' : 'invalid_token';
          const named = username === undefined ? undefined : loginKey(username);
          return { ...no(reason), token: { status, ...tokens.hint(named === undefined ? domain : domainOf(named)) } };
        };
        if (verdict.kind === 'no') return refuse('wrong', verdict.check, verdict.why);
        const { address } = verdict;
        if (username !== undefined && loginKey(username) !== address)
          return refuse('wrong', 'user', `it is of ${address}, and the client asks to be somebody else`);
        const login = await find(address);
        if (!login) return refuse('unknown', 'account', `there is no account ${address}`);
        const known = admitted(login);
        return known.kind === 'no' ? refuse(known.reason, 'account', `the account ${address} may not sign in`) : known;
      } catch (error) {
        return cannotTell(error);
      }
    },

    async explainToken(token) {
      if (!tokens) return [];
      const verdict = await tokens.read(token);
      if (verdict.kind !== 'yes') {
        const { check, result, text }: TokenFinding =
          verdict.kind === 'no'
            ? { check: verdict.check, result: 'fails', text: verdict.why }
            : { check: 'key', result: 'cannot-tell', text: verdict.reason };
        const all = [...TOKEN_CHECKS, 'account'] as const;
        const at = all.indexOf(check);
        return all.map((one, i) =>
          i < at ? { check: one, result: 'ok' } : i > at ? { check: one } : { check, result, text },
        );
      }
      const { address } = verdict;
      const login = await find(address);
      const passed = TOKEN_CHECKS.map((check) => ({ check, result: 'ok' }) as const);
      if (!login) return [...passed, { check: 'account', result: 'fails', text: `there is no account ${address}` }];
      const may = admitted(login).kind === 'yes';
      const text = may ? address : `${address} may not sign in now`;
      return [...passed, { check: 'account', result: may ? 'ok' : 'fails', text }];
    },

    certificate(fingerprint, username) {
      return orElse<SaslVerdict>({ kind: 'cannot-tell', reason: 'the directory cannot be read' }, () =>
        andThen(now(statements.certificate({ fingerprint })), ([row]) => {
          const owner = row?.['login'] as string | undefined;
          if (owner === undefined) return no('unknown');
          if (username !== '' && loginKey(username) !== owner) return no('wrong');
          return andThen(find(owner), (login) =>
            login ? admitted(login, { kind: 'certificate', fingerprint }) : no('unknown'),
          );
        }),
      );
    },

    stands: (account, proof) =>
      orElse<'yes' | 'no' | 'cannot-tell'>('cannot-tell', () =>
        andThen(find(account), (login) => {
          if (!login || !isActive(login)) return 'no';
          if (proof === undefined) return 'yes';
          return andThen(proofs.holds(login, proof), (holds) => (holds ? 'yes' : 'no'));
        }),
      ),

    offers() {
      if (offered) return offered;
      return orElse<Offers>(NO_OFFERS, () =>
        andThen(now(statements.offers({})), ([row]) => {
          const has = (name: string): boolean => row?.[name] != null;
          offered = {
            scram: has('scram'),
            cramMd5: has('secret'),
            external: has('external'),
            bearer: tokens?.isConfigured() ?? false,
          };
          return offered;
        }),
      );
    },
  };
}

const NO_OFFERS: Offers = { scram: false, cramMd5: false, external: false, bearer: false };

function domainOf(login: string): string {
  return login.slice(login.lastIndexOf('@') + 1);
}

function no(reason: Refusal): SaslVerdict & { readonly kind: 'no' } {
  return { kind: 'no', reason };
}

function cannotTell(error: unknown): SaslVerdict {
  if (isOperational(error, 'directory.busy')) return { kind: 'busy' };
  return { kind: 'cannot-tell', reason: (error as Error).message };
}

/** An unavailable database counts against nobody. */
function orElse<T>(fallback: T, ask: () => MaybePromise<T>): MaybePromise<T> {
  try {
    const answer = ask();
    return answer instanceof Promise ? answer.catch(() => fallback) : answer;
  } catch {
    return fallback;
  }
}
