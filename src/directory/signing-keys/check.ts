/**
 * Whether the DNS has the record of a key, as a receiver would find it: CNAMEs followed, three answers.
 */
import { flawOf, type RecordFlaw } from '../../protocol/dkim/record.ts';
import type { Resolver } from '../../world/resolver.ts';
import type { DkimKeyRow } from './schema.ts';

export type RecordState = 'published' | 'missing' | 'several' | 'cannot-tell' | RecordFlaw;

export interface RecordCheck {
  readonly state: RecordState;
  /** The record in the DNS, or why there is no answer. */
  readonly found: readonly string[];
}

/** `t=y` counts as published: the key is right, and the operator chose the test mode. */
export function isPublished(state: string | null): boolean {
  return state === 'published' || state === 'testing';
}

export function recordName({ domain, selector }: Pick<DkimKeyRow, 'domain' | 'selector'>): string {
  return `${selector}._domainkey.${domain}`;
}

export async function checkRecord(
  resolver: Resolver,
  key: Pick<DkimKeyRow, 'domain' | 'selector' | 'algorithm' | 'public_key'>,
): Promise<RecordCheck> {
  const answer = await resolver.resolve(recordName(key), 'TXT');
  if (answer.kind === 'unknown') return { state: 'cannot-tell', found: [answer.reason] };
  if (answer.kind === 'none') return { state: 'missing', found: [] };
  const found = answer.records.map((strings) => Buffer.concat([...strings]).toString('latin1'));
  // RFC 6376 3.6.2.2: with several records the result is undefined.
  if (found.length !== 1) return { state: found.length === 0 ? 'missing' : 'several', found };
  return { state: flawOf(found[0]!, key.algorithm, key.public_key) ?? 'published', found };
}
