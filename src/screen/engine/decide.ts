/**
 * From findings to dispositions (architecture, section 3): one for each recipient, and one reply for
 * the message. Pure: the replay of changed settings decides by the same rules.
 * Of one recipient: an unknown outranks a refusal, since it might have exempted the sender; a defer that a check
 * chose for a known fact is a mild refusal, and yields to a permanent one.
 *
 * Any defer: 451 to all. All refused: one 5xx, that of the first refusing check in declared order. Else the message
 * is accepted, and a refused recipient is held as a late refusal.
 */
import type { Action, Disposition, Finding } from '../../model/finding.ts';
import type { Reply } from '../../model/reply.ts';
import { isTrusted } from '../sender/recipient-context.ts';
import type { SenderKind } from './check.ts';

export const ACCEPT: Disposition = Object.freeze({ kind: 'accept' });
const ACCEPT_ONE: readonly Disposition[] = Object.freeze([ACCEPT]);

/** Nothing weakens a hold for administrators; actions that sort or drop mail come after those that protect. */
const STRENGTH: Readonly<Record<Action, number>> = {
  accept: 0,
  'quarantine-user': 1,
  redirect: 2,
  discard: 3,
  'quarantine-admin': 4,
  refuse: 6,
  defer: 7,
};
const MILD_REFUSAL = 5;

/** The finding that decides, or undefined if none asks for more than acceptance. Of equal ones the first. */
export function strongest(findings: readonly Finding[]): Finding | undefined {
  let strongest: Finding | undefined;
  let most = 0;
  for (const finding of findings) {
    const strength = strengthOf(finding);
    if (strength <= most) continue;
    strongest = finding;
    most = strength;
  }
  return strongest;
}

function strengthOf({ action = 'accept', outcome }: Finding): number {
  return action === 'defer' && outcome === 'fail' ? MILD_REFUSAL : STRENGTH[action];
}

export type Decision =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'commit'; readonly dispositions: readonly Disposition[] };

/**
 * `deciding`: the strongest finding of each recipient, in order of RCPT. `declared`: the ids of the
 * checks in declared order.
 */
export function decide(
  deciding: readonly (Finding | undefined)[],
  sender: SenderKind,
  declared: readonly string[],
): Decision {
  let refusal: Finding | undefined;
  let refusals = 0;
  for (const finding of deciding) {
    if (finding?.action === 'defer') return { kind: 'reply', reply: replyOf(finding) };
    if (finding?.action !== 'refuse') continue;
    refusals += 1;
    if (!refusal || declared.indexOf(finding.check) < declared.indexOf(refusal.check)) refusal = finding;
  }
  if (refusal && refusals === deciding.length) return { kind: 'reply', reply: replyOf(refusal) };
  if (deciding.length === 1 && !deciding[0]) return { kind: 'commit', dispositions: ACCEPT_ONE };
  return {
    kind: 'commit',
    dispositions: deciding.map((finding) => (finding ? dispositionOf(finding, sender) : ACCEPT)),
  };
}

/** The reply to the sender if the check has none of its own. */
export function replyOf({ action, reply, text }: Finding): Reply {
  if (reply) return reply;
  return action === 'defer' ? { code: 451, enhanced: '4.7.1', text } : { code: 550, enhanced: '5.7.1', text };
}

function dispositionOf(finding: Finding, sender: SenderKind): Disposition {
  const reason = `${finding.check}: ${finding.text}`;
  const by = { check: finding.check, code: finding.code };
  switch (finding.action) {
    case 'refuse': {
      const held = { kind: 'hold', class: 'admin', reason: `late refusal: ${reason}`, by } as const;
      // The reverse-path of an untrusted sender may be forged, so only a trusted sender is notified.
      return isTrusted(sender) ? { ...held, tellSender: replyOf(finding) } : held;
    }
    case 'quarantine-admin':
      return { kind: 'hold', class: 'admin', reason, by };
    case 'quarantine-user':
      return { kind: 'hold', class: 'user', reason, by };
    case 'discard':
      return { kind: 'discard', reason };
    case 'redirect':
      // A redirection without a target would lose the message.
      return finding.redirectTo === undefined
        ? { kind: 'hold', class: 'admin', reason, by }
        : { kind: 'redirect', to: finding.redirectTo, reason };
    default:
      return ACCEPT;
  }
}
