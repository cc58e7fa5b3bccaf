/** Listeners whose clients share one address: rules that rely on addresses do not work there. */
import type { HiddenClients } from '../screen/sender/nat.ts';
import { type PostureResult, problem } from './types.ts';

const HIDDEN = {
  code: 'hidden',
  severity: 'important',
  why: 'This address is everybody’s, so the presets of IP shielding and what is waived for this machine are void for it, and block lists and limits by address hit everybody. Let the proxy send PROXY headers, or publish the port without address translation.',
} as const;

const HOW: Readonly<Record<HiddenClients['known'], string>> = {
  setting: 'ipShield.natAddresses names it',
  gateway: 'it is a default gateway of this machine',
  counted: 'no other client was seen',
  proxy: 'this proxy sends mail of clients whose addresses it does not know',
};

/** The findings of a running node since its start; empty for a stopped one. */
export function checkHiddenClients(found: readonly HiddenClients[]): readonly PostureResult[] {
  return found.map(({ port, address, known }) =>
    problem(
      { test: 'clients', subject: address },
      HIDDEN,
      `clients of port ${port} hide behind ${address}: ${HOW[known]}`,
    ),
  );
}
