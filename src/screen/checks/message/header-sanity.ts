/**
 * Header sanity: the author, and the end of the header, must be the same for every reader.
 *
 * Refuses only what makes sender or structure ambiguous: no From field or more than one (RFC 5322 3.6), a From,
 * Sender or Reply-To field beyond its bound, or a header without end within protocol/mime's bounds. Constructs that
 * are merely odd (long lines, 8-bit headers, lines that are no fields) are reported and pass.
 */
import type { HeaderFacts, HeaderProblem } from '../../../protocol/mime/types.ts';
import { defineCheck, NOTHING, type Said, type Views } from '../../engine/check.ts';

/** RFC 5322 2.1.1. */
const LONGEST_LINE = 998;

type Oddity = 'malformed-line' | 'malformed-from' | 'several-authors' | 'long-line' | 'eight-bit';
type Observation = {
  readonly fromFields: number;
  readonly problem: HeaderProblem | null;
  /** A field of the author or sender is beyond its bound. */
  readonly isLong?: boolean;
  readonly odd: readonly Oddity[];
};

const NORMAL: Observation = Object.freeze({ fromFields: 1, problem: null, odd: NOTHING });

export const headerSanity = defineCheck({
  id: 'headerSanity',
  stage: 'message',
  guide: 'Reject messages that do not comply with RFC 5322',
  exempt: [],
  clear: NORMAL,
  protects: true,
  policy: { enabled: true, action: 'refuse', quarantine: 'admin', score: 0 },
  codes: {
    'no-from': 'there is no From field, so nobody is the author',
    'two-from': 'there is more than one From field, so readers may show different authors',
    'from-too-long': 'a From, Sender or Reply-To field is longer than 16 kB, or From names more than 100 mailboxes',
    'no-end': 'the header has no end',
    'header-too-long': 'the header has no end within the bounds',
    'line-too-long': 'a header line is longer than 64 kB',
    'too-many-fields': 'the header has too many fields',
    'malformed-line': 'a header line is neither a field nor the continuation of one',
    'malformed-from': 'the From field has no address, or cannot be read whole',
    'several-authors': 'the From field has more than one address',
    'long-line': 'a header line is longer than 998 characters',
    'eight-bit': 'the header has raw 8-bit characters',
  },
  settings: {},

  observe({ header }: Views['message']): Observation {
    const odd = oddities(header);
    const fromFields = header.author.fields;
    const isLong = header.hasLongOrigin || header.author.unclear === 'too-long';
    if (odd.length === 0 && fromFields === 1 && !header.problem && !isLong) return NORMAL;
    return { fromFields, problem: header.problem ?? null, ...(isLong && { isLong }), odd };
  },

  judge({ fromFields, problem, isLong, odd }) {
    if (fromFields === 1 && problem === null && !isLong && odd.length === 0) return NOTHING;
    const said: Said<keyof typeof REFUSALS | Oddity>[] = [];
    const ambiguity =
      problem ?? (fromFields === 0 ? 'no-from' : fromFields > 1 ? 'two-from' : isLong ? 'from-too-long' : undefined);
    if (ambiguity) said.push({ code: ambiguity, reply: { code: 550, enhanced: '5.6.0', text: REFUSALS[ambiguity] } });
    for (const code of odd) said.push({ code, outcome: 'none' });
    return said;
  },
});

const REFUSALS = {
  'no-from': 'the message header must have one From field, and has none',
  'two-from': 'the message header must have one From field, and has more',
  'from-too-long': 'a From, Sender or Reply-To field must have at most 16 kB and 100 mailboxes, and has more',
  'no-end': 'the message header has no end',
  'header-too-long': 'the message header is too long',
  'line-too-long': 'a line of the message header is too long',
  'too-many-fields': 'the message header has too many fields',
} as const;

function oddities(header: HeaderFacts): readonly Oddity[] {
  const { author } = header;
  const odd: Oddity[] = [];
  if (header.malformedLines > 0) odd.push('malformed-line');
  if (author.fields > 0 && (!author.isWhole || author.mailboxes.length === 0)) odd.push('malformed-from');
  if (author.mailboxes.length > 1) odd.push('several-authors');
  if (header.longestLine > LONGEST_LINE) odd.push('long-line');
  if (header.has8bit) odd.push('eight-bit');
  return odd;
}
