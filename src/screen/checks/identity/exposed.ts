/**
 * Addresses inside display names: a reader that shows only the name shows them as if they were the sender's.
 *
 * Look-alikes of the at-sign and the dot count, as do invisible characters inside and a space around the at-sign.
 */
import { withoutInvisible } from '../../../protocol/confusables/skeleton.ts';
import { IDENTITY_LIMITS } from './limits.ts';

const ADDRESS =
  /([\p{L}\p{N}!#$%&'*+/=?^_`{|}~.-]{1,64}) ?@ ?((?:[\p{L}\p{N}-]{1,63}\.){1,10}[\p{L}][\p{L}\p{N}-]{1,62})/gu;
const DOTS = /[\u3002\uff0e\uff61\u2024\ufe52]/g;
const AT_SIGNS = /[@\uff20\ufe6b]/;

/** The name with every address other than the real one replaced by the real one; undefined if there is none. */
export function exposeAddress(name: string, address: string): string | undefined {
  if (!AT_SIGNS.test(name)) return undefined;
  const plain = withoutInvisible(name).replaceAll(DOTS, '.').normalize('NFKC');
  const real = address.toLowerCase();
  let lies = 0;
  const exposed = plain.replaceAll(ADDRESS, (shown, local: string, domain: string) => {
    if (`${local}@${domain}`.toLowerCase() === real || lies >= IDENTITY_LIMITS.addressesInName) return shown;
    lies++;
    return address;
  });
  return lies > 0 ? exposed.slice(0, IDENTITY_LIMITS.nameCharacters + address.length) : undefined;
}
