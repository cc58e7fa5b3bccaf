/**
 * The life of a domain's keys, decided from their current state: a key is created, waits for its DNS record, signs,
 * is replaced by the next, and retires when no signature of it can be under way any more.
 *
 * Pure. Each kind of key is handled separately, so an RSA key never waits for the record of an Ed25519 key.
 */
import type { SigningAlgorithm } from '../../protocol/dkim/signature.ts';
import { isPublished } from './check.ts';
import type { DkimKeyRow } from './schema.ts';

export interface RotationPolicy {
  readonly algorithms: readonly SigningAlgorithm[];
  /** Undefined: keys sign until an operator rotates them. */
  readonly rotateAfterMs: number | undefined;
  /** How long after its last signature a key may still be looked up. */
  readonly retireAfterMs: number;
  readonly selectors: 'dated' | 'pair';
}

export type RotationStep =
  | { readonly kind: 'create'; readonly algorithm: SigningAlgorithm; readonly selector: string }
  | { readonly kind: 'activate'; readonly key: DkimKeyRow; readonly instead: DkimKeyRow | undefined }
  /** It signs no more: its kind is no longer used. */
  | { readonly kind: 'withdraw'; readonly key: DkimKeyRow }
  | { readonly kind: 'retire'; readonly key: DkimKeyRow };

/** `keys`: all of one domain, with the results of the last check of their records. */
export function rotationSteps(keys: readonly DkimKeyRow[], policy: RotationPolicy, now: number): RotationStep[] {
  const steps: RotationStep[] = [];
  for (const algorithm of ['rsa-sha256', 'ed25519-sha256'] as const) {
    const ofKind = keys.filter((key) => key.algorithm === algorithm);
    const active = ofKind.find(({ state }) => state === 'active');
    const pending = ofKind.find(({ state }) => state === 'pending');
    if (!policy.algorithms.includes(algorithm)) {
      if (active) steps.push({ kind: 'withdraw', key: active });
      continue;
    }
    if (pending && isPublished(pending.check_result)) steps.push({ kind: 'activate', key: pending, instead: active });
    if (pending || !isDue(active, policy, now)) continue;
    const selector = freeSelector(ofKind, algorithm, policy.selectors, now);
    if (selector) steps.push({ kind: 'create', algorithm, selector });
  }
  for (const key of keys)
    if (key.state === 'retiring' && now - key.since >= policy.retireAfterMs) steps.push({ kind: 'retire', key });
  return steps;
}

function isDue(active: DkimKeyRow | undefined, { rotateAfterMs }: RotationPolicy, now: number): boolean {
  if (!active) return true;
  return rotateAfterMs !== undefined && now - active.since >= rotateAfterMs;
}

const LETTER = { 'rsa-sha256': 'r', 'ed25519-sha256': 'e' } as const;

/** Undefined: both names of a pair are in use. */
export function freeSelector(
  keys: readonly Pick<DkimKeyRow, 'selector' | 'state'>[],
  algorithm: SigningAlgorithm,
  selectors: RotationPolicy['selectors'],
  now: number,
): string | undefined {
  if (selectors === 'pair') {
    const used = keys.filter(({ state }) => state !== 'retired').map(({ selector }) => selector);
    return pairOf(algorithm).find((selector) => !used.includes(selector));
  }
  // A dated name is never used twice, as its record may still be in a cache.
  const day = new Date(now).toISOString().slice(0, 10).replaceAll('-', '');
  const base = `p${day}${LETTER[algorithm]}`;
  const taken = new Set(keys.map(({ selector }) => selector));
  let selector = base;
  for (let n = 2; taken.has(selector); n++) selector = `${base}${n}`;
  return selector;
}

/** The two names that a domain delegates by CNAME. */
export function pairOf(algorithm: SigningAlgorithm): readonly [string, string] {
  return algorithm === 'rsa-sha256' ? ['postern1', 'postern2'] : ['postern1e', 'postern2e'];
}
