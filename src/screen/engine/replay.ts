/**
 * Replay: what other settings would have made of a past message. Judges stored evidence again and
 * decides by the same rules; asks nobody.
 */
import type { Disposition, Evidence, Finding } from '../../model/finding.ts';
import type { Reply } from '../../model/reply.ts';
import type { SettingsSnapshot } from '../../settings/contract.ts';
import { CHECKS } from '../index.ts';
import type { Check, RecipientContext } from './check.ts';
import { decide, strongest } from './decide.ts';
import { judgeOne, priorFindingsOf } from './engine.ts';
import type { MessageEvidence } from './evidence.ts';
import { plan } from './plan.ts';
import { createPolicies } from './policies.ts';

export interface Replayed {
  readonly recipients: readonly {
    readonly address: string;
    readonly findings: readonly Finding[];
    /** Absent where the whole message would be answered by `reply`. */
    readonly disposition?: Disposition;
  }[];
  readonly reply?: Reply;
}

/**
 * `evidence` as the journal has it. Checks that it does not know were not made then: they say nothing.
 * Nobody waits for a reply here, so a defect of a check is the caller's to show.
 */
export function replay(
  evidence: MessageEvidence,
  settings: SettingsSnapshot,
  checks: readonly Check[] = CHECKS,
): Replayed {
  const checkPlan = plan(checks);
  const policies = createPolicies(checkPlan, settings);
  const entries = Object.values((evidence['recipients'] ?? {}) as Readonly<Record<string, Evidence>>);
  const judged = entries.map((seen) => {
    const context = seen['who'] as unknown as RecipientContext;
    const { checks: byCheck } = policies.of(context.policyDomain);
    const findings: Finding[] = [];
    checks.forEach((check, index) => {
      for (const one of [seen[check.id], evidence[check.id]]) {
        if (!one) continue;
        const prior = priorFindingsOf(checkPlan.suspects, findings);
        findings.push(...judgeOne(check, byCheck[index]!, one as Evidence, context, prior));
      }
    });
    return { context, findings };
  });
  const deciding = judged.map(({ findings }) => strongest(findings));
  const decision = decide(deciding, judged[0]?.context.sender ?? 'stranger', checkPlan.ids);
  const recipients = judged.map(({ context, findings }, index) => ({
    address: context.address,
    findings,
    ...(decision.kind === 'commit' && { disposition: decision.dispositions[index]! }),
  }));
  return decision.kind === 'reply' ? { recipients, reply: decision.reply } : { recipients };
}
