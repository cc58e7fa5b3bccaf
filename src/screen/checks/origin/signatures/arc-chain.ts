/**
 * The ARC chain (RFC 8617): whether it is valid, who sealed it, and the results that the first sealer recorded.
 *
 * The newest message signature is verified as DKIM signatures are; the seals only if it passes and all of them
 * together cost no more than the budget of one message.
 */
import { parseAuthResults, type ReadResult } from '../../../../protocol/auth-results/parse-results.ts';
import { relaxedField } from '../../../../protocol/dkim/canonical.ts';
import type { RawField } from '../../../../protocol/dkim/fields.ts';
import { type ReadSignature, readSignature } from '../../../../protocol/dkim/read-signature.ts';
import { isSignedBy, withoutSignature } from '../../../../protocol/dkim/verify.ts';
import { binaryString, readable } from '../../../../protocol/mime/text.ts';
import { parseDomain } from '../../../../protocol/smtp/domain.ts';
import { AUTHENTICATION_LIMITS } from '../limits.ts';
import { loadArc, type RawArcLink } from '../mailauth.ts';
import type { ArcEvidence } from '../types.ts';
import type { Keys, SignersKey } from './keys.ts';
import type { Budget, SignatureResult } from './one-signature.ts';
import { plainDomain } from './signatures.ts';

export interface ArcSets {
  /** From the oldest; empty if they form no chain. */
  readonly chain: readonly RawArcLink[];
  /** Why they form none. */
  readonly problem?: string;
  /** The message signature of the newest set. */
  readonly newest?: ReadSignature;
}

const FIELDS = ['arc-authentication-results', 'arc-message-signature', 'arc-seal'] as const;
/** RFC 8617 4.2.1. */
const MOST_SETS = 50;

/** Reads the sets; their problem is kept for `readArc`. */
export async function openChain(fields: readonly RawField[]): Promise<ArcSets> {
  const { getARChain } = await loadArc();
  const rows = fields.filter(({ name }) => (FIELDS as readonly string[]).includes(name));
  if (rows.length > MOST_SETS * FIELDS.length) return { chain: [], problem: `more than ${MOST_SETS} sets` };
  // A seal or signature that is too long counts as absent, which breaks every chain.
  const whole = new Map<string, Uint8Array>();
  const parsed = rows
    .filter(({ name, raw }) => name === FIELDS[0] || raw.length <= AUTHENTICATION_LIMITS.signatureBytes)
    .map(({ name, raw }) => {
      if (name !== FIELDS[0]) return { key: name, line: Buffer.from(raw, 'latin1') };
      const beginning = raw.slice(0, AUTHENTICATION_LIMITS.instanceBytes);
      whole.set(beginning, Buffer.from(raw, 'latin1'));
      return { key: name, line: Buffer.from(beginning, 'latin1') };
    });
  let chain: readonly RawArcLink[];
  try {
    const links: readonly RawArcLink[] = getARChain({ parsed }, { strict: true }) || [];
    chain = links.map((link) => ({ ...link, [FIELDS[0]]: { original: whole.get(textOf(link, FIELDS[0])) } }));
  } catch (error) {
    return { chain: [], problem: (error as Error).message.toLowerCase() };
  }
  const newest = chain.at(-1);
  return newest ? { chain, newest: readSignature(textOf(newest, FIELDS[1]), 'arc') } : { chain, problem: 'no set' };
}

interface ChainOptions {
  readonly keys: Keys;
  readonly minimumKeyBits: number;
  readonly budget: Budget;
}

/** `newest`: the result of the newest message signature. */
export async function readArc(
  { chain, problem }: ArcSets,
  newest: SignatureResult | undefined,
  options: ChainOptions,
): Promise<ArcEvidence> {
  const { result, detail } = problem === undefined ? await judgeChain(chain, newest!, options) : failed(problem);
  const original = result === 'pass' ? originalResults(chain[0]) : undefined;
  return {
    made: true,
    result,
    ...(detail && { detail: detail.slice(0, 200) }),
    sealers: chain.map(sealer).reverse(),
    ...(original && { original }),
  };
}

type ChainVerdict = Pick<ArcEvidence, 'result' | 'detail'>;

function failed(detail: string): ChainVerdict {
  return { result: 'fail', detail };
}

const UNTOLD: ChainVerdict = { result: 'temperror', detail: 'name servers do not say a key of the chain' };

/** RFC 8617 5.2: the newest message signature, then the seals, the newest first. */
async function judgeChain(
  chain: readonly RawArcLink[],
  newest: SignatureResult,
  { keys, minimumKeyBits, budget }: ChainOptions,
): Promise<ChainVerdict> {
  if (newest.result === 'temperror') return UNTOLD;
  if (newest.result !== 'pass')
    return failed(`i=${chain.length} no valid signature: ${newest.detail ?? newest.result}`);
  const answers = await Promise.all(chain.map((link) => keys(tagOf(link, 'd'), tagOf(link, 's'))));
  const { sets, coveredBytes } = canonicalSets(chain);
  const price = answers.reduce((sum, answer) => sum + (answer.kind === 'key' ? answer.key.price : 0), 0);
  if (price > budget.left || coveredBytes > AUTHENTICATION_LIMITS.arcCoveredBytes)
    return failed('its seals cost more than is done for one message');
  for (let i = chain.length - 1; i >= 0; i--) {
    const answer = answers[i]!;
    const keyType = tagOf(chain[i]!, 'a').toLowerCase().startsWith('ed25519') ? 'ed25519' : 'rsa';
    if (answer.kind === 'untold') return UNTOLD;
    const flaw = answer.kind === 'none' ? answer.why : flawFor(answer.key, keyType, minimumKeyBits);
    if (answer.kind === 'none' || flaw !== undefined) return failed(`${flaw} for ${sealer(chain[i]!)}`);
    const signature = tagOf(chain[i]!, 'b');
    if (!isSignedBy([...sets.slice(0, i), ...covered(chain[i]!)], { keyType, signature }, answer.key.object))
      return failed(`i=${i + 1} seal signature validation failed`);
  }
  return { result: 'pass' };
}

/** The records are those of DKIM (RFC 8617 4.1). */
function flawFor({ bits, hashes, numbers }: SignersKey, keyType: string, minimumBits: number): string | undefined {
  if (bits !== undefined && bits < minimumBits) return 'weak key';
  if (hashes && !hashes.includes('sha256')) return 'inappropriate hash algorithm';
  return numbers.type === keyType ? undefined : 'inappropriate key algorithm';
}

/** Each set as the seals above it cover it, computed once; and how much all seals cover together. */
function canonicalSets(chain: readonly RawArcLink[]) {
  const sets = chain.map((link) =>
    Buffer.from(FIELDS.map((name) => `${relaxedField(textOf(link, name))}\r\n`).join(''), 'latin1'),
  );
  let below = 0;
  let coveredBytes = 0;
  for (const { length } of sets) {
    below += length;
    coveredBytes += below;
  }
  return { sets, coveredBytes };
}

/** RFC 8617 5.1.1: of its own set a seal covers itself without its signature, and no last CRLF. */
function covered(link: RawArcLink): readonly Uint8Array[] {
  const [results, signature, seal] = FIELDS.map((name) => textOf(link, name)) as [string, string, string];
  const text = `${relaxedField(results)}\r\n${relaxedField(signature)}\r\n${relaxedField(withoutSignature(seal))}`;
  return [Buffer.from(text, 'latin1')];
}

function textOf(link: RawArcLink, name: (typeof FIELDS)[number]): string {
  return binaryString(link[name]?.original ?? new Uint8Array());
}

function tagOf(link: RawArcLink, name: string): string {
  const value = link['arc-seal']?.parsed?.[name]?.value;
  return typeof value === 'string' ? value : '';
}

function sealer(link: RawArcLink): string {
  return plainDomain(tagOf(link, 'd'));
}

/** Two DMARC results, or results for different authors, count as none: choosing one would let their writer choose. */
function originalResults(first: RawArcLink | undefined): ArcEvidence['original'] {
  const field = first?.['arc-authentication-results']?.original;
  // A partly read field could hide a second result: then there is none.
  if (!field || field.length > AUTHENTICATION_LIMITS.resultsBytes) return undefined;
  const results = parseAuthResults(readable(binaryString(field).replace(/^[^:]*:/, '')));
  const dmarc = only(wordsOf(results, 'dmarc'));
  const authors = results.flatMap(({ method, properties }) =>
    method === 'dmarc' ? properties.filter(([name]) => name === 'header.from').map(([, value]) => domainIn(value)) : [],
  );
  const dmarcFrom = only(authors);
  const isClear = dmarc !== undefined && (authors.length === 0 || dmarcFrom !== undefined);
  const spf = wordsOf(results, 'spf').at(-1);
  const dkim = wordsOf(results, 'dkim');
  const best = dkim.includes('pass') ? 'pass' : dkim[0];
  return {
    ...(isClear && { dmarc }),
    ...(isClear && dmarcFrom !== undefined && { dmarcFrom }),
    ...(spf && { spf }),
    ...(best && { dkim: best }),
  };
}

function wordsOf(results: readonly ReadResult[], method: string): readonly string[] {
  const found = results.filter((one) => one.method === method).map(({ result }) => result);
  return found.map((result) => (/^[a-z]{1,20}$/.test(result) ? result : 'unknown'));
}

/** The value that all have in common; undefined if they differ. */
function only(said: readonly string[]): string | undefined {
  return new Set(said).size === 1 ? said[0] : undefined;
}

/** Some write the whole address; U-labels are the same name (RFC 5890 2.3.2.1). */
function domainIn(value: string): string {
  const domain = plainDomain(value.slice(value.lastIndexOf('@') + 1)).slice(0, 255);
  const read = parseDomain(domain);
  return read.ok ? read.value : domain;
}
