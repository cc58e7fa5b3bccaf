/**
 * The look-ups of DMARC (RFC 9989 4.10): the record that applies to a domain, and the organisational domain, both by
 * the tree walk of mailauth.
 */
import { createAsker } from '../screen/checks/origin/ask.ts';
import type { Ask } from '../screen/checks/origin/mailauth.ts';
import type { Resolver } from '../world/resolver.ts';

export type Discovered =
  | { readonly kind: 'found'; readonly domain: string; readonly record: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly reason: string };

interface Discovery {
  createRecordLookup(resolver: Ask, options: { readonly strict: true }): unknown;
  discoverPolicy(
    domain: string,
    lookup: unknown,
  ): Promise<{ readonly record: { readonly rr: string } | false; readonly recordDomain: string | null }>;
  getOrgDomain(domain: string, lookup: unknown): Promise<string>;
}

export async function discoverPolicy(domain: string, resolver: Resolver): Promise<Discovered> {
  const module = await load();
  try {
    const { record, recordDomain } = await module.discoverPolicy(domain, lookup(module, resolver));
    return record ? { kind: 'found', domain: recordDomain ?? domain, record: record.rr } : { kind: 'none' };
  } catch (error) {
    return { kind: 'unknown', reason: (error as Error).message };
  }
}

/** Undefined: cannot tell. */
export async function organisationalDomain(domain: string, resolver: Resolver): Promise<string | undefined> {
  const module = await load();
  try {
    return await module.getOrgDomain(domain, lookup(module, resolver));
  } catch {
    return undefined;
  }
}

function lookup(module: Discovery, resolver: Resolver): unknown {
  return module.createRecordLookup(createAsker(resolver).ask, { strict: true });
}

/** The package has no types for it. */
const MODULE: string = 'mailauth/lib/dmarc/get-dmarc-record.js';

async function load(): Promise<Discovery> {
  return ((await import(MODULE)) as { readonly default: Discovery }).default;
}
