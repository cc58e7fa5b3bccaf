/**
 * SPF (RFC 7208) of the MAIL and the HELO identity of one hop.
 *
 * One after the other, and HELO only if it may matter: for the null reverse-path, and after a MAIL identity that does
 * not decide by itself. Never throws for name servers or records: temperror and permerror are results, with the
 * reason in words. A defect of the verifier is thrown.
 */
import type { ReversePath } from '../../../../model/address.ts';
import { UNKNOWN_ADDRESS } from '../../../../model/session.ts';
import { heloIdentity } from '../../../../protocol/smtp/domain.ts';
import type { Clock } from '../../../../world/clock.ts';
import type { OwnedResolver, Resolver } from '../../../../world/resolver.ts';
import { createAsker } from '../ask.ts';
import { keptPerResolver } from '../kept.ts';
import { AUTHENTICATION_LIMITS } from '../limits.ts';
import { loadSpf, type SpfModule } from '../mailauth.ts';
import type { SpfEvidence, SpfIdentity, SpfResult } from '../types.ts';
import type { Hop } from './relays.ts';

export interface SpfServices {
  readonly resolver: Resolver & Partial<OwnedResolver>;
  readonly hostname: string;
  readonly clock: Clock;
}

/** The use of the HELO result, besides a MAIL identity: if it decides nothing, it gets few questions. */
export type HeloUse = 'decides' | 'written-down';

/** RFC 7208 4.6.4 bounds the mechanisms, and the exchangers and names of each; together a little over this. */
const QUESTIONS = 140;

export async function evaluateSpf(
  { client, helo: said }: Hop,
  reversePath: ReversePath,
  services: SpfServices,
  heloUse: HeloUse = 'decides',
): Promise<SpfEvidence> {
  const module = await loadSpf();
  // RFC 7208 4.3: only an empty label that is not at the end makes a name that cannot be looked up.
  const helo = heloIdentity(said);
  const hop = { client, helo };
  const rest = { made: true, client, helo, envelopeFrom: reversePath?.text ?? '' } as const;
  const hello = (bound: number): Promise<SpfIdentity | undefined> =>
    identity(module, 'helo', `postmaster@${helo}`, hop, services, bound);
  // RFC 7208 2.4: for the null reverse-path the HELO name is the MAIL identity.
  if (reversePath === null)
    return {
      ...rest,
      mail: (isDomainName(helo) && (await hello(QUESTIONS))) || (client === UNKNOWN_ADDRESS ? UNASKED : NO_NAME),
    };
  const mail = (await identity(module, 'mfrom', reversePath.text, hop, services))!;
  if (!asksHelo(mail, helo)) return { ...rest, mail };
  const helloIdentity = await hello(heloUse === 'decides' ? QUESTIONS : spareQuestions(services));
  return { ...rest, mail, ...(helloIdentity && { helloIdentity }) };
}

/** Whether the HELO identity may still matter, once the MAIL identity is known. */
export function asksHelo({ scope, domain, result }: SpfIdentity, helo: string): boolean {
  return scope === 'mfrom' && domain !== helo && isDomainName(helo) && !DECIDES.has(result);
}

/** After these results, no result of HELO changes anything. */
const DECIDES: ReadonlySet<SpfResult> = new Set(['fail', 'temperror', 'permerror']);

function spareQuestions({ resolver }: SpfServices): number {
  const left = AUTHENTICATION_LIMITS.ordinaryQuestions - (resolver.questions?.() ?? 0);
  return Math.max(0, Math.min(left, AUTHENTICATION_LIMITS.heloQuestions));
}

/** Whether the domain's record denies this client, for any identity it claims. */
export async function denies(domain: string, hop: Hop, services: SpfServices): Promise<boolean> {
  const denied = await identity(await loadSpf(), 'mfrom', `postmaster@${domain}`, hop, services);
  return denied?.result === 'fail';
}

/** The domain's result for one client, the same for every address of it: cached as long as its records are valid. */
const keptResults = keptPerResolver<SpfIdentity>();

const NO_NAME: SpfIdentity = Object.freeze({
  scope: 'helo',
  domain: '',
  result: 'none',
  text: 'HELO is no domain name',
});

/**
 * mailauth also reports a defect of its own as a temporary error; only this text marks a time-out without name
 * servers.
 */
const TIME_IS_UP = /: SPF evaluation time limit exceeded$/;

/** It is unknown whether a client without an address may send (RFC 7208 2.6.6: temperror). */
const NO_CLIENT = { result: 'temperror', text: 'the proxy does not know the address of its client' } as const;
const UNASKED: SpfIdentity = Object.freeze({ scope: 'helo', domain: '', ...NO_CLIENT });

/** Undefined: the record needs more questions than `bound`, which is fewer than RFC 7208 allows. */
async function identity(
  { spf }: SpfModule,
  scope: SpfIdentity['scope'],
  sender: string,
  { client, helo }: Hop,
  { resolver, hostname, clock }: SpfServices,
  bound: number = QUESTIONS,
): Promise<SpfIdentity | undefined> {
  const domain = sender.slice(sender.lastIndexOf('@') + 1).toLowerCase();
  if (client === UNKNOWN_ADDRESS) return { scope, domain, ...NO_CLIENT };
  const key = `${scope} ${client} ${helo} ${domain}`;
  const results = keptResults(resolver);
  const known = results.get(key, clock);
  if (known) return known;
  const asker = createAsker(resolver, bound);
  const watched = asker.watched();
  const { status } = await spf({
    sender,
    ip: client,
    helo,
    mta: hostname,
    resolver: watched.ask,
    strict: true,
    maxElapsedTime: AUTHENTICATION_LIMITS.spfMs,
  });
  if (asker.exceeded() && bound < QUESTIONS) return undefined;
  if (status.result === 'temperror' && !watched.troubled() && !TIME_IS_UP.test(status.comment ?? ''))
    throw new Error(`SPF failed by itself: ${status.comment}`);
  // If it waited for places, the time-out is our fault.
  if (status.result === 'temperror') resolver.ranOutOfTime?.();
  const text = (status.comment ?? '').replace(`${hostname}: `, '').replaceAll(sender, domain);
  const identity = { scope, domain, result: status.result as SpfResult, text };
  if (!watched.isPersonal() && status.result !== 'temperror') results.put(key, identity, watched.seconds(), clock);
  return identity;
}

/** RFC 7208 2.3: an address literal or a bare word has no SPF. */
function isDomainName(helo: string): boolean {
  return helo.includes('.') && !helo.startsWith('[') && !/^[\d.]+$/.test(helo);
}
