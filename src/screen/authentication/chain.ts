/** The ARC chain (RFC 8617): whether it holds, who sealed it, and what the first of them says to have seen. */
import { parseAuthResults, type ReadResult } from '../../protocol/auth-results/parse-results.ts';
import { binaryString, readable } from '../../protocol/mime/text.ts';
import { parseDomain } from '../../protocol/smtp/domain.ts';
import type { Asker } from './ask.ts';
import type { ArcModule, RawArc, RawArcLink } from './mailauth.ts';
import { plainDomain } from './signatures.ts';
import type { ArcEvidence } from './words.ts';

export async function readArc(
  { arc }: ArcModule,
  raw: RawArc,
  asker: Asker,
  minimumKeyBits: number,
): Promise<ArcEvidence> {
  // Read first: validation rewrites the newest set's results in place.
  const original = raw.chain ? originalResults(raw.chain[0]) : undefined;
  const { status } = await arc(raw, { resolver: asker.ask, minBitLength: minimumKeyBits, strict: true });
  const result = status.result === 'fail' && isOurTrouble(raw, status.comment, asker) ? 'temperror' : status.result;
  const detail = result === 'temperror' ? 'name servers do not say a key of the chain' : status.comment;
  return {
    made: true,
    result,
    ...(result !== 'pass' && detail && { detail: detail.slice(0, 200) }),
    sealers: raw.chain ? raw.chain.map(sealer).reverse() : [],
    ...(result === 'pass' && original && { original }),
  };
}

/** The library knows only "failed"; a key that could not be asked for is no fault of the chain. */
function isOurTrouble({ lastEntry }: RawArc, comment: string | undefined, asker: Asker): boolean {
  if (!asker.troubled()) return false;
  return comment === undefined || lastEntry?.messageSignature?.status.result === 'temperror';
}

function sealer(link: RawArcLink): string {
  const domain = link['arc-seal']?.parsed?.['d']?.value;
  return plainDomain(typeof domain === 'string' ? domain : '');
}

/** DMARC told twice, with different results or of different authors, is not told: taking one would let its writer choose. */
function originalResults(first: RawArcLink | undefined): ArcEvidence['original'] {
  const field = first?.['arc-authentication-results']?.original;
  if (!field) return undefined;
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

/** What all of them say; undefined where they differ. */
function only(said: readonly string[]): string | undefined {
  return new Set(said).size === 1 ? said[0] : undefined;
}

/** Some write the whole address; U-labels are the same name (RFC 5890 2.3.2.1). */
function domainIn(value: string): string {
  const domain = plainDomain(value.slice(value.lastIndexOf('@') + 1)).slice(0, 255);
  const read = parseDomain(domain);
  return read.ok ? read.value : domain;
}
