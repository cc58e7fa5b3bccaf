/**
 * Refused recipients of a transaction, for its journal row: the first in full, further ones in short form, the rest
 * by the number of each reply.
 *
 * Whatever their number and length, they stay within REFUSED_WHOLE and REFUSED_SHORTLY together: the row of an
 * accepted message is kept for as long as the log is, so it must not carry an attack. Never fails.
 */
import type { MessageRecord } from '../journal/contract.ts';
import type { Address } from '../model/address.ts';
import type { Finding } from '../model/finding.ts';
import { type Reply, replyText } from '../model/reply.ts';
import { REFUSED_REPLIES, REFUSED_SHORTLY, REFUSED_WHOLE } from './limits.ts';

export interface RefusedRecipient {
  readonly address: string;
  readonly code: number;
  /** `550 5.1.1`. */
  readonly name: string;
  readonly reason: string;
  /** Of those in full. */
  readonly findings: readonly Finding[];
}

export interface RefusedRecipients {
  readonly kept: RefusedRecipient[];
  characters: number;
  /** The rest, by reply. */
  readonly counted: Map<string, number>;
}

type Logged = MessageRecord['recipients'][number];

const OTHER_REPLIES = 'other';

export function noneRefused(): RefusedRecipients {
  return { kept: [], characters: 0, counted: new Map() };
}

/** Returns whether it was kept in full; the dialogue has only such recipients. */
export function addRefused(
  refused: RefusedRecipients,
  {
    address,
    reply,
    findings,
  }: { readonly address: Address; readonly reply: Reply; readonly findings: readonly Finding[] },
): boolean {
  const { kept, characters, counted } = refused;
  const name = replyName(reply);
  const { code } = reply;
  const keep = (recipient: RefusedRecipient, size: number): void => {
    kept.push(recipient);
    refused.characters += address.text.length + size;
  };
  if (kept.length < REFUSED_WHOLE.recipients && characters < REFUSED_WHOLE.characters) {
    const reason = replyText(reply);
    const size = reason.length + (findings.length === 0 ? 0 : JSON.stringify(findings).length);
    keep({ address: address.text, code, name, reason, findings }, size);
    return true;
  }
  if (kept.length < REFUSED_SHORTLY.recipients && characters < REFUSED_SHORTLY.characters) {
    keep({ address: address.text, code, name, reason: name, findings: [] }, name.length);
    return false;
  }
  const counts = counted.has(name) || counted.size < REFUSED_REPLIES ? name : OTHER_REPLIES;
  counted.set(counts, (counted.get(counts) ?? 0) + 1);
  return false;
}

export function hasRefused({ kept }: RefusedRecipients): boolean {
  return kept.length > 0;
}

/** In the form of the journal; the last one stands for the rest. */
export function loggedRefused({ kept, counted }: RefusedRecipients): readonly Logged[] {
  const logged = kept.map(
    ({ address, code, reason }): Logged => ({ address, disposition: dispositionOf(code), reason }),
  );
  if (counted.size === 0) return logged;
  const [...counts] = counted;
  const count = counts.reduce((sum, [, times]) => sum + times, 0);
  const isDeferred = counts.every(([name]) => name.startsWith('4'));
  const reason = counts.map(([name, times]) => `${times} times ${name}`).join(', ');
  return [...logged, { address: `(${count} more)`, disposition: isDeferred ? 'defer' : 'refuse', reason }];
}

/** Of all, for a row of which only a count is kept. */
export function repliesToRefused({ kept, counted }: RefusedRecipients): readonly string[] {
  return [...kept.map(({ name }) => name), ...[...counted].flatMap(([name, times]) => Array<string>(times).fill(name))];
}

export function dispositionOf(code: number): 'refuse' | 'defer' {
  return code < 500 ? 'defer' : 'refuse';
}

export function replyName({ code, enhanced }: Reply): string {
  return enhanced === undefined ? String(code) : `${code} ${enhanced}`;
}
