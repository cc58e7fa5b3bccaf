/** Types that several acts share. */
import { Type } from 'typebox';
import { anyAddress, domainName } from '../../directory/addresses/names.ts';
import { PAGE_ROWS } from '../../directory/limits.ts';
import type { PreparedChange } from '../../store/contract.ts';

/** A longer text is no name, address or reason. */
export const Text = Type.String({ maxLength: 1000 });

/** Takes values that are probably a mistake: half of all addresses, a public suffix. */
export const Force = Type.Optional(Type.Boolean());

export const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_ROWS }));

/** For every list with pages. */
export const PAGE = { limit: Limit, after: Type.Optional(Text) };

/** Only objects in these domains; reach.ts sets it for actors of some domains. */
export const Domains = Type.Optional(Type.Array(Text, { maxItems: 10_000 }));

export const OF_ADDRESS = { named: ({ address }: { readonly address: string }) => [anyAddress(address).domain] };
export const OF_DOMAIN = { named: ({ domain }: { readonly domain: string }) => [domainName(domain)] };
export const OF_NAME = { named: ({ name }: { readonly name: string }) => [domainName(name)] };

/** The domain of a domain or of an account's address; undefined for the node. */
export function ownerDomain(owner: string | undefined): string | undefined {
  if (owner === undefined || owner === '') return undefined;
  return owner.includes('@') ? anyAddress(owner).domain : domainName(owner);
}

/** Two changes as one. */
export function both(first: PreparedChange, second: PreparedChange): PreparedChange {
  return {
    statements: [...first.statements, ...second.statements],
    committed() {
      first.committed();
      second.committed();
    },
  };
}
