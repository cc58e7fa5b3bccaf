/**
 * The single owner of an address: the account itself, or the one that a sub-address belongs to or an alias leads to.
 * Lists, roles and aliases to remote addresses have none. Errors: those of the database.
 */
import { andThen, type MaybePromise } from '../../model/maybe-promise.ts';
import { parseAddress } from '../../protocol/smtp/address.ts';
import type { Directory } from '../contract.ts';
import type { Login } from '../sign-in/logins.ts';

export type OwnerOf = (key: string) => MaybePromise<Login | undefined>;

export function createOwnerOf(find: OwnerOf, resolve: Directory['resolve'] | undefined): OwnerOf {
  return (key) =>
    andThen(find(key), (login) => {
      const address = parseAddress(key);
      if (login || !resolve || !address.ok) return login;
      return andThen(resolve(address.value), (resolution) => {
        if (resolution.kind !== 'local' || resolution.targets.length !== 1) return undefined;
        // An alias may lead to a sub-address.
        return andThen(resolution.viaAlias ? resolve(resolution.targets[0]!) : resolution, (last) =>
          last.kind === 'local' && last.account ? find(last.account.address) : undefined,
        );
      });
    });
}
