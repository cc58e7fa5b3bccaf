/** The queue's rows as the database gives them (migrations.ts). */
import type { BodyType } from '../../model/envelope.ts';
import type { Direction, HoldClass } from '../../model/finding.ts';
import type { ActiveState } from '../contract.ts';

export interface MessageRow {
  readonly key: number;
  /** Null: the null reverse-path. */
  readonly reverse_path: string | null;
  readonly body: BodyType;
  readonly smtputf8: 0 | 1;
  readonly ret: 'full' | 'headers' | null;
  readonly envid: string | null;
  readonly received_at: number;
  readonly size_bytes: number;
  /** Of a file, to know it again; empty where the bytes are in a row. */
  readonly sha256: string;
  readonly session: string | null;
  readonly client_address: string | null;
  /** Null: an untrusted sender. */
  readonly author: string | null;
  /** 1: the checks call the reverse-path forged. */
  readonly forged: 0 | 1;
  readonly trace: string;
  /** The rest is the journal's row of the message, from which a crash must not take it. */
  readonly direction: string;
  readonly subject: string | null;
  readonly header_from: string | null;
  readonly message_id: string | null;
  /** JSON, as the journal's row has it. */
  readonly recipients: string;
  readonly trail: string;
}

/** One of the two. */
export interface ContentRow {
  readonly message: number;
  readonly bytes: Uint8Array | null;
  readonly blob: string | null;
}

/** What some recipients of a message share: how their copy differs from what was received. */
export interface VariantRow {
  readonly message: number;
  /** The number of its first recipient. */
  readonly v: number;
  /** JSON of HeaderEdit[]; null: none. */
  readonly edits: string | null;
}

/** Of a variant, in their order. */
export interface SpliceRow {
  readonly message: number;
  readonly v: number;
  readonly n: number;
  readonly start: number;
  readonly length: number;
  readonly body: BodyType;
  readonly size_bytes: number;
  /** Of a file, to know it again; empty if the bytes are in the row. */
  readonly sha256: string;
  /** One of the two. */
  readonly blob: string | null;
  readonly bytes: Uint8Array | null;
}

export interface RecipientRow {
  readonly message: number;
  readonly n: number;
  readonly address: string;
  /** Null: the same as `address`. */
  readonly original: string | null;
  /** `never`, or some of `success,failure,delay`. */
  readonly notify: string | null;
  /** `type;address`. */
  readonly orcpt: string | null;
  readonly direction: Direction;
  readonly destination: string;
  /** Null, but in notes of the ledger from before there were variants, which have each recipient's edits here. */
  readonly edits: string | null;
  readonly state: ActiveState;
  /** Of a row that is queued and under a lease: it is to be held when its try is over. */
  readonly hold_class: HoldClass | null;
  readonly hold_reason: string | null;
  readonly queued_at: number;
  readonly due: number;
  readonly attempts: number;
  /** 1: the sender was told of the delay, or does not want to be. */
  readonly warned: 0 | 1;
  readonly lease: string | null;
  readonly lease_until: number | null;
  /** JSON of AttemptDetail. */
  readonly last: string | null;
  /** Of a hold that the clock ends; null: somebody must decide. */
  readonly held_until: number | null;
  /** Null: queued. */
  readonly held_then: 'deleted' | null;
  /** Whose settings apply, in lower case: the recipient's domain, of outbound mail the sender's; empty for the null reverse-path. */
  readonly domain: string;
  /** What held mail is found by (held.ts); null unless held, or marked to be. */
  readonly held_at: number | null;
  readonly held_check: string | null;
  readonly held_code: string | null;
  /** The reverse-path and its domain, in lower case; empty: the null one. */
  readonly held_sender: string | null;
  readonly held_sender_domain: string | null;
  /** In lower case. */
  readonly held_subject: string | null;
  /** Null: it gets what was received. */
  readonly variant: number | null;
}

export interface SettledRow {
  readonly seq: number;
  readonly message: number;
  /** JSON of the journal's row of the recipient. */
  readonly record: string;
}

/** A room beside the queue that needs the content, by a name of its own. */
export interface ContentOwnerRow {
  readonly message: number;
  readonly owner: string;
}

/** Kept by triggers (held.ts). The rows of one domain, state and class are to be added up. */
export interface QueueCountRow {
  readonly domain: string;
  readonly state: ActiveState;
  /** Empty where queued. */
  readonly class: string;
  /** Those who write at the same time each have their own row. */
  readonly shard: number;
  readonly count: number;
}

export interface QueueTables {
  readonly message: MessageRow;
  readonly content: ContentRow;
  readonly content_owner: ContentOwnerRow;
  readonly recipient: RecipientRow;
  readonly variant: VariantRow;
  readonly splice: SpliceRow;
  readonly settled: SettledRow;
  readonly queue_count: QueueCountRow;
  readonly queue_mark: { readonly name: string; readonly value: number };
}

/** In this order they lie in the ledger's notes, also in those of an earlier version: a new one goes to the end. */
export const MESSAGE_COLUMNS = [
  'key',
  'reverse_path',
  'body',
  'smtputf8',
  'ret',
  'envid',
  'received_at',
  'size_bytes',
  'sha256',
  'session',
  'client_address',
  'author',
  'forged',
  'trace',
  'direction',
  'subject',
  'header_from',
  'message_id',
  'recipients',
  'trail',
] as const satisfies (keyof MessageRow)[];
/** As above; key and number are those of its message and variant, and bytes lie elsewhere. */
export const NOTED_SPLICE_COLUMNS = [
  'start',
  'length',
  'body',
  'size_bytes',
  'sha256',
  'blob',
] as const satisfies (keyof SpliceRow)[];
/** As above. */
export const RECIPIENT_COLUMNS = [
  'message',
  'n',
  'address',
  'original',
  'notify',
  'orcpt',
  'direction',
  'destination',
  'edits',
  'state',
  'hold_class',
  'hold_reason',
  'queued_at',
  'due',
  'attempts',
  'warned',
  'lease',
  'lease_until',
  'last',
  'held_until',
  'held_then',
  'domain',
  'held_at',
  'held_check',
  'held_code',
  'held_sender',
  'held_sender_domain',
  'held_subject',
  'variant',
] as const satisfies (keyof RecipientRow)[];
