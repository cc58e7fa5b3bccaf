/**
 * The owner of a value as one text: empty for the whole node, a domain's name, or an account's address. The three
 * cannot be confused: a domain has no "@", an address has one.
 */
import { OperationalError } from '../model/errors.ts';
import { parseAddress } from '../protocol/smtp/address.ts';
import { parseDomain } from '../protocol/smtp/domain.ts';
import type { SettingOwner } from './contract.ts';
import type { Scope } from './define.ts';

export type OwnerId = string;

export const EVERYBODY: OwnerId = '';

/** Errors: OperationalError `settings.owner`. */
export function ownerId(owner: SettingOwner = {}): OwnerId {
  if (owner.account !== undefined) return checked(owner.account, 'an address', accountKey(owner.account));
  if (owner.domain === undefined) return EVERYBODY;
  const domain = parseDomain(owner.domain);
  return checked(owner.domain, 'a domain', domain.ok ? domain.value : undefined);
}

export function ownerOf(id: OwnerId): SettingOwner {
  if (id === EVERYBODY) return {};
  return id.includes('@') ? { account: id } : { domain: id };
}

export function scopeOf(id: OwnerId): Scope {
  if (id === EVERYBODY) return 'global';
  return id.includes('@') ? 'account' : 'domain';
}

/** `for example.com` after a key, or an empty text. */
export function ownerText(id: OwnerId): string {
  return id === EVERYBODY ? '' : ` for ${id}`;
}

function accountKey(text: string): string | undefined {
  const address = parseAddress(text);
  return address.ok ? `${address.value.local.toLowerCase()}@${address.value.domain}` : undefined;
}

function checked(said: string, what: string, id: string | undefined): string {
  if (id !== undefined) return id;
  throw new OperationalError(
    'settings.owner',
    `cannot look up settings, as their owner must be ${what}: current value is ${said}`,
  );
}
