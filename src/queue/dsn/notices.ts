/** Who is told what (RFC 3461 4.1, 5.2): which changes of a recipient are news to the sender. Pure. */
import type { Notify } from '../../model/envelope.ts';
import type { DsnAction, DsnRecipient } from '../../protocol/dsn/types.ts';
import type { AttemptDetail, NewMessage, NewRecipient } from '../contract.ts';
import type { ActiveRecipient } from '../rows/rows.ts';

export type NoticeKind = 'success' | 'failure' | 'delay';

/** RFC 3461 4.1: without NOTIFY, failures are reported, and delays at our discretion. */
export function wants(notify: Notify | undefined, kind: NoticeKind): boolean {
  if (notify === undefined) return kind !== 'success';
  return notify !== 'never' && notify.includes(kind);
}

/** Whether its sender is to be told once when it takes long. */
export function wantsDelayWarning({ reversePath }: NewMessage, { notify }: NewRecipient): boolean {
  return reversePath !== null && wants(notify, 'delay');
}

export interface Notice {
  readonly action: DsnAction;
  readonly recipient: Pick<ActiveRecipient, 'address' | 'original' | 'orcpt'>;
  /** Of the last try. */
  readonly detail: AttemptDetail;
  readonly willRetryUntil?: number;
  /** It expired: how long was tried, in words. */
  readonly triedFor?: string;
}

export function dsnRecipient({ action, recipient, detail, willRetryUntil, triedFor }: Notice): DsnRecipient {
  const { address, original, orcpt } = recipient;
  const spoken = action === 'failed' || action === 'delayed';
  return {
    action,
    finalRecipient: address.text,
    ...(original.text !== address.text && { addressedTo: original.text }),
    ...(orcpt && { orcpt }),
    // RFC 3463 3.5: what expired says so, and to send it again may succeed; why it waited is in the diagnostic.
    status: triedFor === undefined ? statusFor(action, detail.status) : '4.4.7',
    ...(detail.host !== undefined && { remoteMta: detail.host }),
    ...(spoken && { diagnostic: { saidBy: detail.remote ? 'remote' : 'us', text: detail.reply } }),
    lastAttemptAt: detail.at,
    ...(willRetryUntil !== undefined && { willRetryUntil }),
    ...(triedFor !== undefined && { triedFor }),
  };
}

/** RFC 3464 2.3.4: the class of the status follows the action; what a peer said must not contradict it. */
function statusFor(action: DsnAction, status: string): string {
  const rest = /^[245](\.\d{1,3}\.\d{1,3})$/.exec(status)?.[1] ?? '.0.0';
  if (action === 'failed') return `5${rest}`;
  return `${action === 'delayed' ? 4 : 2}${rest}`;
}

/** The rest of what was asked for: whoever asked for success alone hears nothing. */
export function withoutSuccess(notify: Notify | undefined): Notify {
  const left = notify === undefined || notify === 'never' ? [] : notify.filter((kind) => kind !== 'success');
  return left.length === 0 ? 'never' : left;
}
