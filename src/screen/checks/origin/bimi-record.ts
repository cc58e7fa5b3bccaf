/** The BIMI assertion record of an author domain, or of the domain whose DMARC policy it has. */
import { fieldValue } from '../../../protocol/mime/text.ts';
import type { CheckServices } from '../../engine/check.ts';
import type { Asker } from './ask.ts';
import type { BimiEvidence, DmarcEvidence, NotMade } from './types.ts';
import { type MessageView, verificationOf } from './verification.ts';

const skipped = (detail: string): BimiEvidence => Object.freeze({ made: true, result: 'skipped', detail });
const NO_PASS = skipped('DMARC does not pass');
const SEVERAL_AUTHORS = skipped('there are several author domains');
const NOT_ENFORCED = skipped('the DMARC policy is not enforced');

export function lookUpBimi(
  dmarc: DmarcEvidence | NotMade | undefined,
  view: MessageView,
  services: CheckServices,
): BimiEvidence | Promise<BimiEvidence> {
  if (!dmarc?.made || dmarc.result !== 'pass' || !dmarc.record) return NO_PASS;
  if (dmarc.authors) return SEVERAL_AUTHORS;
  const { p, sp, t, domain } = dmarc.record;
  if (p === 'none' || sp === 'none' || t === 'y') return NOT_ENFORCED;
  return find([dmarc.headerFrom, domain], selectorOf(view), verificationOf(view, services).asker);
}

async function find(domains: readonly string[], selector: string, { ask }: Asker): Promise<BimiEvidence> {
  for (const domain of new Set(domains)) {
    let records: readonly string[];
    try {
      const answer = (await ask(`${selector}._bimi.${domain}`, 'TXT')) as readonly (readonly string[])[];
      records = answer.map((strings) => strings.join('')).filter((record) => /^\s*v\s*=\s*BIMI1\s*(;|$)/.test(record));
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'ENOTFOUND' || code === 'ENODATA') continue;
      return { made: true, result: 'temperror', domain, selector };
    }
    if (records.length === 1) return read(records[0]!, domain, selector);
    if (records.length > 1) return { made: true, result: 'fail', detail: 'several records', domain, selector };
  }
  return { made: true, result: 'none', selector };
}

function read(record: string, domain: string, selector: string): BimiEvidence {
  const tag = (name: string): string =>
    (new RegExp(`(?:^|;)\\s*${name}\\s*=([^;]*)`).exec(record)?.[1] ?? '').trim().slice(0, 500);
  const location = tag('l');
  const authority = tag('a');
  const found = { made: true, domain, selector } as const;
  if (location === '' && authority === '') return { ...found, result: 'declined' };
  if (![location, authority].every((uri) => uri === '' || uri.toLowerCase().startsWith('https://')))
    return { ...found, result: 'fail', detail: 'an address is not https' };
  return { ...found, result: 'pass', ...(location && { location }), ...(authority && { authority }) };
}

/** From `v=BIMI1; s=brand;` of the message; any other value is the default. */
function selectorOf({ head, header }: MessageView): string {
  const { bimiSelector } = header.origin;
  const value = bimiSelector ? fieldValue(head, bimiSelector) : '';
  return /(?:^|;)\s*s\s*=\s*([a-z0-9-]{1,63})\s*(?:;|$)/i.exec(value)?.[1]?.toLowerCase() ?? 'default';
}
