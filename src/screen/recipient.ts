/**
 * The first recipient of a transaction decides whether anybody is asked: name servers of the sender's
 * choice hear of it only if the checks that ask nobody accept a recipient. Most attacks name none, or
 * one who does not exist, and cost no look-up then.
 *
 * Never refuses what lists, pairs or SPF could still allow.
 */
import type { Finding } from '../model/finding.ts';
import { andThen, type MaybePromise } from '../model/maybe-promise.ts';
import type { Standing, Who } from './check.ts';
import { judge, type Observations, startUponRecipient } from './engine.ts';
import { type Present, refusal, type Screening, type Transaction } from './session.ts';
import { standingUnasked } from './standing.ts';
import type { Sender } from './who.ts';

const EVERYTHING: readonly Standing[] = ['allowListed', 'ipShield', 'ipShieldPreset'];

/** What refuses the recipient whatever the DNS says; undefined: it has to be asked, or was. */
export function refusedUnasked(
  { plan, services }: Screening,
  transaction: Transaction,
  { who, account, observations }: Present,
  sender: Sender,
): MaybePromise<readonly Finding[] | undefined> {
  if (transaction.asks) return undefined;
  const { policies } = transaction;
  const say = (as: Who): readonly Finding[] =>
    judge(plan, 'rcpt', observations, policies.of(who.policyDomain), as, services);
  return andThen(standingUnasked(services, transaction, sender, who, account), (known) => {
    const findings = say(known ?? who);
    if (findings.length === 0 || !refusal(findings)) return undefined;
    return known || refusal(say(favoured(who))) ? findings : undefined;
  });
}

/** As if every list and pair spoke for the sender. */
function favoured(who: Who): Who {
  return {
    ...who,
    listed: EVERYTHING,
    listing: { list: 'allow', kind: 'host', owner: '', value: '', met: 'envelope' },
  };
}

/** Begins what waited for a recipient, once a transaction; this recipient sees it too. */
export function askForRecipient(
  { plan, services }: Screening,
  transaction: Transaction,
  observations: Observations,
  sender: Sender,
): void {
  if (transaction.asks) return;
  transaction.asks = true;
  const { facts, reversePath, parameters, policies, sources } = transaction;
  const isHidden = sources.hidden !== undefined;
  const view = { stage: 'mail', facts, reversePath, parameters, sender, isHidden } as const;
  startUponRecipient(plan, view, services, transaction.observations, policies);
  for (const index of policies.uponRecipient) observations.seen[index] = transaction.observations.seen[index];
  observations.waits ||= transaction.observations.waits;
}
