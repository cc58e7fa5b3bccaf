/** Proxies that are trusted as senders too: clients that they do not name pass as they do. */
import type { ProxyOverlap } from '../directory/rules/proxy-overlaps.ts';
import { type PostureResult, problem } from './types.ts';

const TRUSTED_AS_SENDER = {
  code: 'trusted-as-sender',
  severity: 'important',
  why: 'What this proxy passes on without saying who its client is counts as its own, and it is trusted. Let it connect from an address that nothing else trusts, or demand a PROXY header on this listener (proxy.mx = "required").',
} as const;

export function checkProxies(overlaps: readonly ProxyOverlap[]): readonly PostureResult[] {
  return overlaps.map(({ proxy, trust }) =>
    problem({ test: 'clients', subject: proxy }, TRUSTED_AS_SENDER, `${proxy} is in trustedProxies, and is ${trust}`),
  );
}
