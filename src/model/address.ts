/** An e-mail address as every room passes it; the grammar's own value. */
import type { Address } from '../protocol/smtp/words.ts';

export type { Address, ReversePath } from '../protocol/smtp/words.ts';

/** The key under which two spellings of one mailbox meet: local part and domain in lower case. */
export function addressKey(address: Address): string {
  return `${address.local.toLowerCase()}@${address.domain}`;
}
