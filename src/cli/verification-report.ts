/** The answers of sources about an address, for people. */
import type { Explained, VerifiedAddress } from '../directory/sources/admin.ts';
import { cleanLine } from '../protocol/text/unsafe.ts';

export function verdictOf({
  address,
  answer,
  reason,
  primary,
  aliases,
  displayName,
  unavailable,
}: VerifiedAddress): string {
  if (answer === 'no') return `${address}: no such user`;
  if (answer === 'cannot-tell') return `${address}: cannot tell, as ${reason ?? 'no source can'}`;
  const facts = [
    unavailable ? `exists, but takes no mail now (${unavailable})` : 'exists',
    ...(displayName ? [`is ${cleanLine(displayName)}`] : []),
    ...(primary && primary.toLowerCase() !== address ? [`belongs to ${primary}`] : []),
    ...(aliases && aliases.length > 0 ? [`also ${aliases.join(', ')}`] : []),
  ];
  return `${address}: ${facts.join('; ')}`;
}

export function explained(asked: readonly Explained[]): string {
  if (asked.length === 0) return 'No source was asked: the domain has none, and there is no default one.';
  return asked
    .map(({ source, kind, description, dialogue }) => {
      const title = `source ${source} (${kind}${description === '' ? '' : `, ${description}`})`;
      return [title, ...dialogue.map((line) => `  ${cleanLine(line)}`)].join('\n');
    })
    .join('\n');
}
