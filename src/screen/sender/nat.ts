/**
 * Whether a client's address is that of a device in between: a container's gateway, a NAT, a load balancer without
 * PROXY. Such an address is shared by many, so it proves nothing.
 *
 * Known are the addresses in the setting and this machine's default gateways. Guessed is, after enough sessions, the
 * one private address that all of a listener's sessions came from. Programs of this machine are trusted: loopback
 * neither counts against such an address nor is one, unless a listener has no other clients and their HELO names are
 * more than one machine has. A PROXY header has the true address and is not counted; a client that its proxy does not
 * know has no address at all.
 */

import ipaddr from 'ipaddr.js';
import { type SessionFacts, UNKNOWN_ADDRESS } from '../../model/session.ts';
import { type NetworkTable, networksOf } from '../../protocol/network/table.ts';
import { heloIdentity } from '../../protocol/smtp/domain.ts';
import type { Settings, SettingsSnapshot } from '../../settings/contract.ts';
import { isLoopback } from '../../wire/network.ts';
import type { Events } from '../../world/events.ts';
import { SCREEN_LIMITS } from '../limits.ts';
import { shieldSettings } from '../settings.ts';

/** `counted` is a guess; `proxy`: the proxy does not know its client. */
export type Hidden = 'setting' | 'gateway' | 'counted' | 'proxy';

export interface HiddenClients {
  readonly port: number;
  readonly address: string;
  readonly known: Hidden;
}

export interface NatWatch {
  /** A session began. */
  count(facts: SessionFacts): void;
  /** It sent its name in HELO. */
  greeted(facts: SessionFacts): void;
  /** Undefined: the address is the client's own. */
  hides(facts: SessionFacts): Hidden | undefined;
  /** The addresses found since the start. */
  found(): readonly HiddenClients[];
}

interface Listener {
  /** The first client that is not this machine. */
  client: string | undefined;
  isAlone: boolean;
  sessions: number;
  ofThisMachine: number;
  /** HELO names of sessions of this machine. */
  readonly names: Set<string>;
}

export function createNatWatch(settings: Settings, events: Events, gateways: readonly string[]): NatWatch {
  const listeners = new Map<number, Listener>();
  const found = new Map<string, HiddenClients>();
  const natAddresses = networksOfSetting(settings);

  function listenerOf(port: number): Listener {
    const known = listeners.get(port);
    if (known) return known;
    const made = { client: undefined, isAlone: true, sessions: 0, ofThisMachine: 0, names: new Set<string>() };
    listeners.set(port, made);
    return made;
  }

  function isGuessed({ client, local }: SessionFacts): boolean {
    const listener = listeners.get(local.port);
    if (!listener) return false;
    const { natSessions, natNames } = SCREEN_LIMITS;
    if (!isLoopback(client.address)) return listener.isAlone && listener.sessions >= natSessions;
    return !listener.client && listener.ofThisMachine >= natSessions && listener.names.size >= natNames;
  }

  function how(facts: SessionFacts): Hidden | undefined {
    const { address } = facts.client;
    if (natAddresses().find(address)) return 'setting';
    if (gateways.includes(address)) return 'gateway';
    return isGuessed(facts) ? 'counted' : undefined;
  }

  return {
    count({ client, local, proxy }) {
      if (proxy) return;
      const listener = listenerOf(local.port);
      if (isLoopback(client.address)) listener.ofThisMachine++;
      else if (listener.client === undefined) {
        listener.client = client.address;
        listener.isAlone = isPrivate(client.address);
        listener.sessions = 1;
      } else if (listener.client !== client.address) listener.isAlone = false;
      else listener.sessions++;
    },
    greeted({ client, local, proxy, helo }) {
      if (proxy || helo === undefined || !isLoopback(client.address)) return;
      const { names } = listenerOf(local.port);
      if (names.size < SCREEN_LIMITS.natNames) names.add(heloIdentity(helo));
    },
    hides(facts) {
      const isUnknown = facts.client.address === UNKNOWN_ADDRESS;
      if (facts.proxy && !isUnknown) return undefined;
      const known = isUnknown ? 'proxy' : how(facts);
      if (!known) return undefined;
      const { address } = (isUnknown && facts.proxy) || facts.client;
      const { port } = facts.local;
      const key = `${port} ${address}`;
      if (!found.has(key) && found.size < SCREEN_LIMITS.rememberedEvents) {
        found.set(key, { port, address, known });
        events.emit('screen.nat', { port, address, known });
      }
      return known;
    },
    found: () => [...found.values()],
  };
}

/** The addresses that the operator marks as shared; parsed once for each snapshot. */
function networksOfSetting(settings: Settings): () => NetworkTable<true> {
  let snapshot: SettingsSnapshot | undefined;
  let networks = networksOf([]);
  return () => {
    const now = settings.current();
    if (now !== snapshot) {
      snapshot = now;
      networks = networksOf(now.get(shieldSettings.natAddresses));
    }
    return networks;
  };
}

const PRIVATE = new Set(['private', 'uniqueLocal', 'linkLocal', 'carrierGradeNat']);

function isPrivate(address: string): boolean {
  return ipaddr.isValid(address) && PRIVATE.has(ipaddr.parse(address).range());
}
