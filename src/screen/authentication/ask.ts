/**
 * mailauth's questions, asked of our resolver: with its cache, its limits and its three answers.
 *
 * One asker serves one message. It counts its questions and stops at the bound; it remembers which
 * names could not be told, so that a verifier that knows only "failed" can be understood.
 */
import type { DnsAnswer, RecordType, RecordTypes, Resolver } from '../../world/resolver.ts';
import { AUTHENTICATION_LIMITS } from './limits.ts';
import type { Ask } from './mailauth.ts';

export interface Asker {
  readonly ask: Ask;
  /** Some answer so far was "cannot tell". */
  troubled(): boolean;
  questions(): number;
}

export function createAsker(resolver: Resolver, bound: number = AUTHENTICATION_LIMITS.questions): Asker {
  let questions = 0;
  let troubled = false;
  return {
    async ask(name, type) {
      questions += 1;
      if (questions > bound) {
        troubled = true;
        throw failure('ETIMEOUT', `more than ${bound} questions for one message`);
      }
      const answer = await resolver.resolve(withoutRoot(name), type as RecordType);
      if (answer.kind === 'found') return recordsAsNode(type as RecordType, answer);
      if (answer.kind === 'none') throw failure(answer.nxdomain ? 'ENOTFOUND' : 'ENODATA', `no ${type} of ${name}`);
      troubled = true;
      throw failure(CODES[answer.reason], `${answer.reason} when asking for ${type} of ${name}`);
    },
    troubled: () => troubled,
    questions: () => questions,
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

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function withoutRoot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

/** As node:dns writes them: TXT as lists of strings, MX with `priority`. */
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

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
