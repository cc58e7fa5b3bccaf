/**
 * SPF of one address, evaluated by mailauth over our resolver (RFC 7208). Never throws for name servers or records;
 * an unknown result is `temperror`.
 */
import { createAsker } from '../screen/checks/origin/ask.ts';
import type { PostureContext } from './context.ts';
import { POSTURE_LIMITS } from './limits.ts';

/** RFC 7208 4.6.4. */
export const MOST_LOOKUPS = 10;
export const MOST_VOID_LOOKUPS = 2;

export interface Evaluation {
  readonly result: string;
  readonly text: string;
  readonly lookups: number;
  readonly voidLookups: number;
}

export async function evaluate(
  domain: string,
  ip: string,
  { resolver, node }: Pick<PostureContext, 'resolver' | 'node'>,
  limits: { readonly terms: number; readonly voidLookups: number } = {
    terms: MOST_LOOKUPS,
    voidLookups: MOST_VOID_LOOKUPS,
  },
): Promise<Evaluation> {
  // Loaded at the first check: an idle node should not pay for it.
  const { spf } = await import('mailauth/lib/spf/index.js');
  const asker = createAsker(resolver, POSTURE_LIMITS.spfQuestions);
  const sender = `postmaster@${domain}`;
  const { status, lookups } = await spf({
    sender,
    ip,
    helo: node.heloName,
    mta: node.hostname,
    strict: true,
    resolver: asker.ask as (name: string, type: string) => Promise<string[]>,
    maxResolveCount: limits.terms,
    maxVoidCount: limits.voidLookups,
    maxElapsedTime: POSTURE_LIMITS.spfMs,
  });
  // A result after a name that could not be looked up is no verdict on the record.
  const result = asker.troubled() && status.result !== 'pass' ? 'temperror' : status.result;
  const said = typeof status.comment === 'string' ? status.comment : '';
  return {
    result,
    text: said.split(`${sender}: `).at(-1)!.replace(`${node.hostname}: `, ''),
    lookups: lookups?.count ?? 0,
    voidLookups: lookups?.void ?? 0,
  };
}
