/**
 * The domain whose key may sign a message: that of its From field, and only if the sender may use that domain.
 * Signing a forged message would be worse than not signing.
 *
 * An account may use its own domain and subdomains of it; a domain mail server each domain it serves; the node its
 * hostname, with the keys of a domain above it.
 */
import { isPromise } from '../../model/maybe-promise.ts';
import { fieldValue, type RawField } from '../../protocol/dkim/fields.ts';
import { readAuthor } from '../../protocol/mime/author.ts';
import { unfold } from '../../protocol/mime/text.ts';
import type { Claim } from '../../queue/contract.ts';
import type { SigningServices } from './types.ts';

/** The one domain that any reading of the From field gives; undefined: several fields, several domains, or unreadable. */
export function fromDomain(fields: readonly RawField[]): string | undefined {
  const values = fields.filter(({ name }) => name === 'from').map((field) => unfold(fieldValue(field)).trim());
  const { domains, unclear, mailboxes } = readAuthor(values);
  if (unclear || domains.length > 1 || mailboxes.some(({ writtenDomain }) => writtenDomain !== undefined))
    return undefined;
  return domains[0];
}

/** Domains whose keys may sign for `from`, the nearest first; none: not aligned. */
export async function signersFor(
  { directory, hostname }: SigningServices,
  { author, clientAddress }: Claim['message'],
  from: string,
): Promise<readonly string[]> {
  if (author === undefined) return [];
  const at = author.lastIndexOf('@');
  const own = author.slice(at + 1);
  if (own === hostname) return from === hostname ? withParents(hostname) : [];
  if (from === own) return [from];
  if (from.endsWith(`.${own}`)) return [from, own];
  // A server without an account may serve several domains, and send for each.
  if (at !== 0 || clientAddress === undefined) return [];
  const serves = directory.isMailServerOf(from, clientAddress);
  return (isPromise(serves) ? await serves : serves) === 'yes' ? [from] : [];
}

/** Never a top-level domain. */
function withParents(name: string): readonly string[] {
  const labels = name.split('.');
  const names: string[] = [];
  for (let i = 0; i === 0 || i < labels.length - 1; i++) names.push(labels.slice(i).join('.'));
  return names;
}
