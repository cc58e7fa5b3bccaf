/** Findings that the checks of a message's origin share. */
import type { HeaderEdit } from '../../../model/content.ts';
import type { Reply } from '../../../model/reply.ts';
import type { Said } from '../../engine/check.ts';

const LATER: Reply = {
  code: 451,
  enhanced: '4.4.3',
  text: 'cannot verify the sender now, as name servers do not answer; try again later',
};

/** Trouble of this node never counts against the sender: the message waits, or passes without a result, as set. */
export function trouble<Code extends string>(code: Code, dnsTrouble: 'accept' | 'defer'): readonly Said<Code>[] {
  const said = { code, outcome: 'error' } as const;
  return [dnsTrouble === 'defer' ? { ...said, action: 'defer', reply: LATER } : { ...said, action: 'accept' }];
}

const CLIENT_UNKNOWN: Reply = {
  code: 451,
  enhanced: '4.7.1',
  text: 'cannot verify the sender, as the proxy in front of this server does not say your address; try again later',
};

/** The proxy's fault, which is ours: mail of an unknown client is deferred, and may come again. */
export function clientUnknown<Code extends string>(code: Code): readonly Said<Code>[] {
  return [{ code, outcome: 'error', action: 'defer', reply: CLIENT_UNKNOWN }];
}

/** The 501 of reverse look-ups. */
export function answer501(text: string, close: boolean): Reply {
  return { code: 501, enhanced: '5.7.1', text, ...(close && { close }) };
}

const NO_EDITS: readonly HeaderEdit[] = Object.freeze([]);
const warnings = new Map<string, readonly HeaderEdit[]>();

/** `word`: one of a closed set, so the map stays small and equal copies share one list. */
export function warningHeader(word: string | undefined): readonly HeaderEdit[] {
  if (word === undefined) return NO_EDITS;
  let edits = warnings.get(word);
  if (!edits) {
    edits = [{ kind: 'prepend', raw: `X-Reverse-Lookup-Warning: ${word}\r\n` }];
    warnings.set(word, edits);
  }
  return edits;
}
