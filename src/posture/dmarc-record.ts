/**
 * DMARC policy records (RFC 9989 4.7) for their owner: their content, and each way in which they break the grammar or
 * repeat obsolete tags. Never throws.
 */
import { parseTagList } from './tag-list.ts';

export type DmarcPolicy = 'none' | 'quarantine' | 'reject';

export interface DmarcRecordView {
  /** Undefined if it is missing or invalid. */
  readonly p: DmarcPolicy | undefined;
  readonly sp: DmarcPolicy | undefined;
  readonly isTesting: boolean;
  readonly isPublicSuffix: boolean;
  /** URIs of `rua` and `ruf`, as published. */
  readonly rua: readonly string[];
  readonly ruf: readonly string[];
  /** Sentences: receivers read the record differently, or ignore it. */
  readonly faults: readonly string[];
  /** Tags and parts that receivers ignore. */
  readonly ignored: readonly string[];
}

const POLICIES: readonly string[] = ['none', 'quarantine', 'reject'];
const MODES: readonly string[] = ['r', 's'];

/** RFC 9989 4.7; receivers ignore a tag that is not here. */
const VALUES: Readonly<Record<string, (value: string) => boolean>> = {
  v: (value) => value === 'DMARC1',
  p: (value) => POLICIES.includes(value.toLowerCase()),
  sp: (value) => POLICIES.includes(value.toLowerCase()),
  np: (value) => POLICIES.includes(value.toLowerCase()),
  adkim: (value) => MODES.includes(value.toLowerCase()),
  aspf: (value) => MODES.includes(value.toLowerCase()),
  t: (value) => /^[yn]$/i.test(value),
  psd: (value) => /^[ynu]$/i.test(value),
  fo: (value) => /^[01ds](:[01ds])*$/i.test(value.replace(/\s/g, '')),
  rua: (value) => uris(value).every(isReportUri),
  ruf: (value) => uris(value).every(isReportUri),
};

/** RFC 9989 1.2 of the tags of RFC 7489. */
const OBSOLETE: readonly string[] = ['pct', 'rf', 'ri'];

/** Whether it is marked as a DMARC record: `v=DMARC1` first, in exactly these letters (RFC 9989 4.7). */
export function isDmarcRecord(text: string): boolean {
  return /^[vV][ \t]*=[ \t]*DMARC1[ \t]*(;|$)/.test(text.trim());
}

export function readDmarcRecord(text: string): DmarcRecordView {
  const list = parseTagList(text);
  const faults: string[] = [];
  const ignored = [...list.broken];
  for (const name of list.repeated) faults.push(`the tag ${name} stands there more than once`);
  for (const { name, value } of list.tags) {
    const isValid = VALUES[name];
    if (isValid === undefined || !Object.hasOwn(VALUES, name)) ignored.push(`${name}=${value}`);
    else if (!isValid(value)) faults.push(`${name}=${value} is no value of ${name}`);
    if ((name === 'rua' || name === 'ruf') && uris(value).some((uri) => SIZE.test(uri)))
      ignored.push(`!size in ${name}`);
  }
  if (list.get('p') === undefined) faults.push('the tag p, the policy, is missing');
  return {
    p: policy(list.get('p')),
    sp: policy(list.get('sp')),
    isTesting: list.get('t')?.toLowerCase() === 'y',
    isPublicSuffix: list.get('psd')?.toLowerCase() === 'y',
    rua: uris(list.get('rua') ?? '').filter(isReportUri),
    ruf: uris(list.get('ruf') ?? '').filter(isReportUri),
    faults,
    ignored: ignored.map((part) => (OBSOLETE.includes(part.split('=')[0]!) ? `${part} (obsolete)` : part)),
  };
}

/** The domain behind `mailto:`; undefined for other schemes. */
export function reportDomain(uri: string): string | undefined {
  const match = /^mailto:[^?]+@([^?@]+)(?:\?|$)/i.exec(uri.replace(SIZE, ''));
  return match?.[1]?.toLowerCase();
}

/** The size limit of RFC 7489 6.2, which RFC 9989 removed. */
const SIZE = /![0-9]+[kmgt]?$/i;

function uris(value: string): readonly string[] {
  return value
    .split(',')
    .map((uri) => uri.trim())
    .filter((uri) => uri !== '');
}

/** RFC 9989 4.8: any URI; receivers support mailto. */
function isReportUri(uri: string): boolean {
  return /^mailto:[^\s@?][^\s?]*@[^\s@?]+(\?.*)?$/i.test(uri.replace(SIZE, '')) || /^https?:\/\/\S+$/i.test(uri);
}

function policy(value: string | undefined): DmarcPolicy | undefined {
  const lower = value?.toLowerCase();
  return lower !== undefined && POLICIES.includes(lower) ? (lower as DmarcPolicy) : undefined;
}
