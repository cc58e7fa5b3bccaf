/**
 * Finds the domain of ours, or the one we often write to, that an untrusted domain resembles.
 *
 * Never matches the domain itself or its subdomains. Short names resemble many others by chance, so the number of
 * letters that may differ grows with the length.
 */
import { editDistance } from '../../../protocol/confusables/edit-distance.ts';
import { bitCount, letterSet } from '../../../protocol/confusables/letters.ts';
import { skeleton } from '../../../protocol/confusables/skeleton.ts';
import { type Host, labelSkeleton, readHost } from './hosts.ts';
import { IDENTITY_LIMITS } from './limits.ts';

export type DomainLikeness = 'confusable' | 'edited' | 'hyphens' | 'added-words' | 'other-suffix' | 'embedded';

export interface DomainMatch {
  readonly like: string;
  readonly isOwn: boolean;
  readonly how: DomainLikeness;
}

export interface DomainIndex {
  /** It is one of the compared domains, or below one. */
  has(host: Host): boolean;
  /** The same for our own domains only. */
  isOwn(host: Host): boolean;
  find(host: Host): DomainMatch | undefined;
}

interface Target {
  readonly registered: string;
  readonly label: string;
  readonly suffix: string;
  readonly isOwn: boolean;
  readonly skeleton: string;
  readonly letters: number;
}

/** Words put before or after a name to make it look like a part of the organisation. */
const LURES =
  `account accounts admin alert alerts app auth billing bank careers client clients cloud connect corp corporate
  customer customers delivery desk docs email finance global group help helpdesk home hr inc info international invoice
  invoices it jobs legal llc login ltd mail mails my net notification office official online order orders pay payment
  payments payroll portal post reset secure security service services share shop sign signin store support team update
  verify vpn web webmail www`
    .split(/\s+/)
    .map(skeleton);

/** A shorter label inside another proves nothing. */
const SHORTEST_INSIDE = 4;

export function createDomainIndex(own: readonly string[], frequent: readonly string[]): DomainIndex {
  const targets = new Map<string, Target>();
  for (const [domains, isOwn] of [
    [own, true],
    [frequent, false],
  ] as const) {
    for (const domain of domains) {
      const target = readTarget(domain, isOwn);
      if (target && !targets.has(target.registered)) targets.set(target.registered, target);
    }
  }
  const all = [...targets.values()];
  const bySkeleton = new Map<string, Target>();
  const byLetters = new Map<string, Target>();
  // Our own come first and have precedence, so they are set last.
  for (const target of all.toReversed()) {
    bySkeleton.set(target.skeleton, target);
    byLetters.set(withoutHyphens(target.skeleton), target);
  }

  /** A name inside another counts only if it is long enough to be no accident. */
  const inside = (text: string): Target | undefined =>
    text.length >= SHORTEST_INSIDE ? byLetters.get(text) : undefined;

  /** By the object: usually there is one object for a host. */
  const remembered = new Map<Host, DomainMatch | null>();

  function compare(host: Host): DomainMatch | undefined {
    const seen = labelSkeleton(host.label);
    const same = bySkeleton.get(seen);
    if (same) return match(same, same.label === host.label ? 'other-suffix' : 'confusable');
    const joined = withoutHyphens(seen);
    const hyphened = inside(joined);
    if (hyphened) return match(hyphened, 'hyphens');
    const embedded = embeddedTarget(host.below, targets);
    if (embedded) return match(embedded, 'embedded');
    const extended = amongWords(seen, inside) ?? besideLure(joined, inside);
    if (extended) return match(extended, 'added-words');
    const edited = nearest(seen, host.suffix, all);
    return edited && match(edited, 'edited');
  }

  return {
    has: ({ registered }) => targets.has(registered),
    isOwn: ({ registered }) => targets.get(registered)?.isOwn ?? false,
    find(host) {
      if (targets.has(host.registered)) return undefined;
      const known = remembered.get(host);
      if (known !== undefined) return known === null ? undefined : known;
      const found = compare(host);
      if (remembered.size >= IDENTITY_LIMITS.rememberedDomains) remembered.clear();
      remembered.set(host, found ?? null);
      return found;
    },
  };
}

function readTarget(domain: string, isOwn: boolean): Target | undefined {
  const host = readHost(domain);
  if (!host) return undefined;
  const { registered, label, suffix } = host;
  const seen = labelSkeleton(label);
  return { registered, label, suffix, isOwn, skeleton: seen, letters: letterSet(seen) };
}

function match({ registered, isOwn }: Target, how: DomainLikeness): DomainMatch {
  return { like: registered, isOwn, how };
}

function withoutHyphens(text: string): string {
  return text.includes('-') ? text.replaceAll('-', '') : text;
}

/** `example.com.other.net`, `example-com.other.net`. */
function embeddedTarget(below: string, targets: ReadonlyMap<string, Target>): Target | undefined {
  if (below === '') return undefined;
  const labels = below.replaceAll('-', '.').split('.');
  for (let start = 0; start < labels.length - 1; start++) {
    for (const words of [2, 3]) {
      const target = targets.get(labels.slice(start, start + words).join('.'));
      if (target) return target;
    }
  }
  return undefined;
}

/** `example-login`, `secure-my-bank`. */
function amongWords(seen: string, inside: (text: string) => Target | undefined): Target | undefined {
  if (!seen.includes('-')) return undefined;
  const words = seen.split('-');
  for (let start = 0; start < words.length; start++) {
    let joined = '';
    for (let end = start; end < Math.min(words.length, start + 3); end++) {
      joined += words[end]!;
      const target = inside(joined);
      if (target) return target;
    }
  }
  return undefined;
}

/** `examplelogin`, `mailexample`. */
function besideLure(joined: string, inside: (text: string) => Target | undefined): Target | undefined {
  for (const lure of LURES) {
    if (joined.length < lure.length + SHORTEST_INSIDE) continue;
    const behind = joined.endsWith(lure) ? inside(joined.slice(0, -lure.length)) : undefined;
    const target = behind ?? (joined.startsWith(lure) ? inside(joined.slice(lure.length)) : undefined);
    if (target) return target;
  }
  return undefined;
}

/** Six letters or fewer are compared only under the same suffix. */
function nearest(seen: string, suffix: string, all: readonly Target[]): Target | undefined {
  const bound = seen.length < 5 ? 0 : seen.length < 10 ? 1 : 2;
  if (bound === 0) return undefined;
  const letters = letterSet(seen);
  let best: Target | undefined;
  let least = bound + 1;
  for (const target of all) {
    if (Math.abs(target.skeleton.length - seen.length) > bound || target.skeleton.length < 5) continue;
    if (bitCount(target.letters ^ letters) > 2 * bound) continue;
    if (seen.length < 7 && target.suffix !== suffix) continue;
    const distance = editDistance(seen, target.skeleton, bound);
    if (distance >= least) continue;
    least = distance;
    best = target;
  }
  return best;
}
