/** Asks sources in order. The first yes or no ends the search; after a cannot-tell the next is asked. */
import type { Address } from '../../model/address.ts';
import type { Clock } from '../../world/clock.ts';
import type { Answer, PasswordAnswer } from './contract.ts';
import { type Dialogue, SILENT } from './dialogue.ts';
import { SEARCH_MS } from './limits.ts';
import type { KnownSource } from './table.ts';

export type SearchOutcome<A> =
  | {
      readonly kind: 'answered';
      readonly answer: Exclude<A, { readonly kind: 'cannot-tell' }>;
      readonly source: KnownSource;
    }
  | { readonly kind: 'cannot-tell'; readonly reason: string };

export function searchUser(
  sources: readonly KnownSource[],
  address: Address,
  clock: Clock,
  site?: string,
  dialogueOf: (source: KnownSource) => Dialogue = () => SILENT,
): Promise<SearchOutcome<Answer>> {
  return search(sources, clock, (source) => source.asker.verify(address, dialogueOf(source), site));
}

export function searchPassword(
  sources: readonly KnownSource[],
  address: Address,
  password: string,
  clock: Clock,
  site?: string,
): Promise<SearchOutcome<PasswordAnswer>> {
  return search(sources, clock, (source) => source.asker.authenticate(address, password, site));
}

async function search<A extends Answer | PasswordAnswer>(
  sources: readonly KnownSource[],
  clock: Clock,
  ask: (source: KnownSource) => Promise<A>,
): Promise<SearchOutcome<A>> {
  const until = clock.monotonic() + SEARCH_MS;
  let reason = 'no source can be asked';
  for (const source of sources) {
    if (clock.monotonic() > until) break;
    const answer = await ask(source);
    if (answer.kind !== 'cannot-tell')
      return { kind: 'answered', answer: answer as Exclude<A, { kind: 'cannot-tell' }>, source };
    reason = `source ${source.id}: ${answer.reason}`;
  }
  return { kind: 'cannot-tell', reason };
}
