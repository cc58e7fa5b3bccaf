/**
 * Evidence and findings of a message as the one JSON line that the log keeps.
 *
 * A message with several recipients says much the same of each. So each text is kept once, as a template
 * in which NUL stands for the recipient's address, and recipients refer to it by their place in the
 * record's list. Evidence and findings take at most `EVIDENCE_BYTES` of a line; `cut` says how much more
 * there was. A message with one recipient is kept plainly, as all were by earlier versions, and either
 * form is read. Reading gives back exactly what was written, member by member, but for what was cut.
 */
import type { Evidence } from '../model/finding.ts';
import type { JournalDetail, RecipientFindings } from '../model/journal-detail.ts';
import { withDialogue } from './dialogue.ts';
import { EVIDENCE_BYTES } from './limits.ts';

export type MessageDetail = Pick<JournalDetail, 'evidence' | 'findings' | 'dialogue' | 'cut'>;

/** As journalled: the address in RCPT is `original` where the row's own is another. */
export type NamedRecipients = readonly { readonly address: string; readonly original?: string | undefined }[];

type References = Reference[];
type ByAddress = Readonly<Record<string, Evidence>>;

/** Which template; then the first recipient and how many after each other, or an address, or nobody. */
type Reference = readonly [template: number, first?: number | string, count?: number];

interface Shared {
  readonly templates: readonly string[];
  readonly recipients: readonly Reference[];
  readonly findings: readonly Reference[];
}

type StoredDetail = MessageDetail & { readonly shared?: Shared };

/** JSON has no raw control characters, so this is in no text before a template is made of it. */
const ADDRESS = '\0';

/** `[9999,9999,9999],`: more than a message has recipients. */
const REFERENCE_BYTES = 17;

/** JSON of a message's detail without subject and the like, which the row has in columns. */
export function detailText({ evidence, findings, dialogue }: JournalDetail, recipients: NamedRecipients): string {
  if (!isPlural(evidence, findings)) {
    const plain = plainText(evidence, findings);
    if (fits(plain, EVIDENCE_BYTES)) return withDialogue(plain, dialogue);
  }
  return withDialogue(sharedText(evidence, findings, recipients), dialogue);
}

/** What `detailText` wrote. */
export function readDetail(stored: unknown, recipients: NamedRecipients): MessageDetail {
  const { shared, ...detail } = stored as StoredDetail;
  if (!shared) return detail;
  const read = readerOf(shared.templates, namesOf(recipients));
  const evidence = { ...detail.evidence };
  if ('recipients' in evidence) evidence['recipients'] = Object.fromEntries(read<Evidence>(shared.recipients) as never);
  const findings = read<RecipientFindings['findings']>(shared.findings).map(
    ([recipient, found]): RecipientFindings =>
      recipient === undefined ? { findings: found } : { recipient, findings: found },
  );
  return { ...detail, evidence, findings };
}

/** The same from the text, without the dialogue, which is half of it and which no replay needs. */
export function readUnspoken(text: string, recipients: NamedRecipients): Omit<MessageDetail, 'dialogue'> {
  // Within a string its quotes would be escaped, so this is the member itself, and it is the last.
  const dialogue = text.lastIndexOf(',"dialogue":"');
  return readDetail(JSON.parse(dialogue < 0 ? text : `${text.slice(0, dialogue)}}`), recipients);
}

function isPlural(evidence: JournalDetail['evidence'], findings: JournalDetail['findings']): boolean {
  if (findings.length > 3) return true;
  let count = 0;
  for (const _ in evidence['recipients']) if (++count > 1) return true;
  return false;
}

/**
 * Member by member: a dialogue is a text of many joined parts, as findings may be, and beside one the
 * serializer takes three times as long for the rest.
 */
function plainText(evidence: JournalDetail['evidence'], findings: JournalDetail['findings']): string {
  const found = findings.length === 0 ? '[]' : JSON.stringify(findings);
  return `{"evidence":${JSON.stringify(evidence)},"findings":${found}`;
}

/** Findings first, as people read them, but at most half; then what was seen, in order. */
function sharedText(
  evidence: JournalDetail['evidence'],
  findings: JournalDetail['findings'],
  recipients: NamedRecipients,
): string {
  const room = { bytes: EVIDENCE_BYTES / 2 };
  const templates = createTemplates(recipients, room);
  const [found, seen]: [References, References] = [[], []];
  let cutFindings = 0;
  for (const { recipient, findings: own } of findings)
    if (!templates.refer(found, recipient, JSON.stringify(own))) cutFindings += own.length;
  room.bytes += EVIDENCE_BYTES / 2;
  let cutEvidence = 0;
  const members: string[] = [];
  for (const [name, value] of Object.entries(evidence)) {
    if (value === undefined) continue;
    // The place stays, as evidence is read in order; recipients come below.
    const member = `${JSON.stringify(name)}:${name === 'recipients' ? '{}' : JSON.stringify(value)}`;
    if (spend(room, Buffer.byteLength(member) + 1)) members.push(member);
    else cutEvidence++;
  }
  for (const [address, own] of Object.entries((evidence['recipients'] ?? {}) as ByAddress))
    if (!templates.refer(seen, address, JSON.stringify(own))) cutEvidence++;
  const shared: Shared = { templates: templates.texts, recipients: seen, findings: found };
  const cut = { ...(cutEvidence > 0 && { evidence: cutEvidence }), ...(cutFindings > 0 && { findings: cutFindings }) };
  const marked = cutEvidence + cutFindings > 0 ? `,"cut":${JSON.stringify(cut)}` : '';
  return `{"evidence":{${members.join()}},"findings":[],"shared":${JSON.stringify(shared)}${marked}`;
}

interface Room {
  bytes: number;
}

function spend(room: Room, bytes: number): boolean {
  if (bytes > room.bytes) return false;
  room.bytes -= bytes;
  return true;
}

interface Templates {
  readonly texts: readonly string[];
  /** Adds to `references` who said `text`; false where there is no room for it. */
  refer(references: References, address: string | undefined, text: string): boolean;
}

function createTemplates(recipients: NamedRecipients, room: Room): Templates {
  const places = new Map(namesOf(recipients).map((name, place) => [name, place]));
  const numbers = new Map<string, number>();
  const texts: string[] = [];

  const numberOf = (template: string, forReference: number): number | undefined => {
    const known = numbers.get(template);
    if (known !== undefined) return spend(room, forReference) ? known : undefined;
    if (!spend(room, Buffer.byteLength(JSON.stringify(template)) + 1 + forReference)) return undefined;
    numbers.set(template, texts.length);
    return texts.push(template) - 1;
  };

  return {
    texts,
    refer(references, address, text) {
      const who = address === undefined ? undefined : (places.get(address) ?? address);
      const template = address ? text.replaceAll(inJson(address), ADDRESS) : text;
      const last = references.at(-1);
      if (last !== undefined && isNext(last, numbers.get(template), who)) {
        references[references.length - 1] = [last[0], last[1], (last[2] ?? 1) + 1];
        return true;
      }
      const number = numberOf(
        template,
        typeof who === 'string' ? REFERENCE_BYTES + inJson(who).length * 3 : REFERENCE_BYTES,
      );
      if (number === undefined) return false;
      references.push(who === undefined ? [number] : [number, who]);
      return true;
    },
  };
}

function isNext([template, first, count = 1]: Reference, number: number | undefined, who: unknown): boolean {
  return template === number && typeof first === 'number' && who === first + count;
}

/** As it stands within the texts of JSON. */
function inJson(address: string): string {
  return JSON.stringify(address).slice(1, -1);
}

/** By place; an alias has a row for each target, and is one recipient. */
function namesOf(recipients: NamedRecipients): readonly string[] {
  return [...new Set(recipients.map(({ address, original = address }) => original))];
}

type ReadReferences = <T>(references: readonly Reference[]) => (readonly [address: string | undefined, value: T])[];

function readerOf(templates: readonly string[], names: readonly string[]): ReadReferences {
  return <T>(references: readonly Reference[]) => {
    const read: (readonly [string | undefined, T])[] = [];
    for (const [number, first, count = 1] of references) {
      const template = templates[number]!;
      for (let i = 0; i < count; i++) {
        const address = typeof first === 'number' ? names[first + i]! : first;
        const text = address === undefined ? template : template.split(ADDRESS).join(inJson(address));
        read.push([address, JSON.parse(text) as T]);
      }
    }
    return read;
  };
}

function fits(text: string, bytes: number): boolean {
  return text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes;
}
