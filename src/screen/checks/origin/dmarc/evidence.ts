/** The evidence of DMARC: its outcome, and facts that may explain or confirm a failure. */
import { scanFields } from '../../../../protocol/mime/fields.ts';
import { fieldValue, readable } from '../../../../protocol/mime/text.ts';
import type { CheckServices } from '../../../engine/check.ts';
import { denies } from '../spf/evaluation.ts';
import type { ArcEvidence, DkimEvidence, DmarcEvidence, SpfEvidence } from '../types.ts';
import { type MessageView, signaturesOf, spfOf, verificationOf } from '../verification.ts';
import { evaluate } from './evaluation.ts';

/** RFC 5322 2.1.1, with room for the name and the tag. */
const LONGEST_SUBJECT = 900;

/** Errors: those of `ContentRef.open`. */
export async function dmarcEvidence(view: MessageView, services: CheckServices): Promise<DmarcEvidence> {
  const { asker } = verificationOf(view, services);
  const [{ dkim, arc }, spf] = await Promise.all([signaturesOf(view, services), spfOf(view)]);
  const outcome = await evaluate({ author: view.header.author, spf, dkim }, asker, services);
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
    arcVouchesPass: vouchesFor(arc, outcome.failing ?? [outcome.headerFrom]),
    ...(list !== undefined && { list }),
    ...(subject !== undefined && { subject }),
  };
}

/** A sealer's result for another author, as before From was rewritten, does not apply to this one. */
function vouchesFor({ result, original }: ArcEvidence, authors: readonly string[]): boolean {
  if (result !== 'pass' || original?.dmarc !== 'pass') return false;
  if (original.dmarcFrom === undefined) return authors.length === 1;
  return authors.every((author) => author === original.dmarcFrom);
}

/** Checked only if it decides: SPF of the From domain for this client, whatever MAIL was. */
async function fromDomainDenies(
  headerFrom: string,
  spf: SpfEvidence | undefined,
  services: CheckServices,
): Promise<boolean> {
  if (!spf) return false;
  if (spf.mail.domain === headerFrom) return spf.mail.result === 'fail';
  return denies(headerFrom, { client: spf.client, helo: spf.helo }, services);
}

/** A list that names itself (RFC 2919) and proves it: its domain signed the message or passes SPF. */
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
