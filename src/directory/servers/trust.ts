/**
 * When the address of a domain mail server counts: by itself if it is the server's own, else only together with
 * something that other customers of the same infrastructure cannot present. Errors: OperationalError
 * `directory.invalid`, `directory.shared`, `directory.doubtful` (probably a mistake, and `force` is not set).
 */

import { OperationalError } from '../../model/errors.ts';
import { canonicalNetwork, parseNetworks } from '../../protocol/network/network.ts';
import { parseDomain } from '../../protocol/smtp/domain.ts';
import type { ServerCondition } from '../contract.ts';
import { entryDoubt } from '../rules/doubts.ts';
import { isSharedHost, PROVIDERS, type SharedNetworks } from '../rules/shared-hosts.ts';

/** The input of an operator. */
export interface GivenConditions {
  /** `Header-Name: value`. */
  readonly tenantMarkers?: readonly string[];
  /** SHA-256 in hex, or a name. */
  readonly clientCertificates?: readonly string[];
  readonly signIn?: boolean;
  /** Takes networks and names that are probably a mistake. */
  readonly force?: boolean;
}

/** RFC 5322 2.2: printable ASCII without colon; the value is one line of it. */
const MARKER = /^([\x21-\x39\x3b-\x7e]{1,100}):[ \t]*([\x20-\x7e]{1,500})$/;
const FINGERPRINT = /^[0-9a-f]{64}$/;

export function readConditions({
  tenantMarkers = [],
  clientCertificates = [],
  signIn,
  force = false,
}: GivenConditions): readonly ServerCondition[] {
  return [
    ...tenantMarkers.map(readMarker),
    ...clientCertificates.map((text) => readCertificate(text, force)),
    ...(signIn ? [{ kind: 'sign-in' } as const] : []),
  ];
}

function readMarker(text: string): ServerCondition {
  const [, header, value = ''] = MARKER.exec(text.trim()) ?? [];
  if (header && value.trim() !== '')
    return { kind: 'tenant-marker', header: header.toLowerCase(), value: value.trim() };
  throw new OperationalError(
    'directory.invalid',
    `cannot use the tenant marker, as it must be a header field such as X-OriginatorOrg: example.com: current value is ${text}`,
  );
}

function readCertificate(text: string, force: boolean): ServerCondition {
  const bare = text.trim().toLowerCase();
  const fingerprint = bare.replaceAll(':', '');
  if (FINGERPRINT.test(fingerprint)) return { kind: 'client-certificate', value: fingerprint };
  const name = parseDomain(bare);
  if (!name.ok || !bare.includes('.'))
    throw new OperationalError(
      'directory.invalid',
      `cannot use the client certificate, as it must be a SHA-256 in hex or a host name: current value is ${text}`,
    );
  if (isSharedHost(name.value))
    throw new OperationalError(
      'directory.shared',
      `cannot trust certificates of ${name.value}, as every customer of that provider sends with the same one`,
    );
  if (!force) mustBeMeant('host', name.value);
  return { kind: 'client-certificate', value: name.value };
}

/** `value`: as it was typed. */
function mustBeMeant(kind: 'host' | 'ip', value: string): void {
  const must = entryDoubt('allow', kind, value);
  if (must === undefined) return;
  throw new OperationalError(
    'directory.doubtful',
    `cannot trust ${value}, as it must be ${must}, unless you insist (--force)`,
  );
}

/** In the one spelling that is stored: a network, or a provider's name. Shared ones need a condition. */
export function readNetwork(text: string, hasCondition: boolean, shared: SharedNetworks, force = false): string {
  const trimmed = text.trim().toLowerCase();
  const provider = Object.hasOwn(PROVIDERS, trimmed);
  const networks = provider ? [] : parseNetworks(trimmed);
  if (!networks)
    throw new OperationalError(
      'directory.invalid',
      `cannot use the network, as it must be an address, a CIDR such as 192.0.2.0/24, or one of ${Object.keys(PROVIDERS).join(', ')}: current value is ${text}`,
    );
  if (!hasCondition && (provider || networks.some(shared.overlaps)))
    throw new OperationalError(
      'directory.shared',
      `cannot trust ${text} by address, as every customer of the provider sends from there and could send as you: give a tenant marker, a client certificate or --sign-in with it`,
    );
  if (provider) return trimmed;
  if (!force) mustBeMeant('ip', trimmed);
  return canonicalNetwork(trimmed)!;
}

/** The row for the database. */
export function conditionRow(condition: ServerCondition): {
  readonly kind: ServerCondition['kind'];
  readonly value: string;
} {
  const { kind } = condition;
  if (kind === 'tenant-marker') return { kind, value: `${condition.header}:${condition.value}` };
  return { kind, value: kind === 'sign-in' ? '' : condition.value };
}

/** Undefined for a kind of a later version: it grants nothing here. */
export function conditionOf(kind: string, value: string): ServerCondition | undefined {
  if (kind === 'sign-in') return { kind };
  if (kind === 'client-certificate') return { kind, value };
  if (kind !== 'tenant-marker') return undefined;
  const colon = value.indexOf(':');
  return { kind, header: value.slice(0, colon), value: value.slice(colon + 1) };
}
