/** DNS answers as the tests read them. */
import type { DnsAnswer, Resolver } from '../world/resolver.ts';
import { POSTURE_LIMITS } from './limits.ts';

/** The records of a name, each as one text, one character a byte; none is an empty list. */
export async function textsOf(
  resolver: Resolver,
  name: string,
): Promise<
  { readonly kind: 'texts'; readonly texts: readonly string[] } | Extract<DnsAnswer<never>, { kind: 'unknown' }>
> {
  const answer = await resolver.resolve(name, 'TXT');
  if (answer.kind === 'unknown') return answer;
  // RFC 7208 3.3, RFC 6376 3.6.2.2: the strings of one record are joined without a space.
  const texts =
    answer.kind === 'none' ? [] : answer.records.map((strings) => Buffer.concat(strings).toString('latin1'));
  return { kind: 'texts', texts };
}

export function shown(text: string): string {
  return text.length > POSTURE_LIMITS.shownCharacters ? `${text.slice(0, POSTURE_LIMITS.shownCharacters)}…` : text;
}
