/**
 * Servers on shared infrastructure: their address is trusted only together with something that other customers cannot
 * present. A certificate or a sign-in is known before MAIL; a tenant marker comes with the header, so until then such
 * a sender is trusted provisionally.
 */
import type { Directory, ServerClaim, ServerCondition } from '../../directory/contract.ts';
import { isSharedHost } from '../../directory/rules/shared-hosts.ts';
import { andThen, type MaybePromise } from '../../model/maybe-promise.ts';
import type { ClientCertificate, SessionFacts } from '../../model/session.ts';
import { scanFields } from '../../protocol/mime/fields.ts';
import { binaryString } from '../../protocol/mime/text.ts';
import type { Sender } from './recipient-context.ts';

type Marker = ServerCondition & { readonly kind: 'tenant-marker' };

/** A domain, and the marks of which the header must have one. */
export interface Awaited {
  readonly domain: string;
  readonly markers: readonly Marker[];
}

/** The decision that depends on the header. */
export interface Pending {
  readonly claims: readonly Awaited[];
  /** The sender without a mark. */
  readonly otherwise: Sender;
}

/**
 * `domain`: of MAIL, if it is local; undefined: any that such a server serves. Costs nothing if no server has
 * conditions.
 */
export function senderByClaim(
  directory: Directory,
  facts: SessionFacts,
  domain: string | undefined,
  otherwise: Sender,
): MaybePromise<Sender> {
  return andThen(directory.serverClaims(facts.client.address, domain), (claims) => {
    if (claims.length === 0) return otherwise;
    const server = { ...otherwise, kind: 'domain-server' } as const;
    const met = claims.find((claim) => isMet(claim, facts));
    if (met) return { ...server, domain: met.domain };
    const [first, ...rest] = claims.flatMap(({ domain, conditions }) => {
      const markers = conditions.filter((condition): condition is Marker => condition.kind === 'tenant-marker');
      return markers.length > 0 ? [{ domain, markers }] : [];
    });
    if (!first || facts.account !== undefined) return otherwise;
    return { ...server, domain: first.domain, pending: { claims: [first, ...rest], otherwise } };
  });
}

function isMet({ domain, conditions }: ServerClaim, { account, tls }: SessionFacts): boolean {
  return conditions.some((condition) => {
    // A user's password proves the user; only the domain's own login proves that the server is the domain's.
    if (condition.kind === 'sign-in') return account === `@${domain}`;
    return condition.kind === 'client-certificate' && shows(tls?.certificate, condition.value);
  });
}

/** If a provider presents one certificate for all its customers, a name in it proves nothing. */
function shows(certificate: ClientCertificate | undefined, wanted: string): boolean {
  if (!certificate) return false;
  if (certificate.fingerprint === wanted) return true;
  const { verified, names } = certificate;
  return verified && names.includes(wanted) && !names.some((name) => isSharedHost(name.replace(/^\*\./, '')));
}

/** The sender by the header; `markers`: the fields that prove it. */
export function senderByHeader(
  pending: Pending,
  server: Sender,
  head: Uint8Array,
): { readonly sender: Sender; readonly markers: readonly string[] } {
  const { fields, problem } = scanFields(head);
  const bears = ({ header, value }: Marker): boolean => {
    const [field, second] = fields.filter(({ name }) => name === header);
    // It occurs twice: a customer of the provider wrote one of them.
    if (problem || !field || second) return false;
    return binaryString(head, field.valueStart, field.end).replace(/\r?\n/g, '').trim() === value;
  };
  for (const { domain, markers } of pending.claims) {
    if (!markers.some(bears)) continue;
    const { pending: _, ...settled } = server;
    return { sender: { ...settled, domain }, markers: markers.map(({ header }) => header) };
  }
  return { sender: { ...pending.otherwise, unmarked: true }, markers: [] };
}
