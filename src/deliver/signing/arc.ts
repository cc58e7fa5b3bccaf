/**
 * An ARC set (RFC 8617 5.1): this node's results for a received message, sealed, for a receiver that gets it changed
 * or from us instead of its sender.
 *
 * The results are read from the Authentication-Results that this node added itself, never from the received message.
 * Without results, or without a verified chain, no set is added.
 */
import type { SigningKey } from '../../directory/signing-keys/dkim-keys.ts';
import { relaxedField } from '../../protocol/dkim/canonical.ts';
import { fieldValue, type RawField, selectFields } from '../../protocol/dkim/fields.ts';
import { foldWords } from '../../protocol/dkim/signature.ts';
import type { Claim } from '../../queue/contract.ts';
import { signed } from './dkim.ts';
import type { Scanned } from './scan.ts';

type Validation = 'none' | 'pass' | 'fail';

/** RFC 8617 4.2.1. */
const LAST_INSTANCE = 50;

interface ArcSet {
  results?: RawField;
  signature?: RawField;
  seal?: RawField;
}

const PARTS: Readonly<Record<string, keyof ArcSet>> = {
  'arc-authentication-results': 'results',
  'arc-message-signature': 'signature',
  'arc-seal': 'seal',
};

/** The value of the topmost Authentication-Results that this node wrote. */
export function ownResults({ trace, edits }: Pick<Claim, 'trace' | 'edits'>): string | undefined {
  for (let i = edits.length - 1; i >= 0; i--) {
    const edit = edits[i]!;
    const found = edit.kind === 'prepend' ? resultsIn(edit.raw) : undefined;
    if (found !== undefined) return found;
  }
  return resultsIn(trace);
}

function resultsIn(raw: string): string | undefined {
  return /^Authentication-Results:((?:[^\r]|\r\n[ \t])*)/im.exec(raw)?.[1]?.trim();
}

/** Undefined: no set may be added. */
export async function arcFields(
  { header, bodyHash }: Scanned,
  results: string,
  key: SigningKey,
  nowMs: number,
): Promise<string | undefined> {
  const chain = chainOf(header.fields);
  const validation = chain && validationOf(results, chain);
  if (!chain || !validation || chain.length >= LAST_INSTANCE) return undefined;
  const instance = chain.length + 1;
  const { algorithm, domain, selector } = key;
  const signedAt = Math.floor(nowMs / 1000);
  const found = `ARC-Authentication-Results: i=${instance}; ${results}\r\n`;
  const { names, canonical } = selectFields(header.fields, ['dkim-signature']);
  const messageHead =
    `ARC-Message-Signature: i=${instance}; a=${algorithm}; c=relaxed/relaxed;\r\n` +
    `\td=${domain}; s=${selector}; t=${signedAt};\r\n` +
    `\th=${foldWords(names, ':', 3)};\r\n\tbh=${bodyHash};\r\n\tb=`;
  const message = await signed({ head: messageHead, covered: canonical + relaxedField(messageHead) }, key);
  const sealHead =
    `ARC-Seal: i=${instance}; a=${algorithm}; t=${signedAt}; cv=${validation};\r\n` +
    `\td=${domain}; s=${selector};\r\n\tb=`;
  // RFC 8617 5.1.2: after a failed chain, only the new set is sealed.
  const before =
    validation === 'fail' ? [] : chain.flatMap(({ results, signature, seal }) => [results, signature, seal]);
  const covered = [...before.map((field) => field!.raw), found, message].map((raw) => `${relaxedField(raw)}\r\n`);
  const seal = await signed({ head: sealHead, covered: covered.join('') + relaxedField(sealHead) }, key);
  return seal + message + found;
}

/** The sets so far, in order; undefined if the highest instances are unreadable or the chain ended in failure. */
function chainOf(fields: readonly RawField[]): readonly ArcSet[] | undefined {
  const sets: ArcSet[] = [];
  for (const field of fields) {
    const part = PARTS[field.name];
    if (!part) continue;
    const instance = Number(tagOf(fieldValue(field), 'i'));
    if (!Number.isInteger(instance) || instance < 1 || instance > LAST_INSTANCE) return undefined;
    const set: ArcSet = sets[instance - 1] ?? {};
    sets[instance - 1] = set;
    if (set[part]) return undefined;
    set[part] = field;
  }
  for (let i = 0; i < sets.length; i++) {
    const set = sets[i];
    if (!set?.results || !set.signature || !set.seal) return undefined;
  }
  const last = sets.at(-1)?.seal;
  return last && tagOf(fieldValue(last), 'cv') === 'fail' ? undefined : sets;
}

function tagOf(value: string, name: string): string | undefined {
  for (const tag of value.split(';')) {
    const equals = tag.indexOf('=');
    if (equals > 0 && tag.slice(0, equals).trim() === name) return tag.slice(equals + 1).trim();
  }
  return undefined;
}

/** The result of screening for the chain. It must match the sets; an unverified chain is not sealed. */
function validationOf(results: string, chain: readonly ArcSet[]): Validation | undefined {
  const said = /;\s*arc\s*=\s*(none|pass|fail)\b/i.exec(results)?.[1]?.toLowerCase() as Validation | undefined;
  if (chain.length === 0) return said === undefined || said === 'none' ? 'none' : undefined;
  return said === 'none' ? undefined : said;
}
