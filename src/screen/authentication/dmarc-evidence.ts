/** The evidence of DMARC: its outcome, and what may explain or confirm a failure. */
import { scanFields } from '../../protocol/mime/fields.ts';
import { fieldValue, readable } from '../../protocol/mime/text.ts';
import type { CheckServices } from '../check.ts';
import { type DmarcOutcome, evaluate } from './dmarc.ts';
import { denies } from './spf.ts';
import { type MessageView, signaturesOf, spfOf, verificationOf } from './verification.ts';
import type { ArcEvidence, DkimEvidence, DmarcEvidence, SpfEvidence } from './words.ts';

/** RFC 5322 2.1.1, with room for the name and the tag. */
const LONGEST_SUBJECT = 900;

/** Errors: those of `ContentRef.open`. */
export async function dmarcEvidence(view: MessageView, services: CheckServices): Promise<DmarcEvidence> {
  const { asker } = verificationOf(view, services);
  const [{ dkim, arc }, spf] = await Promise.all([signaturesOf(view, services), spfOf(view)]);
  const evaluated = await evaluate({ fromFields: view.header.fromFields, spf, dkim }, asker, services);
  const outcome = asker.exceeded() ? tooLarge(evaluated) : unlessUntold(evaluated, spf, dkim);
  const fails = outcome.result === 'fail';
  const subject = fails ? subjectOf(view.head) : undefined;
  const list = fails ? listOf(view, spf, dkim) : undefined;
  return {
    made: true,
    ...outcome,
    sourceIp: spf?.client ?? view.facts.client.address,
    envelopeFrom: view.reversePath?.domain ?? '',
    spf:
      spf && spf.mail.domain !== ''
        ? [{ domain: spf.mail.domain, scope: spf.mail.scope, result: spf.mail.result }]
        : [],
    spfDenies: fails && outcome.policy === 'reject' && (await fromDomainDenies(outcome.headerFrom, spf, services)),
    arcSealers: arc.result === 'pass' || arc.result === 'temperror' ? arc.sealers : [],
    ...(arc.result === 'temperror' && { arcUntold: true }),
    arcVouchesPass: vouchesFor(arc, outcome.headerFrom),
    ...(list !== undefined && { list }),
    ...(subject !== undefined && { subject }),
  };
}

/** What needs more questions than any honest message is no trouble of name servers: it proves nobody. */
function tooLarge(outcome: DmarcOutcome): DmarcOutcome {
  if (outcome.result !== 'temperror') return outcome;
  return { ...outcome, result: 'permerror', detail: 'its author and its signers need too many look-ups' };
}

/**
 * A failure is none while something that could have aligned cannot be told: our own DNS trouble. Only
 * names of the policy domain's own count, or a forger would bring a signature that nobody can look up.
 */
function unlessUntold(outcome: DmarcOutcome, spf: SpfEvidence | undefined, dkim: DkimEvidence): DmarcOutcome {
  if (outcome.result !== 'fail' || !outcome.record) return outcome;
  const { domain } = outcome.record;
  const isOwn = (name: string): boolean => name === domain || name.endsWith(`.${domain}`);
  const untold =
    (spf?.mail.result === 'temperror' && isOwn(spf.mail.domain)) ||
    dkim.signatures.some((signature) => signature.result === 'temperror' && isOwn(signature.domain));
  if (!untold) return outcome;
  return {
    ...outcome,
    result: 'temperror',
    detail: 'name servers do not say whether the author domain stands behind it',
  };
}

/** What a sealer saw of another author, as before somebody rewrote From, says nothing of this one. */
function vouchesFor({ result, original }: ArcEvidence, headerFrom: string): boolean {
  if (result !== 'pass' || original?.dmarc !== 'pass') return false;
  return original.dmarcFrom === undefined || original.dmarcFrom === headerFrom;
}

/** Asked only where it decides: the From domain's own word on this client, whatever MAIL said. */
async function fromDomainDenies(
  headerFrom: string,
  spf: SpfEvidence | undefined,
  services: CheckServices,
): Promise<boolean> {
  if (!spf) return false;
  if (spf.mail.domain === headerFrom) return spf.mail.result === 'fail';
  return denies(headerFrom, { client: spf.client, helo: spf.helo }, services);
}

/** A list that says its name (RFC 2919) and proves it: its domain signed the message or passes SPF. */
function listOf({ head, header }: MessageView, spf: SpfEvidence | undefined, dkim: DkimEvidence): string | undefined {
  const { listId } = header.origin;
  const name = /<([a-z0-9._-]{1,253})>\s*$/i.exec(listId ? fieldValue(head, listId) : '')?.[1]?.toLowerCase();
  if (name === undefined) return undefined;
  const isOf = (domain: string): boolean => domain.includes('.') && (name === domain || name.endsWith(`.${domain}`));
  if (spf?.mail.result === 'pass' && isOf(spf.mail.domain)) return name;
  return dkim.signatures.some(({ domain, result }) => result === 'pass' && isOf(domain)) ? name : undefined;
}

function subjectOf(head: Uint8Array): string | undefined {
  const field = scanFields(head).fields.find(({ name }) => name === 'subject');
  const value = field && readable(fieldValue(head, field));
  return value === undefined || value.length > LONGEST_SUBJECT ? undefined : value;
}
