/** Settings, codes and header edits of DMARC. */
import type { HeaderEdit } from '../../../../model/content.ts';
import { choice, count, defineSettings, text } from '../../../../settings/define.ts';
import type { DmarcEvidence } from '../types.ts';

export const DMARC_CODES = {
  'policy-none': 'DMARC fails, and the author domain asks for nothing',
  quarantine: 'DMARC fails, and the author domain asks for quarantine',
  reject: 'DMARC fails, and the author domain asks for rejection',
  'reject-alone': 'DMARC fails and the author domain asks for rejection, but nothing else speaks against the message',
  'list-explains': 'DMARC fails, and a mailing list on the way explains it',
  'arc-explains': 'DMARC fails, and the ARC chain of sealers that you trust says that it passed before',
  'no-single-author': 'the From field does not make clear whose domain the author is of',
  temperror: 'name servers do not say what the author domain asks for',
  pass: 'the author domain stands behind the message',
} as const;

const perDomain = { scope: 'domain' } as const;

export const dmarcSettings = defineSettings('dmarc', {
  onReject: choice(
    ['guarded', 'refuse', 'quarantine', 'tag', 'score'],
    'guarded',
    "What happens when DMARC fails and the author domain asks for rejection. `guarded` refuses (550 5.7.1 at the end of data) when a second finding agrees: SPF of the From domain fails hard, a block list or a look-alike check found something, or the score is high; and when no trusted ARC chain or mailing list explains it. Else it goes to the user's quarantine. `refuse` always refuses, which loses honest mail of lists. `quarantine` holds for the user, `tag` marks the subject, `score` adds to the score.",
    perDomain,
  ),
  onQuarantine: choice(
    ['refuse', 'quarantine', 'tag', 'score'],
    'quarantine',
    "What happens when DMARC fails and the author domain asks for quarantine: `quarantine` holds it in the user's quarantine; the others are as for rejection.",
    perDomain,
  ),
  unclearAuthor: choice(
    ['accept', 'quarantine', 'refuse'],
    'quarantine',
    'What happens to mail whose author is not clear, for which DMARC has no answer: an address has no domain in the DNS, there are more than five domains or several From fields, or the field is too long to be read. A reader may see a domain there that asks for rejection. Up to five domains in one field, however odd it is, are each asked for their policy instead. `quarantine` holds it for the user, unless the field has no at-sign at all, as machines write it (`From: root`); `accept` records it; `refuse` refuses all of it with 550.',
    perDomain,
  ),
  rejectScore: count(
    5,
    { min: 0, max: 100 },
    'Added to the score of a failure with p=reject that is not refused.',
    perDomain,
  ),
  quarantineScore: count(3, { min: 0, max: 100 }, 'Added to the score of a failure with p=quarantine.', perDomain),
  secondScore: count(
    5,
    { min: 1, max: 100 },
    'From this score on, of all checks before, the score counts as the second finding that `guarded` waits for.',
    perDomain,
  ),
  passCredit: count(0, { min: 0, max: 100 }, 'Taken from the score of mail that passes DMARC.', perDomain),
  tagText: text('*** FRAUD ***', 'What `tag` puts before the subject.', {
    ...perDomain,
    maxLength: 60,
    check: (value) => (/^[\x20-\x7e]*$/.test(value) ? undefined : 'must be printable ASCII'),
  }),
});

const NO_EDITS: readonly HeaderEdit[] = Object.freeze([]);
const MARKS: Readonly<Record<'quarantine' | 'reject', HeaderEdit>> = {
  quarantine: { kind: 'prepend', raw: 'X-DMARC-Fail-Policy: quarantine\r\n' },
  reject: { kind: 'prepend', raw: 'X-DMARC-Fail-Policy: reject\r\n' },
};

/** A mark for filters behind us, and the tag if one is set. */
export function failureEdits(
  { result, policy, subject }: DmarcEvidence,
  tag: string | undefined,
): readonly HeaderEdit[] {
  if (result !== 'fail' || policy === 'none') return NO_EDITS;
  const mark = MARKS[policy];
  if (tag === undefined) return [mark];
  if (subject === undefined) return [mark, { kind: 'prepend', raw: `Subject: ${tag}\r\n` }];
  return [mark, { kind: 'replace', name: 'subject', occurrence: 0, raw: `Subject: ${tag} ${subject}\r\n` }];
}
