/**
 * Who is who (architecture, section 3): whether the sender is trusted, and what the message is to
 * each recipient. Nothing is trusted for what a message says of itself: trust comes from AUTH, or
 * from the address of a domain mail server of the sender's domain.
 */
import type { Directory, Resolution } from '../directory/contract.ts';
import type { Address, ReversePath } from '../model/address.ts';
import { isOperational } from '../model/errors.ts';
import { andThen, isPromise, type MaybePromise } from '../model/maybe-promise.ts';
import type { SessionFacts } from '../model/session.ts';
import type { SenderKind, Who } from './check.ts';

export interface Sender {
  readonly kind: SenderKind;
  /** Whose settings apply to outbound mail; empty where there is none. */
  readonly domain: string;
}

const STRANGER: Sender = Object.freeze({ kind: 'stranger', domain: '' });

/** Once a transaction. Never throws for what the directory cannot say. */
export function identifySender(
  directory: Directory,
  facts: SessionFacts,
  reversePath: ReversePath,
): MaybePromise<Sender> {
  if (facts.account !== undefined) return { kind: 'authenticated', domain: domainOf(facts.account) };
  const domain = reversePath?.domain ?? '';
  return orCannotTell({ kind: 'cannot-tell', domain }, () =>
    reversePath === null
      ? andThen(directory.mailServerDomains(facts.client.address), nullSender)
      : andThen(directory.isMailServerOf(domain, facts.client.address), (answer) => {
          if (answer === 'no') return STRANGER;
          return { kind: answer === 'yes' ? 'domain-server' : 'cannot-tell', domain };
        }),
  );
}

/** `MAIL FROM:<>` from a domain mail server counts as that server's domain. */
function nullSender(domains: readonly string[]): Sender {
  const [domain] = domains;
  return domain === undefined ? STRANGER : { kind: 'domain-server', domain };
}

/** Once a recipient. Never throws for what the directory cannot say. */
export function resolveRecipient(directory: Directory, address: Address): MaybePromise<Resolution> {
  return orCannotTell<Resolution>({ kind: 'cannot-tell', reason: 'the directory cannot be read' }, () =>
    directory.resolve(address),
  );
}

export function isTrusted(kind: SenderKind): boolean {
  return kind === 'authenticated' || kind === 'domain-server';
}

/** Whom a trusted sender is: its account, or `@domain` of its mail server. */
export function authorOf({ kind, domain }: Sender, { account }: SessionFacts): string | undefined {
  if (kind === 'authenticated') return account;
  return kind === 'domain-server' ? `@${domain}` : undefined;
}

export function whoIs(address: Address, resolution: Resolution, sender: Sender): Who {
  const { kind } = sender;
  const role = isRole(address);
  if (resolution.kind === 'remote')
    return { address: address.text, direction: 'outbound', sender: kind, policyDomain: sender.domain, role };
  const account = resolution.kind === 'local' ? resolution.account : undefined;
  return {
    address: address.text,
    direction: isTrusted(kind) ? 'internal' : 'inbound',
    sender: kind,
    policyDomain: account?.domain ?? address.domain,
    role,
  };
}

/** RFC 5321 4.5.1 and RFC 2142 4: these must be reachable. */
function isRole({ local }: Address): boolean {
  if (local.length !== 10 && local.length !== 5) return false;
  const name = local.toLowerCase();
  return name === 'postmaster' || name === 'abuse';
}

function domainOf(account: string): string {
  return account.slice(account.lastIndexOf('@') + 1).toLowerCase();
}

/** A database that does not answer is no one's guilt; a defect goes its way. */
function orCannotTell<T>(fallback: T, ask: () => MaybePromise<T>): MaybePromise<T> {
  const onError = (error: unknown): T => {
    if (isOperational(error)) return fallback;
    throw error;
  };
  try {
    const answer = ask();
    return isPromise(answer) ? answer.catch(onError) : answer;
  } catch (error) {
    return onError(error);
  }
}
