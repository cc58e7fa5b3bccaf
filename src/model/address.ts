/** An e-mail address as every room passes it: the grammar's own value. */
import type { Address } from '../protocol/smtp/types.ts';

export type { Address, ReversePath } from '../protocol/smtp/types.ts';

/** The key of a mailbox, the same for all its spellings: local part and domain in lower case. */
export function addressKey(address: Address): string {
  return `${address.local.toLowerCase()}@${address.domain}`;
}

/** postmaster and abuse: RFC 5321 4.5.1 and RFC 2142 4 require that they can be reached. */
export function isRole({ local }: Address): boolean {
  if (local.length !== 10 && local.length !== 5) return false;
  const name = local.toLowerCase();
  return name === 'postmaster' || name === 'abuse';
}
