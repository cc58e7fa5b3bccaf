/**
 * Authors whose mail is being held just now: what of theirs becomes a claim meanwhile goes to nobody.
 *
 * An author is here while the act runs (admin/author-hold.ts), which also waits for commits of his that
 * had begun before it. Asked for each claim, so it is quick while there is none.
 */
import type { ActiveClaim } from './active-claims.ts';

export type AuthorHold = NonNullable<ActiveClaim['hold']>;

export interface AuthorHolds {
  of(author: string | undefined): AuthorHold | undefined;
  /** Returns what ends it. */
  begin(author: string, hold: AuthorHold): () => void;
  /** Remembers that a commit of this author is under way. */
  commits(author: string, commit: Promise<void>): void;
  /** Resolves when those are over that are under way now, however they end. */
  committed(author: string): Promise<void>;
}

export function createAuthorHolds(): AuthorHolds {
  const holds = new Map<string, AuthorHold>();
  const underWay = new Map<string, Set<Promise<void>>>();
  return {
    of: (author) => (holds.size === 0 || author === undefined ? undefined : holds.get(author)),
    begin(author, hold) {
      holds.set(author, hold);
      return () => {
        if (holds.get(author) === hold) holds.delete(author);
      };
    },
    commits(author, commit) {
      let all = underWay.get(author);
      if (!all) {
        all = new Set();
        underWay.set(author, all);
      }
      all.add(commit);
      const over = (): void => {
        all.delete(commit);
        if (all.size === 0 && underWay.get(author) === all) underWay.delete(author);
      };
      commit.then(over, over);
    },
    async committed(author) {
      await Promise.allSettled(underWay.get(author) ?? []);
    },
  };
}
