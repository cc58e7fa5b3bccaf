/**
 * The shared schema of checks, once: the settings it defines, and their values for a domain.
 *
 * Values are resolved once for each snapshot and policy domain, so that judging a message reads
 * plain objects.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Action } from '../../model/finding.ts';
import type { SettingsSnapshot } from '../../settings/contract.ts';
import { choice, count, defineSettings, flag, list, type SettingDefinition } from '../../settings/define.ts';
import { SCREEN_LIMITS } from '../limits.ts';
import type {
  Check,
  CheckPolicyDefaults,
  CheckStage,
  Exemption,
  GrantedExemption,
  PolicyAction,
  SettingDefinitions,
} from './check.ts';
import { type EvidenceForms, evidenceForms } from './evidence.ts';
import { byStage, type Plan } from './plan.ts';

const EXEMPTIONS: readonly Exemption[] = [
  'authenticated',
  'domainMailServer',
  'roleAddress',
  'allowListed',
  'ipShield',
];
const ACTIONS: readonly [PolicyAction, PolicyAction, PolicyAction] = ['refuse', 'quarantine', 'accept'];

/** The policy of one check for one policy domain. */
export interface CheckPolicy {
  readonly enabled: boolean;
  /** The action on a failure if the check does not choose one. */
  readonly action: Action;
  /** Added by a failure; 0 adds nothing. */
  readonly score: number;
  readonly exempt: readonly GrantedExemption[];
  /** The check's own settings. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** A check that is on for a policy domain. */
export interface Active {
  /** In the plan. */
  readonly index: number;
  readonly check: Check;
  readonly policy: CheckPolicy;
}

/** The policies of one policy domain. */
export interface DomainPolicy {
  /** By the check's index. */
  readonly checks: readonly CheckPolicy[];
  /** The checks that are judged at each stage, in declared order. */
  readonly judged: Readonly<Record<CheckStage, readonly Active[]>>;
  /** The checks that edit headers. */
  readonly edits: readonly Active[];
}

export interface Policies {
  /** Global settings. */
  readonly everybody: DomainPolicy;
  /** The checks that observe at each stage: without lazy ones that nobody may need, as they are off everywhere. */
  readonly starts: Plan['starts'];
  readonly uponRecipient: Plan['uponRecipient'];
  /** The forms of their evidence. */
  readonly forms: EvidenceForms;
  /** An empty domain means global settings. */
  of(domain: string): DomainPolicy;
  /** Whether the checks of these indexes have the same policy for both domains. */
  areAlike(one: string, other: string, indexes: readonly number[]): boolean;
}

interface SharedSettings {
  readonly enabled: SettingDefinition<boolean>;
  readonly action: SettingDefinition<PolicyAction>;
  readonly score: SettingDefinition<number>;
  readonly exempt: SettingDefinition<readonly string[]>;
}

const shared = new WeakMap<CheckPolicyDefaults, SharedSettings>();

/** The settings that `policy` gives a check, created once. */
function sharedSettings(check: Check, policy: CheckPolicyDefaults): SharedSettings {
  const known = shared.get(policy);
  if (known) return known;
  const scoped = { scope: policy.serverWide ? 'global' : 'domain' } as const;
  const made = defineSettings(check.settingsGroup ?? check.id, {
    enabled: flag(policy.enabled, `Whether this check is made: ${check.guide}.`, scoped),
    action: choice(
      ACTIONS,
      policy.action,
      'What happens to a message that fails: `refuse` tells the sender, `quarantine` holds it, `accept` only records it and adds the score.',
      scoped,
    ),
    score: count(policy.score, { min: 0, max: 100 }, "What a failure adds to the message's score.", scoped),
    exempt: list(check.exempt, `Whom the check spares: any of ${EXEMPTIONS.join(', ')}.`, {
      ...scoped,
      check: (value) =>
        value.every((name) => (EXEMPTIONS as readonly string[]).includes(name))
          ? undefined
          : `must be any of ${EXEMPTIONS.join(', ')}`,
    }),
  });
  shared.set(policy, made);
  return made;
}

/** Every setting of a check, by key: for the catalogue. */
export function settingsOf(check: Check): SettingDefinitions {
  const own = Object.values(check.settings);
  const all = check.policy ? [...own, ...Object.values(sharedSettings(check, check.policy))] : own;
  return Object.fromEntries(all.map((setting) => [setting.key, setting]));
}

export function createPolicies(plan: Plan, snapshot: SettingsSnapshot): Policies {
  const byDomain = new Map<string, DomainPolicy>();
  const everybody = domainPolicy(plan, snapshot, '');
  const of = (domain: string): DomainPolicy => {
    // Most domains have no settings of their own: one policy serves all of them.
    if (domain === '' || snapshot.hasValues?.(domain) === false) return everybody;
    const known = byDomain.get(domain);
    if (known) return known;
    if (byDomain.size >= SCREEN_LIMITS.policyDomains) byDomain.clear();
    const resolved = domainPolicy(plan, snapshot, domain);
    byDomain.set(domain, resolved);
    return resolved;
  };
  const asked = (indexes: readonly number[]) => indexes.filter((index) => mayBeAsked(plan.checks[index]!, snapshot));
  const starts = byStage((stage) => asked(plan.starts[stage]));
  const uponRecipient = asked(plan.uponRecipient);
  return {
    everybody,
    starts,
    uponRecipient,
    forms: evidenceForms(plan, starts, uponRecipient),
    of,
    areAlike(one, other, indexes) {
      if (one === other) return true;
      const [ofOne, ofOther] = [of(one).checks, of(other).checks];
      return indexes.every((index) => isDeepStrictEqual(ofOne[index], ofOther[index]));
    },
  };
}

function domainPolicy(plan: Plan, snapshot: SettingsSnapshot, domain: string): DomainPolicy {
  const checks = plan.checks.map((check) => resolve(check, snapshot, domain));
  const active = (indexes: readonly number[]): readonly Active[] =>
    indexes.flatMap((index) => {
      const policy = checks[index]!;
      return policy.enabled ? [{ index, check: plan.checks[index]!, policy }] : [];
    });
  return { checks, judged: byStage((stage) => active(plan.answers[stage])), edits: active(plan.edits) };
}

/** Whether any recipient may need it: before the recipients are known, nothing else can decide. */
function mayBeAsked(check: Check, snapshot: SettingsSnapshot): boolean {
  if (!check.lazy || !check.policy) return true;
  const { enabled } = sharedSettings(check, check.policy);
  return snapshot.get(enabled) || (snapshot.isOverridden?.(enabled) ?? true);
}

function resolve(check: Check, snapshot: SettingsSnapshot, domain: string): CheckPolicy {
  const owner = domain === '' ? undefined : { domain };
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(check.settings)) values[name] = snapshot.get(setting, owner);
  // Without the shared schema a check is part of the structure: always on, and it chooses its own actions.
  if (!check.policy) return { enabled: true, action: 'accept', score: 0, exempt: check.exempt, values };
  const { enabled, action, score, exempt } = sharedSettings(check, check.policy);
  return {
    enabled: snapshot.get(enabled, owner),
    action: actionOf(snapshot.get(action, owner), check.policy.quarantine),
    score: snapshot.get(score, owner),
    exempt: withPresets(check, snapshot.get(exempt, owner) as readonly Exemption[]),
    values,
  };
}

function withPresets({ presetsSpare }: Check, exempt: readonly Exemption[]): readonly GrantedExemption[] {
  return presetsSpare && exempt.includes('ipShield') ? [...exempt, 'ipShieldPreset'] : exempt;
}

function actionOf(action: PolicyAction, quarantine: 'user' | 'admin'): Action {
  if (action !== 'quarantine') return action;
  return quarantine === 'user' ? 'quarantine-user' : 'quarantine-admin';
}
