/** The settings of delivery as one object, built anew when a setting changes and not for each message. */
import type { SettingsSnapshot } from '../settings/contract.ts';
import type { ClientTimeouts } from '../wire/client/types.ts';
import { deliverySettings } from './settings.ts';

export interface DeliveryConfig {
  readonly heloName: string;
  readonly bindAddresses: readonly string[];
  readonly concurrency: number;
  readonly concurrencyPerDestination: number;
  readonly failureCacheMs: number;
  readonly tlsFallbackMinutes: number;
  readonly idleMs: number;
  readonly timeouts: ClientTimeouts;
}

export function deliveryConfig(snapshot: SettingsSnapshot, hostname: string): DeliveryConfig {
  const s = deliverySettings;
  const commandMs = snapshot.get(s.commandTimeoutSeconds) * 1000;
  const dataMs = snapshot.get(s.dataTimeoutSeconds) * 1000;
  return {
    heloName: snapshot.get(s.heloName) || hostname,
    bindAddresses: snapshot.get(s.bindAddresses),
    concurrency: snapshot.get(s.concurrency),
    concurrencyPerDestination: snapshot.get(s.concurrencyPerDestination),
    failureCacheMs: snapshot.get(s.failureCacheMinutes) * 60_000,
    tlsFallbackMinutes: snapshot.get(s.tlsFallbackMinutes),
    idleMs: snapshot.get(s.idleSeconds) * 1000,
    timeouts: {
      connectMs: snapshot.get(s.connectTimeoutSeconds) * 1000,
      greetingMs: commandMs,
      commandMs,
      dataMs,
      blockMs: dataMs,
      finalMs: snapshot.get(s.finalTimeoutSeconds) * 1000,
    },
  };
}
