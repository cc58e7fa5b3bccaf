/** Between what rooms pass and what rows hold. */
import type { MessageRow as LoggedMessage } from '../../journal/contract.ts';
import type { Address, ReversePath } from '../../model/address.ts';
import type { Notify, OriginalRecipient } from '../../model/envelope.ts';
import { makeAddress, parseAddress } from '../../protocol/smtp/address.ts';
import type { StagedContent } from '../../store/contract.ts';
import type { Claim, ClaimedRecipient, NewMessage, NewRecipient } from '../contract.ts';
import { idOf } from '../model/ids.ts';
import { recipients as moves } from '../model/transitions.ts';
import { foundBy, NOT_HELD, policyDomain } from './held.ts';
import type { ContentRow, MessageRow, RecipientRow } from './tables.ts';

/** What a claim's recipient carries beyond the contract: when its clock of tries and expiry began. */
export interface ActiveRecipient extends ClaimedRecipient {
  readonly queuedAt: number;
  readonly destination: string;
}

/** `logged`: the journal's row, whose texts are kept here too. */
export function messageRow(message: NewMessage, key: number, logged: LoggedMessage): MessageRow {
  return {
    key,
    reverse_path: message.reversePath?.text ?? null,
    body: message.body,
    smtputf8: message.smtputf8 ? 1 : 0,
    ret: message.ret ?? null,
    envid: message.envid ?? null,
    received_at: message.receivedAt,
    size_bytes: message.content.sizeBytes,
    sha256: message.content.home.kind === 'blob' ? message.content.sha256 : '',
    session: message.session ?? null,
    client_address: message.clientAddress ?? null,
    author: message.author ?? null,
    forged: message.forged ? 1 : 0,
    trace: message.trace,
    direction: logged[4],
    subject: logged[8],
    header_from: logged[9],
    message_id: logged[10],
    recipients: logged[11],
    trail: logged[12],
  };
}

/** Bytes of several pieces are copied into one. */
export function contentColumns(home: StagedContent['home']): Pick<ContentRow, 'bytes' | 'blob'> {
  if (home.kind === 'blob') return { bytes: null, blob: home.key };
  const { pieces } = home;
  return { bytes: pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces), blob: null };
}

export interface RowPlace {
  readonly id: string;
  readonly message: number;
  readonly n: number;
  readonly now: number;
  readonly variant: number | null;
  readonly lease: string | null;
  readonly leaseUntil: number | null;
  readonly wantsDelayWarning: boolean;
  /** The reverse-path. */
  readonly sender: string | null;
  readonly subject: string | null;
}

export function recipientRow(recipient: NewRecipient, place: RowPlace): RecipientRow {
  const held = recipient.state !== 'queued' && 'held' in recipient.state ? recipient.state : undefined;
  const { address, original } = recipient;
  return {
    message: place.message,
    n: place.n,
    address: address.text,
    original: original.text === address.text ? null : original.text,
    notify: notifyText(recipient.notify),
    orcpt: recipient.orcpt ? `${recipient.orcpt.type};${recipient.orcpt.address}` : null,
    direction: recipient.direction,
    destination: recipient.destination,
    edits: null,
    state: held ? moves.keep('new', place.id) : moves.accept('new', place.id),
    hold_class: held?.held ?? null,
    hold_reason: held?.reason ?? null,
    queued_at: place.now,
    due: place.now,
    attempts: 0,
    warned: place.wantsDelayWarning ? 0 : 1,
    lease: place.lease,
    lease_until: place.leaseUntil,
    last: null,
    held_until: held?.until?.at ?? null,
    held_then: held?.until?.to === 'deleted' ? 'deleted' : null,
    domain: policyDomain(recipient.direction, address.text, place.sender),
    ...(held ? foundBy(held.by, place.now, place) : NOT_HELD),
    variant: place.variant,
  };
}

export function activeRecipient(row: RecipientRow): ActiveRecipient {
  const address = addressOf(row.address);
  return {
    row: row.n,
    address,
    original: row.original === null ? address : addressOf(row.original),
    ...(row.notify !== null && { notify: notifyOf(row.notify) }),
    ...(row.orcpt !== null && { orcpt: orcptOf(row.orcpt) }),
    direction: row.direction,
    attempts: row.attempts,
    queuedAt: row.queued_at,
    destination: row.destination,
  };
}

export function claimedMessage(row: MessageRow): Claim['message'] {
  return {
    id: idOf(row.key),
    ...(row.client_address !== null && { clientAddress: row.client_address }),
    ...(row.author !== null && { author: row.author }),
    reversePath: reversePathOf(row.reverse_path),
    body: row.body,
    smtputf8: row.smtputf8 === 1,
    ...(row.ret !== null && { ret: row.ret }),
    ...(row.envid !== null && { envid: row.envid }),
    receivedAt: row.received_at,
  };
}

export function reversePathOf(text: string | null): ReversePath {
  return text === null ? null : addressOf(text);
}

/** What the parser once accepted; the bare `postmaster` has no domain. */
export function addressOf(text: string): Address {
  const parsed = parseAddress(text);
  return parsed.ok ? parsed.value : makeAddress(text, '');
}

function notifyText(notify: Notify | undefined): string | null {
  if (notify === undefined) return null;
  return notify === 'never' ? notify : notify.join(',');
}

function notifyOf(text: string): Notify {
  return text === 'never' ? text : (text.split(',') as Exclude<Notify, 'never'>);
}

function orcptOf(text: string): OriginalRecipient {
  const semicolon = text.indexOf(';');
  return { type: text.slice(0, semicolon), address: text.slice(semicolon + 1) };
}
