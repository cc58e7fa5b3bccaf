/**
 * The DNS questions of mailauth, sent to our resolver: with its cache, its limits and its three answers.
 *
 * One asker serves one verification. It counts its questions and stops at the bound, which is a fault of the verified
 * record (permerror), not of name servers; it records whether a question could not be answered, so that a verifier's
 * plain "failed" can be interpreted.
 */
import type { DnsAnswer, RecordType, RecordTypes, Resolver } from '../../../world/resolver.ts';
import { AUTHENTICATION_LIMITS } from './limits.ts';
import type { Ask } from './mailauth.ts';

export interface Asker {
  readonly ask: Ask;
  /** Some answer so far was "cannot tell". */
  troubled(): boolean;
  /** The verification needs more questions than the bound allows: its records are too large. */
  exceeded(): boolean;
  questions(): number;
  /** Asks through this asker, and reports how long the answers may be cached. */
  watched(): Watched;
}

export interface Watched {
  readonly ask: Ask;
  /** The smallest TTL of all answers; 0 if one is unknown. */
  seconds(): number;
  /**
   * Some answer was "cannot tell", or the bound was reached: the only reasons for a temporary error of a verifier.
   */
  troubled(): boolean;
  /** A TXT record has an SPF macro of the local part, so the result is valid for one address only. */
  isPersonal(): boolean;
}

type Note = (answer: DnsAnswer<RecordTypes[RecordType]>) => void;

export function createAsker(resolver: Resolver, bound: number = AUTHENTICATION_LIMITS.questions): Asker {
  let questions = 0;
  let troubled = false;
  const exceeds = (): boolean => questions > bound;

  async function put(name: string, type: RecordType, note?: Note): Promise<readonly unknown[]> {
    questions += 1;
    if (exceeds()) {
      note?.({ kind: 'unknown', reason: 'refused' });
      throw tooLarge(`more than ${bound} questions for one verification`);
    }
    const answer = await resolver.resolve(withoutRoot(name), type);
    note?.(answer);
    if (answer.kind === 'found') return recordsAsNode(type, answer);
    if (answer.kind === 'none') throw failure(answer.nxdomain ? 'ENOTFOUND' : 'ENODATA', `no ${type} of ${name}`);
    troubled = true;
    throw failure(CODES[answer.reason], `${answer.reason} when asking for ${type} of ${name}`);
  }

  return {
    ask: (name, type) => put(name, type as RecordType),
    troubled: () => troubled,
    exceeded: exceeds,
    questions: () => questions,
    watched() {
      let seconds: number = AUTHENTICATION_LIMITS.keptSeconds;
      let isPersonal = false;
      let isTroubled = false;
      const note: Note = (answer) => {
        isTroubled ||= answer.kind === 'unknown';
        seconds = Math.min(seconds, answer.kind === 'unknown' ? 0 : answer.ttlSeconds);
        if (answer.kind === 'found') isPersonal ||= answer.records.some(namesLocalPart);
      };
      return {
        ask: (name, type) => put(name, type as RecordType, note),
        seconds: () => seconds,
        troubled: () => isTroubled,
        isPersonal: () => isPersonal,
      };
    },
  };
}

const CODES = {
  timeout: 'ETIMEOUT',
  unreachable: 'ETIMEOUT',
  'too-many': 'ETIMEOUT',
  servfail: 'ESERVFAIL',
  refused: 'EREFUSED',
  malformed: 'EBADRESP',
} as const;

/** RFC 7208 4.6.4: a permerror of SPF; a key with this error is unusable. */
function tooLarge(text: string): Error {
  return Object.assign(failure('EINVALIDVAL', text), { spfResult: { error: 'permerror', text } });
}

/** An error without a stack: a denial is a common answer, and a stack would cost more than the question. */
function failure(code: string, message: string): Error {
  return Object.assign(Object.create(Error.prototype), { code, message });
}

function withoutRoot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

/** In the form of node:dns: TXT as lists of strings, MX with `priority`. */
function recordsAsNode<K extends RecordType>(
  type: K,
  { records }: Extract<DnsAnswer<RecordTypes[K]>, { kind: 'found' }>,
): readonly unknown[] {
  if (type === 'TXT') return (records as readonly RecordTypes['TXT'][]).map((strings) => strings.map(latin1));
  if (type === 'MX')
    return (records as readonly RecordTypes['MX'][]).map(({ preference, exchange }) => ({
      priority: preference,
      exchange,
    }));
  return records;
}

/** RFC 7208 7.2: `%{l}` and `%{s}`. */
function namesLocalPart(record: RecordTypes[RecordType]): boolean {
  return Array.isArray(record) && /%\{[ls]/i.test(record.map(latin1).join(''));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
