/**
 * Recheck: judges a stored message anew under today's settings without its session, with fresh evidence for the
 * checks of its content and the stored evidence for those of the session.
 *
 * Changes nothing: neither the message nor the counts of correspondents. It does ask name servers, as its content may
 * have signatures. Errors: OperationalError `screen.recheck` if the evidence cannot be used, and those of
 * `ContentRef.open`.
 */
import type { Correspondents } from '../../directory/addresses/correspondents.ts';
import type { ReversePath } from '../../model/address.ts';
import type { ContentRef } from '../../model/content.ts';
import type { MailParameters } from '../../model/envelope.ts';
import { OperationalError } from '../../model/errors.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import type { Reply } from '../../model/reply.ts';
import { UNKNOWN_ADDRESS } from '../../model/session.ts';
import { makeAddress } from '../../protocol/smtp/address.ts';
import type { Check, RecipientContext } from '../engine/check.ts';
import { judgeOne, noObservations, type Observations, priorFindingsOf } from '../engine/engine.ts';
import { type About, EVIDENCE_VERSION, type MessageEvidence } from '../engine/evidence.ts';
import { type Plan, plan } from '../engine/plan.ts';
import { createRuns, endRuns } from '../engine/runs.ts';
import { CHECKS } from '../index.ts';
import { NOTHING_GRANTED, withGrants } from '../sender/grants.ts';
import { ownerOf, resolveRecipient, type Sender } from '../sender/recipient-context.ts';
import { NOT_SHIELDED } from '../sender/shielding.ts';
import { readHeader } from '../session/header.ts';
import { screenMessage } from '../session/message.ts';
import {
  type AcceptedRecipient,
  currentOf,
  type ScreenedTransaction,
  type Screening,
  type ScreenServices,
} from '../session/session.ts';

/** A message of the queue. */
export interface StoredMail {
  readonly id: string;
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  readonly content: ContentRef;
  /** From the journal. */
  readonly evidence: MessageEvidence;
  /** The log had no room for all of it. */
  readonly isCut?: boolean;
}

export interface Rechecked {
  /** The reply to the message as a whole, if it were sent now. */
  readonly reply?: Reply;
  readonly recipients: readonly {
    readonly recipient: string;
    readonly findings: readonly Finding[];
    /** Absent if there is a reply to the message as a whole. */
    readonly disposition?: string;
  }[];
}

export async function recheck(
  services: ScreenServices,
  mail: StoredMail,
  checks: readonly Check[] = CHECKS,
): Promise<Rechecked> {
  const { id, evidence, content } = mail;
  const about = evidence['about'] as unknown as About | undefined;
  if (about?.version !== EVIDENCE_VERSION)
    throw new OperationalError(
      'screen.recheck',
      `cannot check ${id} again, as the log must have what was seen of its session: it is of another version, or was written by Postern itself`,
    );
  if (mail.isCut)
    throw new OperationalError(
      'screen.recheck',
      `cannot check ${id} again, as the log must have all that was seen of its session: some was too long and was cut`,
    );
  const checkPlan = plan(checks);
  const resolver = services.resolver.for([`recheck ${id}`]);
  const runs = createRuns();
  const current = currentOf(checkPlan, services.settings.current());
  const screening: Screening = {
    plan: checkPlan,
    services: { ...services, resolver, runs, correspondents: unchanged(services.correspondents) },
    // There is no connection to count.
    nat: { count() {}, greeted() {}, hides: () => about.hidden, found: () => [] },
    current: () => current,
  };
  try {
    const transaction = transactionOf(screening, mail, about);
    transaction.recipients.push(...(await recipientsOf(screening, transaction, evidence)));
    const { reversePath, parameters } = mail;
    const envelope = {
      ...parameters,
      reversePath,
      recipients: transaction.recipients.map(({ recipient }) => recipient),
    };
    const screened = await screenMessage(screening, transaction, envelope, content, await readHeader(content, id));
    return {
      ...(screened.kind === 'reply' && { reply: screened.reply }),
      recipients: transaction.recipients.map(({ context }, index) => ({
        recipient: context.address,
        findings: screened.findings.find(({ recipient }) => recipient === context.address)?.findings ?? [],
        ...(screened.kind === 'commit' && { disposition: screened.dispositions[index]!.kind }),
      })),
    };
  } finally {
    endRuns({ resolver, runs });
  }
}

/** Correspondents were counted when the message was sent. */
function unchanged(correspondents: Correspondents): Correspondents {
  return { knows: correspondents.knows, frequent: correspondents.frequent, count() {} };
}

/** The transaction in its state after MAIL and RCPT. */
function transactionOf(
  { plan, services, current }: Screening,
  { id, reversePath, parameters, evidence }: StoredMail,
  about: About,
): ScreenedTransaction {
  const { account, client, sender: kind, hidden, isRelay = false } = about;
  const { policies, boundMs, rules, serversRelay, looked } = current();
  const { directory, senderRules, clock } = services;
  const nowhere = { address: UNKNOWN_ADDRESS, port: 0 };
  const sender: Sender = { kind, domain: '', isLocal: about.isLocal === true, shield: NOT_SHIELDED };
  return {
    facts: {
      id,
      profile: account === undefined ? 'mx' : 'submission',
      client: { address: client, port: 0 },
      local: nowhere,
      extended: true,
      startedAt: clock.now(),
      ...(account !== undefined && { account }),
    },
    reversePath,
    parameters,
    policies,
    rules,
    boundMs,
    sender,
    sources: { directory, senderRules, hidden, serversRelay },
    looked,
    isRelay,
    known: sender,
    pending: undefined,
    asks: true,
    names: undefined,
    observations: storedObservations(plan, evidence, (index) => !plan.starts.message.includes(index)),
    recipients: [],
    asked: [],
    refused: 0,
    findings: [],
  };
}

function storedObservations(
  plan: Plan,
  evidence: Readonly<Record<string, Evidence>>,
  isStored: (index: number) => boolean,
): Observations {
  const observations = noObservations(plan);
  plan.ids.forEach((id, index) => {
    if (isStored(index)) observations.byCheck[index] = evidence[id];
  });
  return observations;
}

/** The recipients that were accepted, with today's findings of the checks of RCPT. */
async function recipientsOf(
  { plan, services }: Screening,
  { policies, rules, facts, observations }: ScreenedTransaction,
  evidence: MessageEvidence,
): Promise<readonly AcceptedRecipient[]> {
  const stored = Object.values((evidence['recipients'] ?? {}) as Readonly<Record<string, Evidence>>);
  const accepted = stored.filter((seen) => seen['refused'] === undefined);
  return Promise.all(
    accepted.map(async (seen): Promise<AcceptedRecipient> => {
      const who = (seen['whoAtRcpt'] ?? seen['who']) as unknown as RecipientContext;
      const context = withGrants(who, who.granted ?? NOTHING_GRANTED, facts.client.address, rules);
      const at = who.address.lastIndexOf('@');
      const address = makeAddress(
        at < 0 ? who.address : who.address.slice(0, at),
        at < 0 ? '' : who.address.slice(at + 1),
      );
      const resolution = await resolveRecipient(services.directory, address, facts.client.address);
      const own = storedObservations(plan, seen as Readonly<Record<string, Evidence>>, (index) =>
        plan.starts.rcpt.includes(index),
      );
      const findings: Finding[] = [];
      const { checks } = policies.of(context.policyDomain);
      for (const index of plan.answers.rcpt) {
        const observed = (own.byCheck[index] ?? observations.byCheck[index]) as Evidence | undefined;
        const prior = priorFindingsOf(plan.suspects, findings);
        if (observed) findings.push(...judgeOne(plan.checks[index]!, checks[index]!, observed, context, prior));
      }
      const account = await ownerOf(services.directory, resolution);
      return { recipient: { address }, context, account, observations: own, atRcpt: own, findings };
    }),
  );
}
