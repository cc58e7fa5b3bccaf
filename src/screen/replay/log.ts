/**
 * The effect of settings on the messages in the log: each is judged again, and compared with what happened.
 * Synchronous, for the thread. Messages that the product itself wrote were never judged, and do not count. Errors:
 * those of `walkMessages`.
 */
import { type WalkedMessage, walkMessages } from '../../journal/walk.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import type { About, MessageEvidence } from '../engine/evidence.ts';
import { REPLAY_LIMITS } from './limits.ts';
import type { Replay, Replayed, ReplayedDisposition, ReplayedRecipient } from './replay.ts';
import type { Why } from './unknown.ts';

export interface ReplayedChange {
  readonly id: string;
  readonly recipient: string;
  /** What happened: `accept`, `hold`, `redirect`, `discard`, `refuse`, `defer`. */
  readonly was: string;
  readonly would: ReplayedDisposition;
  /** The check that decides, or decided if nothing decides now; empty: none did. */
  readonly check: string;
  readonly code: string;
  /** The message itself was never received, as it was refused before: its checks may give a worse result. */
  readonly atLeast?: true;
}

export interface ReplayReport {
  /** Messages that were judged again. */
  readonly messages: number;
  /** Of these, the messages with a recipient whose result is unknown. */
  readonly unknown: number;
  /** The number of recipients by reason. */
  readonly why: Readonly<Partial<Record<Why, number>>>;
  readonly changed: readonly ReplayedChange[];
  /** Recipients with a changed result: those listed, and more if there are many. */
  readonly changedRecipients: number;
  /** There are older messages, beyond the bound of one replay. */
  readonly more?: true;
}

export interface Replayable {
  /** Milliseconds since the epoch; `until` is exclusive. */
  readonly since: number;
  readonly until?: number;
  /** Only recipients to whom this domain's settings apply. */
  readonly domain?: string;
}

export function replayLog(path: string, { domain, ...range }: Replayable, replay: Replay): ReplayReport {
  const why: Partial<Record<Why, number>> = {};
  const changed: ReplayedChange[] = [];
  let [messages, unknown, changedRecipients] = [0, 0, 0];
  let more: true | undefined;
  walkMessages(path, range, (message) => {
    if (message.session === null) return true;
    if (messages >= REPLAY_LIMITS.messages) {
      more = true;
      return false;
    }
    const found = compare(message, domain, replay);
    if (found.length === 0) return true;
    messages++;
    if (found.some((one) => 'unknown' in one)) unknown++;
    for (const one of found) {
      if ('unknown' in one) why[one.unknown] = (why[one.unknown] ?? 0) + 1;
      else if (one.was !== one.would) {
        changedRecipients++;
        if (changed.length < REPLAY_LIMITS.changesListed) changed.push(one);
      }
    }
    return true;
  });
  return { messages, unknown, why, changed, changedRecipients, ...(more && { more: true }) };
}

type Compared = ReplayedChange | { readonly unknown: Why };

function compare({ id, recipients, detail }: WalkedMessage, domain: string | undefined, replay: Replay): Compared[] {
  const evidence = (detail?.evidence ?? {}) as MessageEvidence;
  const seen = (evidence['recipients'] ?? {}) as Readonly<Record<string, Evidence>>;
  // A recipient whose evidence was cut may have decided for all.
  const again: Replayed = detail?.cut?.evidence ? { recipients: [], unknown: 'cut' } : replay(evidence);
  const byAddress = new Map(again.recipients.map((one) => [one.address, one]));
  const compared: Compared[] = [];
  const done = new Set<string>();
  for (const { address, original = address, disposition } of recipients) {
    // An alias has a row for each target; it was one recipient, and had one answer.
    if (done.has(original)) continue;
    done.add(original);
    if (domain !== undefined && policyDomainOf(seen[original], original) !== domain) continue;
    const one = byAddress.get(original);
    if (one?.disposition) compared.push(change(id, one, disposition, foundThen(detail?.findings, original)));
    else compared.push({ unknown: one?.unknown ?? again.unknown ?? whyMissing(evidence) });
  }
  return compared;
}

function whyMissing(evidence: MessageEvidence): Why {
  return (evidence['about'] as unknown as About | undefined)?.cut ? 'cut' : 'not-observed';
}

/** For a recipient without evidence: by its address, as for all local recipients. */
function policyDomainOf(seen: Evidence | undefined, address: string): string {
  const known = (seen?.['who'] as { readonly policyDomain?: string } | undefined)?.policyDomain;
  return known ?? address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}

type FoundThen = readonly { readonly recipient?: string; readonly findings: readonly Finding[] }[];

function foundThen(all: FoundThen | undefined, address: string): Finding | undefined {
  const own = all?.filter(({ recipient }) => recipient === address).flatMap(({ findings }) => findings) ?? [];
  return own.find(({ action }) => action !== undefined && action !== 'accept');
}

function change(id: string, one: ReplayedRecipient, was: string, then: Finding | undefined): ReplayedChange {
  const by = one.deciding ?? then;
  return {
    id,
    recipient: one.address,
    was,
    would: one.disposition!,
    check: by?.check ?? '',
    code: by?.code ?? '',
    ...(one.atLeast && { atLeast: true }),
  };
}
