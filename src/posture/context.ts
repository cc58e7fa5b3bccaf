/** The services and settings of the tests. */
import type { Resolver } from '../world/resolver.ts';
import type { OwnNode } from './own-addresses.ts';

export interface PostureContext {
  readonly resolver: Resolver;
  readonly node: OwnNode;
  /** Exchangers that a domain may name besides this node, in lower case. */
  readonly exchangers: readonly string[];
  readonly dnsLists: readonly string[];
}
