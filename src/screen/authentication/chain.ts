/** The ARC chain (RFC 8617): whether it holds, who sealed it, and what the first of them says to have seen. */
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

function originalResults(first: RawArcLink | undefined): ArcEvidence['original'] {
  const results = first?.['arc-authentication-results']?.parsed;
  if (!results) return undefined;
  const word = (value: unknown): string | undefined =>
    typeof value === 'string' && /^[a-z]{1,20}$/i.test(value) ? value.toLowerCase() : undefined;
  const dmarc = word(results.dmarc?.value);
  const spf = word(results.spf?.value);
  const dkim = Array.isArray(results.dkim) ? results.dkim.map((one) => word(one?.value)) : [];
  const best = dkim.includes('pass') ? 'pass' : dkim[0];
  return { ...(dmarc && { dmarc }), ...(spf && { spf }), ...(best && { dkim: best }) };
}
