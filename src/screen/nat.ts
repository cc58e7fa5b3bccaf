/**
 * Whether a client's address is that of whoever stands between: a container's gateway, a NAT, a load
 * balancer without PROXY. Such an address is everybody's, so it proves nothing.
 *
 * Known are: what the setting names, this machine's default gateways, and the one private address that
 * all of a listener's sessions came from, once there were enough. A PROXY header tells the truth and
 * is not counted. Loopback is not counted either: programs of this machine do send mail.
 */
import ipaddr from 'ipaddr.js';
import type { NetworkTable } from '../directory/rules/network-table.ts';
import { networksOf } from '../directory/rules/shields.ts';
import type { SessionFacts } from '../model/session.ts';
import type { Settings, SettingsSnapshot } from '../settings/contract.ts';
import type { Events } from '../world/events.ts';
import { SCREEN_LIMITS } from './limits.ts';
import { shieldSettings } from './settings.ts';

export interface NatWatch {
  /** A session began. */
  count(facts: SessionFacts): void;
  hides(facts: SessionFacts): boolean;
}

interface Listener {
  readonly client: string;
  sessions: number;
  isAlone: boolean;
}

export function createNatWatch(settings: Settings, events: Events, gateways: readonly string[]): NatWatch {
  const listeners = new Map<number, Listener>();
  const told = new Set<string>();

  function how({ client, local }: SessionFacts): 'setting' | 'gateway' | 'counted' | undefined {
    if (isNatAddress(settings, client.address)) return 'setting';
    if (gateways.includes(client.address)) return 'gateway';
    const listener = listeners.get(local.port);
    return listener?.isAlone && listener.sessions >= SCREEN_LIMITS.natSessions ? 'counted' : undefined;
  }

  return {
    count({ client, local, proxy }) {
      if (proxy) return;
      const known = listeners.get(local.port);
      if (!known)
        listeners.set(local.port, { client: client.address, sessions: 1, isAlone: isPrivate(client.address) });
      else if (known.client !== client.address) known.isAlone = false;
      else known.sessions++;
    },
    hides(facts) {
      if (facts.proxy) return false;
      const found = how(facts);
      if (!found) return false;
      const { address } = facts.client;
      const key = `${facts.local.port} ${address}`;
      if (!told.has(key) && told.size < SCREEN_LIMITS.rememberedEvents) {
        told.add(key);
        events.emit('screen.nat', { port: facts.local.port, address, known: found });
      }
      return true;
    },
  };
}

const bySnapshot = new WeakMap<SettingsSnapshot, NetworkTable<true>>();

/** Whether the operator says that this address is nobody's own. */
export function isNatAddress(settings: Settings, address: string): boolean {
  const snapshot = settings.current();
  let networks = bySnapshot.get(snapshot);
  if (!networks) {
    networks = networksOf(snapshot.get(shieldSettings.natAddresses));
    bySnapshot.set(snapshot, networks);
  }
  return networks.find(address) !== undefined;
}

const PRIVATE = new Set(['private', 'uniqueLocal', 'linkLocal', 'carrierGradeNat']);

function isPrivate(address: string): boolean {
  return ipaddr.isValid(address) && PRIVATE.has(ipaddr.parse(address).range());
}
