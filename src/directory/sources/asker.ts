/**
 * One source with its limits: so many questions at a time, each within its time, and none while it is down. Waiting
 * questions take turns by the client's site, so that an address harvest costs others one turn. Never rejects. A
 * failing source is reported once, and once more when it answers again.
 */
import type { Address } from '../../model/address.ts';
import { createFairLine } from '../../wire/fair-line.ts';
import type { Clock } from '../../world/clock.ts';
import type { Events } from '../../world/events.ts';
import {
  type Answer,
  type CannotTell,
  cannotTell,
  type PasswordAnswer,
  type Question,
  type VerificationSource,
} from './contract.ts';
import type { SourceKind } from './definition.ts';
import type { Dialogue } from './dialogue.ts';
import { SILENT } from './dialogue.ts';
import { AT_ONCE, FAILURES_UNTIL_PAUSE, PAUSE_MS, QUESTION_MS, WAITING } from './limits.ts';

export interface Asker {
  readonly id: number;
  readonly kind: SourceKind;
  readonly knowsPasswords: boolean;
  /** With a dialogue it is asked even during its pause. `site`: of the client that caused it (network.ts). */
  verify(address: Address, dialogue?: Dialogue, site?: string): Promise<Answer>;
  authenticate(address: Address, password: string, site?: string): Promise<PasswordAnswer>;
  /** Whether the source has the address that asks us; it must not be asked back then. */
  isAt(address: string): Promise<boolean>;
  close(): void;
}

interface AskerServices {
  readonly clock: Clock;
  readonly events: Events;
}

export function createAsker(id: number, kind: SourceKind, source: VerificationSource, services: AskerServices): Asker {
  const { clock, events } = services;
  const gate = createGate(AT_ONCE[kind], WAITING);
  let failures = 0;
  let pausedUntil = 0;

  async function ask<A extends { readonly kind: string }>(
    address: Address,
    dialogue: Dialogue,
    site: string,
    run: (question: Question) => Promise<A>,
  ): Promise<A | CannotTell> {
    if (dialogue === SILENT && clock.monotonic() < pausedUntil) return cannotTell('the source failed a moment ago');
    if (!(await gate.enter(site))) return cannotTell('too many questions wait for the source', 'address');
    try {
      const answer = await withinTime(clock, (signal) => run({ address, dialogue, signal }));
      weigh(answer);
      return answer;
    } finally {
      gate.leave();
    }
  }

  function weigh(answer: { readonly kind: string; readonly blame?: string; readonly reason?: string }): void {
    if (answer.kind === 'cannot-tell' && answer.blame === 'source') {
      if (failures++ === 0) events.emit('verification.source-down', { source: id, kind, reason: answer.reason ?? '' });
      if (failures >= FAILURES_UNTIL_PAUSE) pausedUntil = clock.monotonic() + PAUSE_MS;
      return;
    }
    if (failures > 0 && answer.kind !== 'cannot-tell') {
      failures = 0;
      pausedUntil = 0;
      events.emit('verification.source-recovered', { source: id, kind });
    }
    if (answer.kind === 'yes' || answer.kind === 'no')
      events.emit('verification.answered', { source: id, kind, answer: answer.kind });
  }

  return {
    id,
    kind,
    knowsPasswords: source.authenticate !== undefined,
    verify: (address, dialogue = SILENT, site = '') =>
      ask(address, dialogue, site, (question) => source.verify(question)),
    async authenticate(address, password, site = '') {
      // An empty password is none: LDAP servers would accept it.
      if (password === '' || !source.authenticate) return { kind: 'no' };
      return ask(address, SILENT, site, (question) => source.authenticate!(question, password));
    },
    isAt: async (address) => (await source.isAt?.(address)) ?? false,
    close: () => source.close(),
  };
}

/** Whatever a source does, there is an answer when the time is over. */
async function withinTime<A>(clock: Clock, run: (signal: AbortSignal) => Promise<A>): Promise<A | CannotTell> {
  const stop = new AbortController();
  const late = Promise.withResolvers<CannotTell>();
  const timer = clock.after(QUESTION_MS, () => {
    late.resolve(cannotTell(`the source did not answer within ${QUESTION_MS / 1000} seconds`));
    stop.abort(new Error('the time is over'));
  });
  const answer = run(stop.signal).catch((error: Error) => cannotTell(reasonOf(error)));
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    timer.cancel();
  }
}

/** `fetch failed` explains nothing; its cause does. */
function reasonOf(error: Error): string {
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${error.message}${cause}`.slice(0, 300);
}

interface Gate {
  /** False: too many wait. */
  enter(site: string): Promise<boolean>;
  leave(): void;
}

function createGate(atOnce: number, most: number): Gate {
  const line = createFairLine<(isIn: boolean) => void>();
  let inside = 0;
  return {
    enter(site) {
      if (inside < atOnce) {
        inside++;
        return Promise.resolve(true);
      }
      return new Promise((resolve) => line.add(site, resolve, most)?.(false));
    },
    leave() {
      const next = line.next();
      if (next) next(true);
      else inside--;
    },
  };
}
