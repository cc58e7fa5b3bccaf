/**
 * What the results of a try come to, for each recipient of a claim: pure, before anything is written.
 */
import type { HeldBy, HoldClass } from '../../model/finding.ts';
import type { AttemptDetail, AttemptResult, EarlierHost, FinalState, HoldEnd } from '../contract.ts';
import type { Hold } from '../dispatch/active-claims.ts';
import { type Notice, wants } from '../dsn/notices.ts';
import { EARLIER_HOSTS, EARLIER_REPLY_CHARACTERS, REPLY_CHARACTERS } from '../limits.ts';
import { expiryWords, nextDue, type Schedule } from '../model/schedule.ts';
import { recipients as moves } from '../model/transitions.ts';
import type { ActiveRecipient } from '../rows/rows.ts';

export type Change =
  | {
      readonly kind: 'end';
      readonly recipient: ActiveRecipient;
      readonly state: FinalState;
      readonly detail: AttemptDetail;
      /** What the last try came to, where the end is not its own. */
      readonly last?: AttemptDetail;
    }
  | {
      readonly kind: 'requeue';
      readonly recipient: ActiveRecipient;
      readonly due: number;
      readonly attempts: number;
      readonly detail: AttemptDetail;
    }
  | {
      readonly kind: 'hold';
      readonly recipient: ActiveRecipient;
      readonly class: HoldClass;
      readonly reason: string;
      readonly until?: HoldEnd;
      readonly cause: 'forged' | 'unreadable' | 'operator';
      /** What a try left; absent where there was none, and the row's own stays. */
      readonly tried?: { readonly attempts: number; readonly last: AttemptDetail };
      /** Of this change, for the log. */
      readonly detail: AttemptDetail;
    }
  /** The sender was told of the delay; `due` as before. */
  | {
      readonly kind: 'warned';
      readonly recipient: ActiveRecipient;
      readonly due: number;
      /** For the log. */
      readonly detail: AttemptDetail;
    };

export interface SettlementRules {
  /** Its id. */
  readonly message: string;
  readonly now: number;
  readonly schedule: Schedule;
  readonly failureNotices: 'always' | 'unless-forged' | 'never';
  /** The checks call the reverse-path forged. */
  readonly forged: boolean;
  /** Null reverse-path: nobody to tell. */
  readonly isNull: boolean;
}

/** What a hold that no check asked for is found by. */
export const HELD_BY: Readonly<Record<(Change & { kind: 'hold' })['cause'], HeldBy>> = {
  forged: { check: 'queue', code: 'forged-sender' },
  unreadable: { check: 'queue', code: 'content-lost' },
  operator: { check: 'operator', code: 'held' },
};

export const FORGED_REASON = 'it could not be delivered, and its sender address is forged: nobody was told';
const UNREADABLE_REASON = 'its content is missing or damaged';

export function changeOf(recipient: ActiveRecipient, result: AttemptResult, rules: SettlementRules): Change {
  const detail = boundedDetail(result.detail);
  switch (result.kind) {
    case 'delivered':
      return { kind: 'end', recipient, state: moves.deliver('queued', rules.message), detail };
    case 'relayed':
      return { kind: 'end', recipient, state: moves.relay('queued', rules.message), detail };
    case 'failed':
      return failure(recipient, 'bounced', detail, rules);
    case 'unreadable':
      moves.setAside('queued', rules.message);
      return hold(recipient, 'operator', UNREADABLE_REASON, 'unreadable', detail);
    case 'deferred': {
      const due = nextDue(rules.schedule, {
        queuedAt: recipient.queuedAt,
        now: rules.now,
        notBeforeMs: result.notBeforeMs,
      });
      if (due === undefined) return failure(recipient, 'expired', detail, rules);
      moves.defer('queued', rules.message);
      const attempts = recipient.attempts + (result.countsAsAttempt ? 1 : 0);
      return { kind: 'requeue', recipient, due, attempts, detail };
    }
  }
}

/** A failure nobody may hear of is held where somebody would have heard of it. `last`: what the last try came to. */
export function failure(
  recipient: ActiveRecipient,
  state: 'bounced' | 'expired',
  last: AttemptDetail,
  rules: SettlementRules,
): Change {
  const silenced = rules.forged && rules.failureNotices === 'unless-forged' && !rules.isNull;
  const detail = state === 'expired' ? endOfTrying(last, rules) : last;
  if (!silenced) {
    const move = state === 'expired' ? moves.expire : moves.fail;
    return { kind: 'end', recipient, state: move('queued', rules.message), detail, last };
  }
  moves.silence('queued', rules.message);
  return { ...hold(recipient, 'admin', FORGED_REASON, 'forged', last), detail };
}

/** It is no try's: the last may be hours old. RFC 3463 3.5: 4.4.7 is a delivery time that expired. */
function endOfTrying(last: AttemptDetail, { now, schedule }: SettlementRules): AttemptDetail {
  const reply = `trying ended after ${expiryWords(schedule)}: ${last.reply}`;
  return boundedDetail({ ...last, at: now, status: '4.4.7', reply, remote: false });
}

function hold(
  recipient: ActiveRecipient,
  holdClass: HoldClass,
  reason: string,
  cause: 'forged' | 'unreadable',
  detail: AttemptDetail,
): Change {
  return {
    kind: 'hold',
    recipient,
    class: holdClass,
    reason,
    cause,
    tried: { attempts: recipient.attempts + 1, last: detail },
    detail,
  };
}

/** Held instead of waiting again: the result of the attempt stays, for the operator who releases it. */
export function holdInstead(
  change: Change & { kind: 'requeue' },
  wanted: Hold,
  rules: { message: string; now: number },
): Change {
  const { recipient, attempts, detail } = change;
  return { ...operatorHold(recipient, wanted, rules), tried: { attempts, last: detail } };
}

export function operatorHold(
  recipient: ActiveRecipient,
  { class: holdClass, reason, until }: Hold,
  { message, now }: { readonly message: string; readonly now: number },
): Change & { kind: 'hold' } {
  moves.hold('queued', message);
  const detail = { at: now, status: '2.0.0', reply: reason, remote: false };
  return { kind: 'hold', recipient, class: holdClass, reason, until, cause: 'operator', detail };
}

/** What the sender hears of it; undefined: nothing. `dsn`: the next host tells him. */
export function noticeOf(change: Change, rules: SettlementRules, dsn: boolean): Notice | undefined {
  if (rules.isNull || change.kind !== 'end') return undefined;
  const { recipient, state, detail } = change;
  if (state === 'bounced' || state === 'expired') {
    const told = rules.failureNotices !== 'never' && wants(recipient.notify, 'failure');
    if (!told) return undefined;
    const triedFor = state === 'expired' ? expiryWords(rules.schedule) : undefined;
    return { action: 'failed', recipient, detail: change.last ?? detail, triedFor };
  }
  if (!wants(recipient.notify, 'success')) return undefined;
  if (state === 'delivered') return { action: 'delivered', recipient, detail };
  // RFC 3461 5.2.2: a next hop without DSN will not tell, so we say how far it came.
  return state === 'relayed' && !dsn ? { action: 'relayed', recipient, detail } : undefined;
}

export function boundedDetail(detail: AttemptDetail): AttemptDetail {
  const { reply, earlier } = detail;
  if (reply.length <= REPLY_CHARACTERS && earlier === undefined) return detail;
  const bounded = { ...detail, reply: reply.slice(0, REPLY_CHARACTERS) };
  return earlier ? { ...bounded, earlier: earlier.slice(-EARLIER_HOSTS).map(boundedHost) } : bounded;
}

function boundedHost(host: EarlierHost): EarlierHost {
  return { ...host, reply: host.reply.slice(0, EARLIER_REPLY_CHARACTERS) };
}
