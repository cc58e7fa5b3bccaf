/**
 * Public keys, read once: parsing a key costs about as much as verifying with it, and most signatures
 * are by few keys. Kept as long as the record's TTL, at most some minutes; failures are not kept.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Clock } from '../../world/clock.ts';
import type { Resolver } from '../../world/resolver.ts';
import type { Asker } from './ask.ts';
import { keptPerResolver } from './kept.ts';
import { type KeyCache, loadTools, type PublicKey } from './mailauth.ts';

const keptKeys = keptPerResolver<PublicKey>();

/** As mailauth's own cache of one message, which it takes the place of. */
export async function keyCache(
  asker: Asker,
  { resolver, clock }: { resolver: Resolver; clock: Clock },
): Promise<KeyCache> {
  const { getPublicKey } = await loadTools();
  const kept = keptKeys(resolver);
  const underWay = new Map<string, Promise<PublicKey>>();
  return {
    resolver: asker.ask,
    get(type, name, minBitLength, options) {
      const key = `${options.strict} ${minBitLength} ${options.hashAlgo} ${name}`;
      const known = kept.get(key, clock);
      if (known) return Promise.resolve(known);
      let lookup = underWay.get(key);
      if (lookup) return lookup;
      const watched = asker.watched();
      lookup = getPublicKey(type, name, minBitLength, watched.ask, options).then((found) => {
        const parsed = { ...found, publicKey: asKeyObject(found.publicKey) };
        kept.put(key, parsed, watched.seconds(), clock);
        return parsed;
      });
      // Keys of seals are asked for before anybody waits for them.
      lookup.catch(() => {});
      underWay.set(key, lookup);
      return lookup;
    },
  };
}

function asKeyObject(key: PublicKey['publicKey']): KeyObject {
  return Buffer.isBuffer(key) || typeof key === 'string' ? createPublicKey(key) : key;
}
