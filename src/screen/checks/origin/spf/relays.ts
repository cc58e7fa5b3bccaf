/** The servers in front of us: their addresses, and the clients that they received a message from. */
import { isIP } from 'node:net';
import { scanFields } from '../../../../protocol/mime/fields.ts';
import { fieldValue } from '../../../../protocol/mime/text.ts';
import type { Settings, SettingsSnapshot } from '../../../../settings/contract.ts';
import { canonicalAddress, networkSet } from '../../../../wire/network.ts';
import { AUTHENTICATION_LIMITS } from '../limits.ts';
import { authenticationSettings } from '../settings.ts';

export interface Hop {
  readonly client: string;
  readonly helo: string;
}

export type NetworkSet = ReturnType<typeof networkSet>;

const known = new WeakMap<SettingsSnapshot, NetworkSet>();

export function trustedRelays(settings: Settings): NetworkSet {
  return relaysOf(settings.current());
}

export function relaysOf(snapshot: SettingsSnapshot): NetworkSet {
  let networks = known.get(snapshot);
  if (!networks) {
    networks = networkSet(snapshot.get(authenticationSettings.trustedRelays));
    known.set(snapshot, networks);
  }
  return networks;
}

/**
 * The first hop that is not ours, read from the top: each Received field of a trusted relay names the client it
 * received the message from. Undefined if a field cannot be read: the fields below it are untrusted.
 */
export function firstUntrustedHop(head: Uint8Array, relays: NetworkSet): Hop | undefined {
  let read = 0;
  for (const field of scanFields(head).fields) {
    if (field.name !== 'received') continue;
    if (read++ === AUTHENTICATION_LIMITS.hops) return undefined;
    const hop = parseFrom(fieldValue(head, field));
    if (!hop) return undefined;
    if (!relays.has(hop.client)) return hop;
  }
  return undefined;
}

/** `from helo (name [192.0.2.1])` in its many spellings (RFC 5321 4.4): the relay itself wrote the last bracket. */
function parseFrom(value: string): Hop | undefined {
  const from = /^from\s+(\S{1,255})\s*\(([^()]{1,500})\)/i.exec(value);
  if (!from) return undefined;
  const [, helo, seen] = from as unknown as [string, string, string];
  const address = /\[(?:IPv6:)?([0-9a-f.:]+)\]\s*(?::\d+)?\s*$/i.exec(seen)?.[1] ?? /^([0-9a-f.:]+)$/i.exec(seen)?.[1];
  if (address === undefined) return undefined;
  const client = canonicalAddress(address.toLowerCase());
  return isIP(client) ? { client, helo: helo.toLowerCase() } : undefined;
}
