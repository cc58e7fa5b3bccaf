/**
 * The domains that our users write to: counted as outgoing mail is accepted, kept over restarts.
 *
 * Answers come from memory, which includes the counts of other nodes in the table. Counts are written in groups; a
 * kill loses those since the last write, which does not matter. Bounded: beyond the bound, the domains with the
 * fewest and oldest messages are dropped.
 */
import { readAgain } from '../../store/changes.ts';
import type { Database, Row } from '../../store/contract.ts';
import { prepare } from '../../store/statement.ts';
import type { Clock } from '../../world/clock.ts';
import { CORRESPONDENT_DOMAINS, CORRESPONDENT_WRITE_MS } from '../limits.ts';
import type { IdentityTables } from './identity-schema.ts';

export interface Correspondents {
  /** Our users have sent at least `messages` messages to this domain. */
  knows(domain: string, messages: number): boolean;
  /** The domains with at least `messages` messages; the same list until it changes. */
  frequent(messages: number): readonly string[];
  /** A message goes out to this domain. */
  count(domain: string): void;
}

export interface OpenCorrespondents extends Correspondents {
  /** Writes the counts. Errors: those of `Database.write`; the counts are kept then. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface Known {
  messages: number;
  lastAt: number;
}

/** Errors: those of the database. */
export async function openCorrespondents(db: Database, clock: Clock): Promise<OpenCorrespondents> {
  const all = prepare<{ limit: number }, IdentityTables>(db.dialect, (query, p) =>
    query
      .selectFrom('correspondent')
      .selectAll()
      .orderBy('messages', 'desc')
      .orderBy('last_at', 'desc')
      .limit(p('limit')),
  );
  const add = prepare<{ domain: string; messages: number; at: number }, IdentityTables>(db.dialect, (query, p) =>
    query
      .insertInto('correspondent')
      .values({ domain: p('domain'), messages: p('messages'), last_at: p('at') })
      .onConflict((conflict) =>
        conflict.column('domain').doUpdateSet((row) => ({
          messages: row('correspondent.messages', '+', row.ref('excluded.messages')),
          last_at: row.ref('excluded.last_at'),
        })),
      ),
  );
  const remove = prepare<{ domain: string }, IdentityTables>(db.dialect, (query, p) =>
    query.deleteFrom('correspondent').where('domain', '=', p('domain')),
  );

  const known = new Map<string, Known>();
  let unwritten = new Map<string, number>();
  let forgotten: string[] = [];
  let timer: ReturnType<Clock['after']> | undefined;
  let list: { readonly least: number; readonly domains: readonly string[] } | undefined;

  /** What was counted here and is being written is in memory already: the larger count has both. */
  function follow(rows: readonly Row[]): void {
    for (const row of rows) {
      const domain = row['domain'] as string;
      const entry = known.get(domain);
      if (!entry && known.size >= CORRESPONDENT_DOMAINS) continue;
      const messages = Number(row['messages']) + (unwritten.get(domain) ?? 0);
      if (entry && entry.messages >= messages) continue;
      known.set(domain, { messages, lastAt: Math.max(Number(row['last_at']), entry?.lastAt ?? 0) });
      list = undefined;
    }
  }
  const inUse = all({ limit: CORRESPONDENT_DOMAINS });
  follow(await db.scan(inUse));
  const detach = readAgain(db, ['correspondent'], { statement: inUse, take: follow });

  function write(): void {
    timer = undefined;
    // Counts that cannot be written now are written with the next ones.
    flush().catch(() => {});
  }

  async function flush(): Promise<void> {
    if (unwritten.size === 0 && forgotten.length === 0) return;
    const [counts, gone] = [unwritten, forgotten];
    unwritten = new Map();
    forgotten = [];
    const at = clock.now();
    try {
      await db.write([
        ...gone.map((domain) => remove({ domain })),
        ...[...counts].map(([domain, messages]) => add({ domain, messages, at })),
      ]);
    } catch (error) {
      for (const [domain, messages] of counts) unwritten.set(domain, (unwritten.get(domain) ?? 0) + messages);
      forgotten.push(...gone);
      throw error;
    }
  }

  /** Drops a tenth at once, so that sorting is rare. */
  function makeRoom(): void {
    const byUse = [...known].sort(([, a], [, b]) => a.messages - b.messages || a.lastAt - b.lastAt);
    for (const [domain] of byUse.slice(0, Math.ceil(CORRESPONDENT_DOMAINS / 10))) {
      known.delete(domain);
      unwritten.delete(domain);
      forgotten.push(domain);
    }
    list = undefined;
  }

  return {
    knows: (domain, messages) => (known.get(domain)?.messages ?? 0) >= messages,
    frequent(least) {
      if (list?.least !== least) {
        const domains = [...known].filter(([, { messages }]) => messages >= least).map(([domain]) => domain);
        list = { least, domains };
      }
      return list.domains;
    },
    count(domain) {
      const entry = known.get(domain);
      if (entry) {
        entry.messages++;
        entry.lastAt = clock.now();
        if (list && entry.messages === list.least) list = undefined;
      } else {
        if (known.size >= CORRESPONDENT_DOMAINS) makeRoom();
        known.set(domain, { messages: 1, lastAt: clock.now() });
        if (list?.least === 1) list = undefined;
      }
      unwritten.set(domain, (unwritten.get(domain) ?? 0) + 1);
      timer ??= clock.after(CORRESPONDENT_WRITE_MS, write);
    },
    flush,
    async close() {
      detach();
      timer?.cancel();
      await flush();
    },
  };
}
