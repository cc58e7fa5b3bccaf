/**
 * Whether a reverse-path is proven: an unproven one gets failure reports at most, since an unrequested success report
 * is mail to an uninvolved person in our name.
 */
import type { ReversePath } from '../../model/address.ts';
import type { DmarcEvidence, NotMade, SpfEvidence } from '../checks/origin/types.ts';
import type { MessageFacts } from '../contract.ts';
import type { MessageEvidence } from '../engine/evidence.ts';

/**
 * SPF passes for its domain, or DMARC for the very same address in From. A signature alone proves nothing about it:
 * anyone who has a signed message may resend it from any path.
 */
export function isProvenPath(
  reversePath: ReversePath,
  evidence: MessageEvidence,
  { headerFrom }: MessageFacts,
): boolean {
  if (reversePath === null) return false;
  for (const name of ['spf', 'spfRelayed']) {
    const spf = evidence[name] as SpfEvidence | NotMade | undefined;
    if (spf?.made && spf.mail.scope === 'mfrom' && spf.mail.result === 'pass' && spf.mail.domain === reversePath.domain)
      return true;
  }
  const dmarc = evidence['dmarc'] as DmarcEvidence | NotMade | undefined;
  return (
    dmarc?.made === true && dmarc.result === 'pass' && headerFrom?.toLowerCase() === reversePath.text.toLowerCase()
  );
}
