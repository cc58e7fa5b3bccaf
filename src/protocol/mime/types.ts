/**
 * The values of this folder: what its readers find in a message's bytes.
 *
 * Everything is ranges and facts; no part is copied or decoded here. Offsets count bytes from the first byte of the
 * message; ends are exclusive. Strings taken from a header are binary strings (one character a byte) where structure
 * is read from them, and text where a person reads them.
 */

/** A range of a message, or of a header of it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One header field: `span` covers it with its folded lines and the last line break. */
export interface HeaderField extends Span {
  /** In lower case, without the colon. */
  readonly name: string;
  /** The first byte after the colon. */
  readonly valueStart: number;
}

/** The kinds of bytes in a range: they decide whether a transport can carry it. */
export interface ByteFacts {
  /** A byte above 127. */
  readonly has8bit: boolean;
  /** NUL, or a CR or LF alone: only BINARYMIME carries these (RFC 5321 2.3.8, RFC 3030). */
  readonly isBinary: boolean;
  /** Bytes of the longest line, without its line break. */
  readonly longestLine: number;
}

/**
 * RFC 5322 3.4. Display names are as written: without comments and quotes, encoded words unchanged; so are comments.
 */
export interface Mailbox {
  readonly displayName?: string;
  /** All comments in and around the address; absent where there is none. */
  readonly comment?: string;
  readonly local: string;
  /** A-labels in lower case, or an address literal with its brackets; empty if it cannot be read. */
  readonly domain: string;
  /** As written, if `domain` is empty or different: readers disagree about it. */
  readonly writtenDomain?: string;
}

export interface AddressList {
  readonly mailboxes: readonly Mailbox[];
  /** Group names, of `Team: a@example.com, b@example.com;`. The members are among the mailboxes. */
  readonly groups: readonly string[];
  /** Words after the last mailbox that belong to none; empty if there are none. */
  readonly words: string;
  /** Some of it could not be read: the rest is kept, and may mean something else to another reader. */
  readonly isMalformed: boolean;
  /** It is longer than the bounds, and only its beginning was read. */
  readonly isCut: boolean;
}

/** An address that counts as an author's; `domain`: A-labels in lower case, or an address literal. */
export interface AuthorAddress {
  readonly local: string;
  readonly domain: string;
}

/** Why an author may be missing from the result. */
export type UnclearAuthor =
  /** More than one From field: readers show one of them, or all. */
  | 'several-fields'
  /** Beyond the bounds of a field in length or mailboxes. */
  | 'too-long'
  /** More domains than have their policies looked up. */
  | 'too-many-domains'
  /** An address without a domain in the DNS, such as an address literal. */
  | 'no-domain';

/** Who wrote or sent a message, as every room reads it (author.ts). */
export interface Author {
  /** How many fields there are; a good message has one From. */
  readonly fields: number;
  /** One a field, up to the bound. */
  readonly lists: readonly AddressList[];
  /** Of all fields, in order. */
  readonly mailboxes: readonly Mailbox[];
  /** All addresses that count, each once; those of mailboxes first. */
  readonly addresses: readonly AuthorAddress[];
  /** Of these addresses, each once: names in the DNS. */
  readonly domains: readonly string[];
  /** RFC 5322 reads it whole, obsolete forms included: no reader can see another author in it. */
  readonly isWhole: boolean;
  readonly unclear?: UnclearAuthor;
  /** No at-sign, nor a look-alike, in any reading: `From: root`. */
  readonly namesNobody: boolean;
  /** For the log; absent without a field. */
  readonly shown: string | undefined;
}

/** Why the end of the header is unclear, or it is beyond limits.ts. */
export type HeaderProblem = 'no-end' | 'header-too-long' | 'line-too-long' | 'too-many-fields';

/** The position of the value of a field. */
export interface FieldSpan {
  readonly valueStart: number;
  readonly end: number;
}

/** The fields of a header about its origin; for values, only their positions. */
export interface OriginFields {
  readonly signatures: number;
  /** Fields of ARC, of all three names. */
  readonly arc: number;
  /** In order from the top. */
  readonly authenticationResults: readonly FieldSpan[];
  readonly receivedSpf: readonly FieldSpan[];
  readonly listId?: FieldSpan;
  readonly bimiSelector?: FieldSpan;
  /** How often fields occur that readers show. */
  readonly counts: Readonly<Record<SignedField, number>>;
}

export type SignedField = 'from' | 'to' | 'subject' | 'date';

/** The facts of a header that receiving, checks and the log need, read in one pass. */
export interface HeaderFacts extends ByteFacts {
  /** Where the body starts (after the empty line). With `problem`, how far reading came. */
  readonly endOffset: number;
  readonly problem?: HeaderProblem;
  readonly fieldCount: number;
  /** Lines that are neither field nor continuation. */
  readonly malformedLines: number;
  /** RFC 5321 6.3: the hops so far. */
  readonly receivedCount: number;
  /** Of all From fields. */
  readonly author: Author;
  /** A From, Sender or Reply-To field is longer than its bound. */
  readonly hasLongOrigin: boolean;
  /** Of the first Subject field: encoded words decoded (RFC 2047), without control characters, bounded. */
  readonly subject?: string;
  /** Of the first Message-ID field, trimmed, with its angle brackets. */
  readonly messageId?: string;
  readonly origin: OriginFields;
}

export type TransferEncoding = '7bit' | '8bit' | 'binary' | 'quoted-printable' | 'base64' | 'unknown';

/** RFC 2045 5.1, `type/subtype` and parameter names in lower case; RFC 2231 continuations and charsets resolved. */
export interface ContentType {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Reasons why a reader is unsure and another may read something else: a scanner of content treats a message with one
 * of these as one that it could not scan whole.
 */
export type MimeProblemCode =
  | 'header-too-long'
  | 'line-too-long'
  | 'too-many-fields'
  | 'malformed-header-line'
  | 'missing-header-end'
  | 'duplicate-content-field'
  | 'malformed-content-type'
  | 'malformed-disposition'
  | 'duplicate-parameter'
  | 'missing-boundary-parameter'
  | 'odd-boundary-parameter'
  | 'boundary-reused'
  | 'boundary-overlap'
  | 'boundary-not-found'
  | 'boundary-after-close'
  | 'boundary-like-line'
  | 'missing-close-boundary'
  | 'unknown-encoding'
  | 'malformed-encoding'
  | 'encoded-composite'
  | 'too-deep'
  | 'too-many-parts';

export interface MimeProblem {
  readonly code: MimeProblemCode;
  /** The position in the message. */
  readonly at: number;
}

export interface MimePart {
  /** `message`: message/rfc822 or message/global in clear, its one child is the message in it. */
  readonly kind: 'leaf' | 'multipart' | 'message';
  readonly header: Span & ByteFacts;
  /** Content-Type, -Transfer-Encoding, -Disposition, -ID and MIME-Version: two of each at most. */
  readonly fields: readonly HeaderField[];
  /** Without the line break that belongs to the boundary after it (RFC 2046 5.1.1). */
  readonly body: Span;
  /** Of a leaf's body; of a multipart, those of its preamble and epilogue. */
  readonly bytes: ByteFacts;
  readonly type: ContentType;
  readonly encoding: TransferEncoding;
  readonly disposition?: ContentType;
  /** From Content-Disposition, else from Content-Type; a name to show and to judge, never a path to open. */
  readonly filename?: string;
  readonly children: readonly MimePart[];
}

export interface MimeTree {
  readonly root: MimePart;
  readonly sizeBytes: number;
  readonly partCount: number;
  readonly problems: readonly MimeProblem[];
}

/** A new message: ranges of the original, ranges that pass through an encoder, and new bytes, in order. */
export type Segment =
  | { readonly kind: 'original'; readonly start: number; readonly end: number }
  | {
      readonly kind: 'encoded';
      readonly start: number;
      readonly end: number;
      readonly encoding: 'quoted-printable' | 'base64';
    }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

export type SevenBitObstacle =
  /** Raw 8-bit in a header (RFC 6532), which no encoding of a body can change. */
  | 'header-8bit'
  /** Inside multipart/signed, multipart/encrypted or S/MIME: a change would break the signature. */
  | 'protected'
  /** A part that is declared as base64 or quoted-printable and is neither, or a type that may not be encoded. */
  | 'not-encodable'
  /** 8-bit bytes outside all parts, or a structure with problems: the effect of the change is unknown. */
  | 'malformed';

export type SevenBit =
  /** Nothing in it needs a change. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'converted'; readonly segments: readonly Segment[] }
  | { readonly kind: 'cannot'; readonly reason: SevenBitObstacle };
