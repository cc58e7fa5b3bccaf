/**
 * The values of the SMTP grammar: the results of the parsers of this folder, and the input of its formatters. `model`
 * re-exports them, since every room uses them.
 */

/**
 * `local` is the unquoted local part exactly as sent (its case is kept, RFC 5321 2.4); `domain` is
 * lower-case ASCII (A-labels), or an address literal with its brackets, or empty for the bare
 * `<postmaster>` of RFC 5321 4.5.1. `text` is the form that goes on the wire.
 * Made only by the parser, so a value of this type is always well formed.
 */
export interface Address {
  readonly local: string;
  readonly domain: string;
  readonly text: string;
  /** The source route before it (RFC 5321 appendix C), as sent: `@a,@b`. Never followed. */
  readonly route?: string;
}

/** `null` is the null reverse-path `<>` (RFC 5321 4.5.5). */
export type ReversePath = Address | null;

export type BodyType = '7BIT' | '8BITMIME' | 'BINARYMIME';

/** RFC 3461 4.1. Absent means FAILURE (and DELAY at our discretion). */
export type Notify = 'never' | readonly ('success' | 'failure' | 'delay')[];

/** RFC 3461 4.2: `address` is decoded from xtext (or utf-8-addr-xtext, RFC 6533 3). */
export interface OriginalRecipient {
  readonly type: string;
  readonly address: string;
}

export interface MailParameters {
  /** The size in bytes that the client announced (RFC 1870); absent when it announced none. */
  readonly sizeBytes?: number;
  readonly body: BodyType;
  readonly smtputf8: boolean;
  readonly ret?: 'full' | 'headers';
  /** Decoded from xtext, RFC 3461 4.4. */
  readonly envid?: string;
}

export interface Recipient {
  readonly address: Address;
  readonly notify?: Notify;
  readonly orcpt?: OriginalRecipient;
}

/** A reply, typed: code, enhanced status code (RFC 3463) and text never share a string. */
export interface Reply {
  readonly code: number;
  /** `class.subject.detail`; absent only where RFC 2034 has none (220 greeting, EHLO, 354, HELP). */
  readonly enhanced?: string;
  /** One entry a line, without code. ASCII unless the session uses SMTPUTF8. */
  readonly text: string | readonly string[];
  /** Close the connection once this is written (421, and the end of a session that cannot succeed). */
  readonly close?: boolean;
}
