/**
 * DKIM keys by the clock, and for new domains at once: creates the first keys of a domain, checks for their DNS
 * records, lets a key sign once its record is found, creates the next in time, and retires the old ones.
 *
 * A domain whose name servers fail is tried again the next time and does not affect others.
 */
import type { DirectoryAdmin } from '../directory/admin.ts';
import { PAGE_ROWS } from '../directory/limits.ts';
import { checkRecord } from '../directory/signing-keys/check.ts';
import type { DkimKeys } from '../directory/signing-keys/dkim-keys.ts';
import { isLookDue, keepSights, type RecordSight, sighted } from '../directory/signing-keys/published.ts';
import { type RotationPolicy, type RotationStep, rotationSteps } from '../directory/signing-keys/rotation.ts';
import type { DkimKeyRow } from '../directory/signing-keys/schema.ts';
import { signingSettings } from '../directory/signing-keys/settings.ts';
import type { SrsKeys } from '../directory/signing-keys/srs-keys.ts';
import { isOvertaken } from '../model/errors.ts';
import { queueSettings } from '../queue/settings.ts';
import type { Settings, SettingsSnapshot } from '../settings/contract.ts';
import type { Database } from '../store/contract.ts';
import type { Clock } from '../world/clock.ts';
import type { Events } from '../world/events.ts';
import type { Resolver } from '../world/resolver.ts';
import { DKIM_FIRST_MS, DKIM_ROTATION_EVERY_MS, KEY_DECISIONS, KEY_MAKING_PAUSE } from './limits.ts';
import type { Job } from './scheduler.ts';

export interface DkimRotationServices {
  readonly database: Database;
  readonly dkim: DkimKeys;
  readonly srs: Pick<SrsKeys, 'rotate'>;
  readonly admin: Pick<DirectoryAdmin, 'listDomains'>;
  readonly settings: Settings;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly events: Events;
}

const DAY_MS = 86_400_000;

export interface DkimRotationJob extends Job {
  /** The domain is new: the next run creates its keys, and handles no other domain. */
  added(domain: string): void;
}

export function dkimRotationJob(services: DkimRotationServices): DkimRotationJob {
  const { admin, clock, srs } = services;
  const added = new Set<string>();
  let dueAt: number | undefined;

  async function tendAdded(stopping: AbortSignal | undefined): Promise<void> {
    for (const domain of added) {
      added.delete(domain);
      if (!stopping?.aborted) await tendDomain(services, domain, stopping);
    }
  }

  async function tendAll(stopping: AbortSignal | undefined): Promise<void> {
    await srs.rotate();
    for (let after = ''; ; ) {
      const domains = await admin.listDomains({ after });
      for (const { name, enabled } of domains) {
        await tendAdded(stopping);
        if (stopping?.aborted) return;
        if (enabled) await tendDomain(services, name, stopping);
      }
      if (domains.length < PAGE_ROWS) return;
      after = domains.at(-1)!.name;
    }
  }

  return {
    name: 'dkim-rotation',
    next(now) {
      dueAt ??= now + DKIM_FIRST_MS;
      return dueAt - now;
    },
    async run(stopping) {
      if (added.size > 0) return tendAdded(stopping);
      await tendAll(stopping).finally(() => {
        dueAt = clock.now() + DKIM_ROTATION_EVERY_MS;
      });
    },
    added: (domain) => void added.add(domain),
  };
}

export function rotationPolicy(snapshot: SettingsSnapshot, domain: string): RotationPolicy {
  const signs = snapshot.get(signingSettings.dkim, { domain });
  const both = snapshot.get(signingSettings.ed25519, { domain });
  const rotates = snapshot.get(signingSettings.rotation, { domain });
  const queueDays = snapshot.get(queueSettings.expiryDays);
  // A message signed on the last day may wait in our queue, and as long again in that of the next hop.
  const retireDays = Math.max(snapshot.get(signingSettings.lifeDays), queueDays + 2);
  return {
    algorithms: signs ? (both ? ['rsa-sha256', 'ed25519-sha256'] : ['rsa-sha256']) : [],
    rotateAfterMs: rotates ? snapshot.get(signingSettings.rotationDays, { domain }) * DAY_MS : undefined,
    retireAfterMs: retireDays * DAY_MS,
    selectors: snapshot.get(signingSettings.selectors, { domain }),
  };
}

/**
 * A failure of one domain does not affect the others; pauses leave most of the processor free, even with ten thousand
 * new domains.
 */
async function tendDomain(services: DkimRotationServices, domain: string, stopping?: AbortSignal): Promise<void> {
  const { database, dkim, events, clock } = services;
  const startedAt = clock.monotonic();
  try {
    const resealed = await dkim.reseal(domain);
    if (resealed.length > 0) await database.write(resealed);
    const steps = await tendKeys(services, domain);
    if (!steps.some(({ kind }) => kind === 'create')) return;
    const pauseMs = (clock.monotonic() - startedAt) * KEY_MAKING_PAUSE;
    if (pauseMs > 0) await clock.sleep(pauseMs, stopping).catch(() => undefined);
  } catch (error) {
    events.emit('jobs.failed', { job: 'dkim-rotation', error: `${domain}: ${(error as Error).message}` });
  }
}

/** Handles one domain, now. */
export async function tendKeys(services: DkimRotationServices, domain: string): Promise<readonly RotationStep[]> {
  const { database, dkim, settings, clock, events } = services;
  for (let tries = 1; ; tries++) {
    const looked = await lookForRecords(services, await dkim.ofDomain(domain));
    const steps = rotationSteps(looked, rotationPolicy(settings.current(), domain), clock.now());
    if (steps.length === 0) return steps;
    const change = await dkim.change(domain, steps);
    try {
      await database.write(change.statements);
    } catch (error) {
      // An operator rotates them now: what he made counts, and is looked at again.
      if (!isOvertaken(error) || tries >= KEY_DECISIONS) throw error;
      continue;
    }
    change.committed();
    for (const step of steps) tellStep(events, domain, step);
    return steps;
  }
}

export function tellStep(events: Events, domain: string, step: RotationStep): void {
  if (step.kind === 'create') {
    const { selector, algorithm } = step;
    events.emit('signing.key-created', { domain, selector, algorithm });
    return;
  }
  const { selector, algorithm } = step.key;
  if (step.kind === 'activate') events.emit('signing.key-activated', { domain, selector, algorithm });
  else if (step.kind === 'retire') events.emit('signing.key-retired', { domain, selector });
}

/** Waiting keys each time, signing ones once a day; returns them with the results. */
async function lookForRecords(
  services: DkimRotationServices,
  keys: readonly DkimKeyRow[],
): Promise<readonly DkimKeyRow[]> {
  const now = services.clock.now();
  const sights: RecordSight[] = [];
  const looked: DkimKeyRow[] = [];
  for (const key of keys) {
    const isDue = key.state === 'pending' || (key.state === 'active' && isLookDue(key, now));
    const check = isDue ? await checkRecord(services.resolver, key) : undefined;
    if (check) sights.push({ key, check });
    looked.push(check ? sighted(key, check, now) : key);
  }
  await keepSights(services, sights);
  return looked;
}
