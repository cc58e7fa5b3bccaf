/**
 * Finds what stored evidence does not contain under other settings: whether a setting of looking (looking.ts), or the
 * choice of checks that run, would have changed the observation. Pure; errs on the side of `unknown`.
 */
import type { Evidence } from '../../model/finding.ts';
import { type NetworkTable, networksOf } from '../../protocol/network/table.ts';
import type { SettingsSnapshot } from '../../settings/contract.ts';
import { lookAlikeSettings } from '../checks/identity/look-alike-domain.ts';
import { authenticationSettings } from '../checks/origin/settings.ts';
import { dkimSettings } from '../checks/origin/signatures/settings.ts';
import { asksHelo } from '../checks/origin/spf/evaluation.ts';
import { spfSettings } from '../checks/origin/spf/judgement.ts';
import { type NetworkSet, relaysOf } from '../checks/origin/spf/relays.ts';
import type { ArcEvidence, DkimEvidence, DmarcEvidence, NotMade, SpfEvidence } from '../checks/origin/types.ts';
import type { About, MessageEvidence } from '../engine/evidence.ts';
import { lookedValue } from '../looking.ts';
import { relaySettings, shieldSettings } from '../settings.ts';

/** Why it is unknown. */
export type Why = 'version' | 'cut' | 'not-observed' | 'looking' | 'look-ups';

/** The parts of one transaction that other settings would have observed differently. */
export interface Elsewhere {
  /** The transaction as a whole. */
  readonly whole?: Why;
  /** These checks. */
  readonly checks: ReadonlySet<string>;
  /** The proofs of addresses on lists: SPF, from RCPT on; signatures too, with the message. */
  readonly proof: { readonly rcpt: boolean; readonly message: boolean };
}

/** One snapshot's settings of looking. */
export interface LookingUnder {
  readonly snapshot: SettingsSnapshot;
  readonly relays: NetworkSet;
  readonly natAddresses: NetworkTable<true>;
  /** In the form of evidence. */
  readonly helo: unknown;
  readonly relayList: unknown;
  readonly throughServers: unknown;
}

export function lookingUnder(snapshot: SettingsSnapshot): LookingUnder {
  return {
    snapshot,
    relays: relaysOf(snapshot),
    natAddresses: networksOf(snapshot.get(shieldSettings.natAddresses)),
    helo: lookedValue(spfSettings.heloAction, snapshot),
    relayList: lookedValue(authenticationSettings.trustedRelays, snapshot),
    throughServers: lookedValue(relaySettings.throughDomainServers, snapshot),
  };
}

const BEHIND_RELAYS = ['spf', 'spfRelayed', 'reversePtr', 'reverseHelo', 'reverseMail', 'dmarc'];
const NONE: Elsewhere = { checks: new Set(), proof: { rcpt: false, message: false } };

/** `spfWouldLook`, `dkimWouldLook`: under these settings, by the kind of sender and the needs of recipients. */
export function elsewhere(
  evidence: MessageEvidence,
  about: About,
  under: LookingUnder,
  spfWouldLook: boolean,
  dkimWouldLook: boolean,
): Elsewhere {
  if (about.isShort) return { ...NONE, whole: 'look-ups' };
  if (isOtherSender(about, under)) return { ...NONE, whole: 'looking' };
  const checks = new Set<string>();
  const spf = (evidence['spfRelayed']?.['made'] === true ? evidence['spfRelayed'] : evidence['spf']) as
    | SpfEvidence
    | NotMade
    | undefined;
  const behindRelays = isOtherRelay(about, under);
  if (behindRelays) for (const check of BEHIND_RELAYS) checks.add(check);
  const isSpfOther = spfWouldLook !== didLook(about.isRelay ? evidence['spfRelayed'] : evidence['spf']);
  if (isSpfOther && (evidence['dmarc'] as DmarcEvidence | undefined)?.result !== 'none') checks.add('dmarc');
  if (spf?.made && isOtherHelo(spf, about, under)) for (const check of ['spf', 'spfRelayed']) checks.add(check);
  const areKeysOther = areOtherKeys(evidence, about, under);
  if (areKeysOther) for (const check of ['dkim', 'arc', 'dmarc']) checks.add(check);
  if (isOtherLikeness(evidence, about, under)) checks.add('lookAlikeDomain');
  const isDkimOther = about.hasMessage === true && dkimWouldLook !== didLook(evidence['dkim']);
  const rcpt = behindRelays || isSpfOther;
  return { checks, proof: { rcpt, message: rcpt || isDkimOther || areKeysOther } };
}

/** Whether the kind of sender, or whether its address is its own, would differ. */
function isOtherSender({ client, hidden, looked, isLocal, sender }: About, under: LookingUnder): boolean {
  const isNat = under.natAddresses.find(client) === true;
  if (isNat !== (hidden === 'setting') && hidden !== 'gateway' && hidden !== 'proxy') return true;
  const isStranger = !isLocal && (sender === 'stranger' || sender === 'domain-server');
  return isStranger && looked?.[relaySettings.throughDomainServers.key] !== under.throughServers;
}

function isOtherRelay({ client, isRelay, looked }: About, { relays, relayList }: LookingUnder): boolean {
  if (relays.has(client) !== (isRelay ?? false)) return true;
  // Other trusted relays may be behind it.
  return isRelay === true && looked?.[authenticationSettings.trustedRelays.key] !== relayList;
}

/** RFC 7208: HELO is checked in any case; only a bound on its look-ups differs. Only its hard fail counts. */
function isOtherHelo({ mail, helo, helloIdentity }: SpfEvidence, { looked }: About, under: LookingUnder): boolean {
  if (looked?.[spfSettings.heloAction.key] === under.helo || !asksHelo(mail, helo)) return false;
  return helloIdentity === undefined || helloIdentity.result === 'fail';
}

function areOtherKeys(evidence: MessageEvidence, { looked }: About, { snapshot }: LookingUnder): boolean {
  const { key, default: usual } = dkimSettings.minimumKeyBits;
  const then = (looked?.[key] as number | undefined) ?? usual;
  const now = snapshot.get(dkimSettings.minimumKeyBits);
  if (then === now) return false;
  const dkim = evidence['dkim'] as DkimEvidence | NotMade | undefined;
  const arc = evidence['arc'] as ArcEvidence | NotMade | undefined;
  if (!dkim?.made || !arc?.made || arc.result !== 'none') return true;
  const [least, most] = [Math.min(then, now), Math.max(then, now)];
  return dkim.signatures.some(
    ({ keyBits, result }) => result === 'policy' || (keyBits !== undefined && keyBits >= least && keyBits < most),
  );
}

function isOtherLikeness(evidence: MessageEvidence, { looked }: About, { snapshot }: LookingUnder): boolean {
  const { key, default: usual } = lookAlikeSettings.frequentMessages;
  const then = (looked?.[key] as number | undefined) ?? usual;
  return then !== snapshot.get(lookAlikeSettings.frequentMessages) && isMade(evidence['lookAlikeDomain']);
}

/** It observed something: it was neither off nor unnecessary because of an exemption. */
function didLook(evidence: Evidence | undefined): boolean {
  return evidence !== undefined && !wasSpared(evidence);
}

/** It did not observe, since the settings then exempted the sender. */
export function wasSpared({ made, why }: Evidence): boolean {
  return made === false && (why === 'authenticated' || why === 'domain-server' || why === 'ip-shield');
}

function isMade(evidence: Evidence | undefined): boolean {
  return evidence !== undefined && evidence['made'] !== false;
}
