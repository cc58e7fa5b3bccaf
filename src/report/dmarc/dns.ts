/** TXT records of one kind, as three answers: records, none, or cannot tell. */
import type { Resolver } from '../../world/resolver.ts';

export type TxtAnswer =
  | { readonly kind: 'records'; readonly records: readonly string[] }
  | { readonly kind: 'cannot-tell'; readonly reason: string };

/** Records that begin with `version` (`v=DMARC1`), and then end or have a delimiter. */
export async function txtRecords(resolver: Resolver, name: string, version: string): Promise<TxtAnswer> {
  const answer = await resolver.resolve(name, 'TXT');
  if (answer.kind === 'unknown')
    return { kind: 'cannot-tell', reason: `the DNS does not answer for ${name}: ${answer.reason}` };
  if (answer.kind === 'none') return { kind: 'records', records: [] };
  const records = answer.records
    .map((strings) => Buffer.concat(strings).toString('latin1').trim())
    .filter((text) => text.startsWith(version) && /^(?:$|[\s;])/.test(text.slice(version.length)));
  return { kind: 'records', records };
}

/** A tag of a DMARC record, without white space around it. */
export function tagOf(record: string, name: string): string | undefined {
  for (const part of record.split(';', 50)) {
    const equals = part.indexOf('=');
    if (equals > 0 && part.slice(0, equals).trim().toLowerCase() === name) return part.slice(equals + 1).trim();
  }
  return undefined;
}
