/**
 * Replay: what other settings would have made of a past message. Judges stored evidence again and
 * decides by the same rules; asks nobody.
 */
import type { Disposition, Evidence, Finding } from '../model/finding.ts';
import type { Reply } from '../model/reply.ts';
import type { SettingsSnapshot } from '../settings/contract.ts';
import type { Check, Who } from './check.ts';
import { decide, strongest } from './decide.ts';
import { hear, judgeOne, type Observed } from './engine.ts';
import { CHECKS } from './index.ts';
import type { MessageEvidence } from './message.ts';
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

/** `evidence` as the journal has it. Checks that it does not know were not made then: they say nothing. */
export function replay(
  evidence: MessageEvidence,
  settings: SettingsSnapshot,
  checks: readonly Check[] = CHECKS,
): Replayed {
  const policies = createPolicies(checks, settings);
  const suspects = new Set(checks.filter((check) => check.suspects).map(({ id }) => id));
  const entries = Object.values((evidence['recipients'] ?? {}) as Readonly<Record<string, Evidence>>);
  const judged = entries.map((seen) => {
    const who = seen['who'] as unknown as Who;
    const byCheck = policies.of(who.policyDomain);
    const findings: Finding[] = [];
    checks.forEach((check, index) => {
      for (const one of [seen[check.id], evidence[check.id]]) {
        if (!one) continue;
        const observed: Observed = { evidence: one as Evidence };
        findings.push(...judgeOne(check, byCheck[index]!, observed, who, hear(suspects, findings), rethrow));
      }
    });
    return { who, findings };
  });
  const deciding = judged.map(({ findings }) => strongest(findings));
  const decision = decide(
    deciding,
    judged[0]?.who.sender ?? 'stranger',
    checks.map(({ id }) => id),
  );
  const recipients = judged.map(({ who, findings }, index) => ({
    address: who.address,
    findings,
    ...(decision.kind === 'commit' && { disposition: decision.dispositions[index]! }),
  }));
  return decision.kind === 'reply' ? { recipients, reply: decision.reply } : { recipients };
}

/** Nobody waits for a reply here: a defect is the caller's to show. */
function rethrow(error: unknown): never {
  throw error;
}
