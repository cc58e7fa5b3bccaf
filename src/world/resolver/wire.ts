/**
 * DNS messages (RFC 1035 4): writes the one query that a stub asks and reads the answer.
 *
 * Reading is bounded by the message and never throws: a message that breaks the grammar is `undefined`. Records of
 * types that were not asked for are skipped by their length, so a malformed one among them does no harm (dns-packet,
 * which decodes them all, would reject the whole answer; it also trusts the names' own ends over RDLENGTH, and writes
 * labels above 63 bytes). Names are returned in lower case and in presentation form (RFC 1035 5.1), so a dot inside a
 * label cannot pass for a boundary.
 */
import type { RecordType, RecordTypes } from '../resolver.ts';

export const TYPE_CODES = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  OPT: 41,
  TLSA: 52,
} as const;
export const RCODE = { noError: 0, formErr: 1, servFail: 2, nxDomain: 3, notImp: 4, refused: 5 } as const;

const CLASS_IN = 1;
const HEADER_BYTES = 12;
const FLAG = { response: 0x8000, authoritative: 0x0400, truncated: 0x0200, recursionDesired: 0x0100 } as const;
const RECURSION_AVAILABLE = 0x0080;
/** Set in a query, it asks for the bit in the answer without asking for signatures (RFC 6840 5.7). */
const AUTHENTIC = 0x0020;
/** RFC 6891 6.2.5: the size that passes every network unfragmented. */
const UDP_PAYLOAD_BYTES = 1232;
/** RFC 1035 2.3.4. */
const LONGEST_LABEL = 63;
const LONGEST_NAME = 255;
/**
 * A name has at most 127 labels, and a pointer to a pointer is useless: a longer chain is an attack on the reader.
 */
const MOST_POINTERS = 127;

export interface RawRecord {
  readonly name: string;
  readonly type: number;
  readonly ttlSeconds: number;
  /** The position of its data in the message. */
  readonly start: number;
  readonly end: number;
}

export interface DnsMessage {
  readonly bytes: Uint8Array;
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursionAvailable: boolean;
  readonly authentic: boolean;
  readonly answers: readonly RawRecord[];
  readonly authorities: readonly RawRecord[];
}

/** The question part as bytes, which an answer must repeat; undefined for an invalid name. */
export function encodeQuestion(name: string, type: RecordType): Uint8Array | undefined {
  const labels = name.split('.');
  if (name.length === 0 || name.length + 2 > LONGEST_NAME || !/^[!-[\]-~]+$/.test(name)) return undefined;
  if (labels.some((label) => label.length === 0 || label.length > LONGEST_LABEL)) return undefined;
  const question = Buffer.alloc(name.length + 6);
  let at = 0;
  for (const label of labels) {
    question[at] = label.length;
    question.write(label, at + 1, 'latin1');
    at += label.length + 1;
  }
  question.writeUInt16BE(TYPE_CODES[type], at + 1);
  question.writeUInt16BE(CLASS_IN, at + 3);
  return question;
}

/** The question for the name servers of the root, which every resolver can answer itself. */
export const ROOT_SERVERS: Uint8Array = Uint8Array.of(0, 0, TYPE_CODES.NS, 0, CLASS_IN);

export function encodeQuery(id: number, question: Uint8Array, edns: boolean): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(id, 0);
  head.writeUInt16BE(FLAG.recursionDesired | AUTHENTIC, 2);
  head.writeUInt16BE(1, 4);
  if (!edns) return Buffer.concat([head, question]);
  head.writeUInt16BE(1, 10);
  // RFC 6891 6.1.2: root name, OPT, payload size in place of the class, no flags, no options.
  const opt = Buffer.alloc(11);
  opt.writeUInt16BE(TYPE_CODES.OPT, 1);
  opt.writeUInt16BE(UDP_PAYLOAD_BYTES, 3);
  return Buffer.concat([head, question, opt]);
}

/** Whether these bytes claim to answer this query: RFC 5452 4.2 and 9.1. Other datagrams may be forged. */
export function answersQuery(bytes: Uint8Array, id: number, question: Uint8Array, exactCase: boolean): boolean {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (message.length < HEADER_BYTES || message.readUInt16BE(0) !== id) return false;
  if (!(message.readUInt16BE(2) & FLAG.response) || message.readUInt16BE(4) !== 1) {
    // A server that does not understand the query may leave the question out (RFC 1035 4.1.1, FORMERR).
    return (
      (message.readUInt16BE(2) & (FLAG.response | 0xf)) === (FLAG.response | RCODE.formErr) &&
      message.length === HEADER_BYTES
    );
  }
  const end = HEADER_BYTES + question.length;
  if (message.length < end) return false;
  for (let at = 0; at < question.length; at++) {
    const [got, sent] = [message[HEADER_BYTES + at]!, question[at]!];
    if (got !== sent && (exactCase || lowerCase(got) !== lowerCase(sent))) return false;
  }
  return true;
}

/** Reads an answer that `answersQuery` let pass. */
export function decodeMessage(bytes: Uint8Array): DnsMessage | undefined {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (message.length < HEADER_BYTES) return undefined;
  const flags = message.readUInt16BE(2);
  let at = HEADER_BYTES;
  for (let left = message.readUInt16BE(4); left > 0; left--) {
    const end = skipName(message, at);
    if (end === undefined || end + 4 > message.length) return undefined;
    at = end + 4;
  }
  let rcode = flags & 0xf;
  const sections: RawRecord[][] = [[], [], []];
  for (const [index, section] of sections.entries()) {
    for (let left = message.readUInt16BE(6 + 2 * index); left > 0; left--) {
      const record = readRecord(message, at);
      if (!record) {
        // A truncated answer is asked for again by TCP: its content does not matter.
        if (flags & FLAG.truncated) break;
        return undefined;
      }
      // RFC 6891 6.1.3: the upper eight bits of the code lie where the TTL would be.
      if (record.type === TYPE_CODES.OPT) rcode |= message.readUInt8(record.start - 6) << 4;
      else section.push(record);
      at = record.end;
    }
  }
  return {
    bytes: message,
    rcode,
    authoritative: (flags & FLAG.authoritative) !== 0,
    truncated: (flags & FLAG.truncated) !== 0,
    recursionAvailable: (flags & RECURSION_AVAILABLE) !== 0,
    authentic: (flags & AUTHENTIC) !== 0,
    answers: sections[0]!,
    authorities: sections[1]!,
  };
}

/** The type's value, or undefined where the data does not fit its type or its length. */
export function decodeData<K extends RecordType>(
  { bytes }: DnsMessage,
  record: RawRecord,
  type: K,
): RecordTypes[K] | undefined {
  return DATA[type](bytes as Buffer, record.start, record.end);
}

/** RFC 2308 5: how long a denial may be believed. */
export function denialSeconds({ bytes }: DnsMessage, soa: RawRecord): number | undefined {
  if (soa.end - soa.start < 22) return undefined;
  return Math.min(soa.ttlSeconds, (bytes as Buffer).readUInt32BE(soa.end - 4));
}

type DataReaders = { [K in RecordType]: (message: Buffer, start: number, end: number) => RecordTypes[K] | undefined };

const DATA: DataReaders = {
  A: (message, start, end) => (end - start === 4 ? message.subarray(start, end).join('.') : undefined),
  AAAA: (message, start, end) => (end - start === 16 ? formatIPv6(message, start) : undefined),
  NS: nameData,
  CNAME: nameData,
  PTR: nameData,
  MX(message, start, end) {
    const exchange = end - start > 2 ? nameData(message, start + 2, end) : undefined;
    return exchange === undefined ? undefined : { preference: message.readUInt16BE(start), exchange };
  },
  TXT(message, start, end) {
    const strings: Uint8Array[] = [];
    for (let at = start; at < end; ) {
      const next = at + 1 + message[at]!;
      if (next > end) return undefined;
      // Copied, so that the cache keeps the string and not the whole message.
      strings.push(new Uint8Array(message.subarray(at + 1, next)));
      at = next;
    }
    return strings;
  },
  TLSA(message, start, end) {
    if (end - start < 4) return undefined;
    const [usage, selector, matching] = [message[start]!, message[start + 1]!, message[start + 2]!];
    return { usage, selector, matching, data: new Uint8Array(message.subarray(start + 3, end)) };
  },
};

function nameData(message: Buffer, start: number, end: number): string | undefined {
  return skipName(message, start) === end ? readName(message, start) : undefined;
}

function readRecord(message: Buffer, at: number): RawRecord | undefined {
  const fixed = skipName(message, at);
  if (fixed === undefined || fixed + 10 > message.length) return undefined;
  const start = fixed + 10;
  const end = start + message.readUInt16BE(fixed + 8);
  const name = readName(message, at);
  if (end > message.length || name === undefined) return undefined;
  const type = message.readUInt16BE(fixed);
  const isInternet = message.readUInt16BE(fixed + 2) === CLASS_IN;
  const ttl = message.readUInt32BE(fixed + 4);
  // RFC 2181 8: a TTL with the top bit set counts as zero. A record of another class has no known type.
  return {
    name,
    type: isInternet || type === TYPE_CODES.OPT ? type : 0,
    ttlSeconds: ttl > 0x7fffffff ? 0 : ttl,
    start,
    end,
  };
}

/** Where the name ends in place, without following its pointer. Undefined: it is longer than a name may be. */
function skipName(message: Buffer, start: number): number | undefined {
  // RFC 1035 3.1: without a bound, each of thousands of records may walk through all that follow it.
  const end = Math.min(message.length, start + LONGEST_NAME);
  for (let at = start; at < end; ) {
    const length = message[at]!;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2 <= message.length ? at + 2 : undefined;
    if (length > LONGEST_LABEL) return undefined;
    at += length + 1;
  }
  return undefined;
}

/** RFC 1035 4.1.4. A pointer must lead to an earlier place than the last one, so the walk ends. The root is ''. */
function readName(message: Buffer, start: number): string | undefined {
  let name = '';
  let octets = 1;
  let earliest = start;
  let pointers = 0;
  for (let at = start; at < message.length; ) {
    const length = message[at]!;
    if (length === 0) return name;
    if (length >= 0xc0) {
      if (at + 1 >= message.length) return undefined;
      at = message.readUInt16BE(at) & 0x3fff;
      if (at >= earliest || ++pointers > MOST_POINTERS) return undefined;
      earliest = at;
      continue;
    }
    octets += length + 1;
    if (length > LONGEST_LABEL || octets > LONGEST_NAME || at + 1 + length > message.length) return undefined;
    const label = presentation(message, at + 1, at + 1 + length);
    name = name === '' ? label : `${name}.${label}`;
    at += length + 1;
  }
  return undefined;
}

/** Each byte of a label as names are written (RFC 1035 5.1). */
const WRITTEN = Array.from({ length: 256 }, (_, code) => {
  const octet = lowerCase(code);
  const character = String.fromCharCode(octet);
  if (octet <= 0x20 || octet >= 0x7f) return `\\${String(octet).padStart(3, '0')}`;
  return character === '.' || character === '\\' ? `\\${character}` : character;
});

/** Joined once: growing thousands of names by single characters is mostly work for the garbage collector. */
function presentation(message: Buffer, start: number, end: number): string {
  const written: string[] = [];
  for (let at = start; at < end; at++) written.push(WRITTEN[message[at]!]!);
  return written.join('');
}

function lowerCase(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
}

/** RFC 5952 4: the one canonical form, so that addresses can be compared as text. */
function formatIPv6(message: Buffer, start: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => message.readUInt16BE(start + 2 * index));
  let [zerosAt, zeros] = [-1, 1];
  for (let at = 0; at < 8; at++) {
    let run = 0;
    while (at + run < 8 && groups[at + run] === 0) run++;
    if (run > zeros) [zerosAt, zeros] = [at, run];
    at += run;
  }
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return zerosAt < 0 ? hex(0, 8) : `${hex(0, zerosAt)}::${hex(zerosAt + zeros, 8)}`;
}
