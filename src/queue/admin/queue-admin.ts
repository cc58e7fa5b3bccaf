/**
 * The queue admin: what is queued, and what may be done to it, page by page so that a million
 * rows stop nobody.
 *
 * An operator's word goes before a delivery in flight: the row's lease changes hands, so the
 * delivery's own settlement is void for it. (What the next host has accepted meanwhile stays
 * accepted, and the log says so.)
 */

import type { Address } from '../../model/address.ts';
import type { ContentRef } from '../../model/content.ts';
import type { HoldClass } from '../../model/finding.ts';
import type { AdmissionParts } from '../accept/admission.ts';
import type { HoldEnd } from '../contract.ts';
import type { Hold } from '../dispatch/active-claims.ts';
import { recipientsFor } from '../dsn/bounce.ts';
import { wants } from '../dsn/notices.ts';
import { attemptRecord } from '../journal/records.ts';
import { idOf, keyOf } from '../model/ids.ts';
import { recipients as moves } from '../model/transitions.ts';
import { policyDomain } from '../rows/held.ts';
import { contentOf } from '../rows/leased.ts';
import { rowsOf } from '../rows/statements.ts';
import type { MessageRow, RecipientRow } from '../rows/tables.ts';
import { operatorHold } from '../settle/settlement.ts';
import { eachMessage, eachPage, fresh, nameOf, said, type Watch } from './acts.ts';
import { type AuthorHeld, holdAuthor } from './author-hold.ts';
import { countQueue, type QueueCounts } from './counts.ts';
import { inlineRows, mergedPage } from './inline-rows.ts';
import { pageSize, type QueueFilter, type QueueSelection, type SelectedRow, selectPage } from './selection.ts';
import { type QueuedMessage, type QueuedRow, queuedMessage, queuedRow } from './shown.ts';

/** Who releases what is held for him. */
export interface Releaser {
  /** Goes to the journal. */
  readonly account: string;
  /** All that mail reaches him by. */
  readonly addresses: readonly string[];
}

/** Each act returns how many rows it changed; `by` goes to the journal. */
export interface QueueAdmin {
  list(
    filter: QueueFilter,
    page: { readonly limit?: number; readonly cursor?: string },
  ): Promise<{ readonly rows: readonly QueuedRow[]; readonly cursor?: string }>;
  /** With `domains`: only its recipients of those policy domains. */
  show(messageId: string, domains?: readonly string[]): Promise<QueuedMessage | undefined>;
  /** Its content and how it was sent; it stays where it is. Errors: those of the database. */
  open(messageId: string): Promise<OpenedMessage | undefined>;
  counts(): Promise<QueueCounts>;
  retry(selection: QueueSelection, by: string, watch?: Watch): Promise<number>;
  /** `until`: the clock ends the hold then. */
  hold(selection: QueueSelection, reason: string, by: string, until?: HoldEnd, watch?: Watch): Promise<number>;
  /**
   * All mail that an author has in the queue (`account@domain`, or `@domain` of a domain mail server), on the inline
   * way and being delivered too, unless the next host has all of it. What he commits later is not meant.
   */
  holdAuthor(author: string, hold: Omit<Hold, 'by'>, by: string): Promise<AuthorHeld>;
  release(selection: QueueSelection, by: string, watch?: Watch): Promise<number>;
  /** By the recipient: of the selection, what is held for him to decide (class `user`) and addressed to him. */
  releaseOwn(selection: QueueSelection, recipient: Releaser): Promise<number>;
  /** Held mail: who decides about it now. */
  reclass(selection: QueueSelection, to: HoldClass, by: string): Promise<number>;
  redirect(selection: QueueSelection, to: Address, by: string, watch?: Watch): Promise<number>;
  bounce(selection: QueueSelection, reason: string, by: string, watch?: Watch): Promise<number>;
  delete(selection: QueueSelection, by: string, watch?: Watch): Promise<number>;
}

const DECIDES: Readonly<Record<HoldClass, string>> = {
  user: 'its recipient',
  admin: 'an administrator',
  operator: 'an operator',
};

export interface OpenedMessage {
  /** Null: the null reverse-path. */
  readonly reversePath: string | null;
  readonly body: MessageRow['body'];
  readonly smtputf8: boolean;
  readonly content: ContentRef;
}

export function createQueueAdmin(parts: AdmissionParts): QueueAdmin {
  const { database, sql, dispatch, clock, journaling, lane } = parts;

  const inlineMessage = (key: number) => lane.inMemory().find(({ message }) => message.key === key);

  const seen = () => ({ destinations: dispatch.destinations, now: clock.now() });

  const note = (row: SelectedRow, state: RecipientRow['state'], reply: string, by: string): void => {
    const detail = said(clock.now(), '2.0.0', reply);
    journaling.changed(attemptRecord(idOf(row.message), row.address, state, detail, by));
  };

  return {
    async list(filter, page) {
      const inline = inlineRows(lane, filter, page.cursor);
      const { rows, cursor } = mergedPage(await selectPage(database, filter, page), inline, pageSize(page.limit));
      const shown = rows.map((row) => queuedRow(row, row.reverse_path, seen()));
      return { rows: shown, ...(cursor !== undefined && { cursor }) };
    },
    async show(messageId, domains) {
      const key = keyOf(messageId);
      if (key === undefined) return undefined;
      const inline = inlineMessage(key);
      const [stored] = rowsOf<MessageRow>(await database.read(sql.message({ message: key })));
      const message = stored ?? inline?.message;
      if (!message) return undefined;
      const all = stored
        ? rowsOf<RecipientRow>(await database.read(sql.recipients({ message: key })))
        : inline!.recipients.map((row) => ({ ...row, lease: inline!.lease }));
      const rows = all.filter(({ domain }) => !domains || domains.includes(domain));
      // Of nobody's recipients nothing is told, not even the size.
      return rows.length === 0 && domains ? undefined : queuedMessage(message, rows, seen());
    },
    async open(messageId) {
      const key = keyOf(messageId);
      if (key === undefined) return undefined;
      // Its content is not ours to keep in memory: its delivery may end meanwhile.
      const inline = inlineMessage(key);
      if (inline) await lane.spill([inline.lease]);
      const [message] = rowsOf<MessageRow>(await database.read(sql.message({ message: key })));
      if (!message) return undefined;
      const { content } = await contentOf(parts, sql, message);
      const { reverse_path: reversePath, body, smtputf8 } = message;
      return { reversePath, body, smtputf8: smtputf8 === 1, content };
    },
    counts: () => countQueue(parts),
    async retry(selection, by, watch) {
      return eachPage(parts, selection, { state: 'queued', watch }, async (rows) => {
        const due = clock.now();
        const results = await database.write(rows.map(({ message, n }) => sql.retryNow({ message, n, due })));
        return changed(rows, results, (row) => note(row, moves.retry(row.state, nameOf(row)), 'to be tried now', by));
      });
    },
    async release(selection, by, watch) {
      return eachPage(parts, selection, { state: 'held', watch }, async (rows) => {
        const due = clock.now();
        const results = await database.write(rows.map(({ message, n }) => sql.releaseHeld({ message, n, due })));
        return changed(rows, results, (row) => note(row, moves.release(row.state, nameOf(row)), 'released', by));
      });
    },
    async releaseOwn(selection, { account, addresses }) {
      const own = new Set(addresses.map((address) => address.toLowerCase()));
      const isOwn = ({ hold_class, address, original }: SelectedRow): boolean =>
        hold_class === 'user' && (own.has(address.toLowerCase()) || own.has((original ?? address).toLowerCase()));
      return eachPage(parts, selection, { state: 'held' }, async (rows) => {
        const due = clock.now();
        const owned = rows.filter(isOwn);
        const results = await database.write(owned.map(({ message, n }) => sql.releaseOwn({ message, n, due })));
        return changed(owned, results, (row) =>
          note(row, moves.releaseOwn(row.state, nameOf(row)), 'released by its recipient', account),
        );
      });
    },
    reclass: (selection, to, by) =>
      eachPage(parts, selection, { state: 'held' }, async (rows) => {
        const results = await database.write(rows.map(({ message, n }) => sql.reclass({ message, n, hold_class: to })));
        const done = rows.filter((_, at) => results[at]!.changes === 1);
        for (const row of done)
          note(row, moves.reclass(row.state, nameOf(row)), `held for ${DECIDES[to]} to decide`, by);
        return done.length;
      }),
    hold: (selection, reason, by, until, watch) =>
      eachMessage(parts, selection, { by, name: 'hold', watch }, ({ recipients, message }, _, now) => ({
        changes: recipients.map((recipient) =>
          operatorHold(recipient, { class: 'operator', reason, until }, { message: message.id, now }),
        ),
        notices: [],
      })),
    holdAuthor: (author, hold, by) => holdAuthor(parts, author, { ...hold, by }),
    delete: (selection, by, watch) =>
      eachMessage(parts, selection, { by, name: 'delete', watch }, ({ recipients }, _, now) => ({
        changes: recipients.map((recipient) => ({
          kind: 'end',
          recipient,
          state: 'deleted',
          detail: said(now, '2.0.0', 'deleted'),
        })),
        notices: [],
      })),
    bounce: (selection, reason, by, watch) =>
      eachMessage(parts, selection, { by, name: 'bounce', watch }, ({ recipients, message }, _, now) => {
        const detail = said(now, '5.7.0', reason);
        const told = message.reversePath === null ? [] : recipients.filter(({ notify }) => wants(notify, 'failure'));
        return {
          changes: recipients.map((recipient) => ({ kind: 'end', recipient, state: 'bounced', detail })),
          notices: told.map((recipient) => ({ action: 'failed', recipient, detail })),
        };
      }),
    async redirect(selection, to, by, watch) {
      const targets = await recipientsFor(parts, to);
      return eachMessage(
        parts,
        selection,
        { by, name: 'redirect', watch },
        ({ recipients, message }, rows, now, siblings) => {
          let n = siblings.reduce((highest, sibling) => Math.max(highest, sibling.n), 0);
          return {
            changes: recipients.map((recipient) => ({
              kind: 'end',
              recipient,
              state: 'redirected',
              detail: said(now, '2.0.0', `redirected to ${to.text}`),
            })),
            notices: [],
            rows: rows.flatMap((row) =>
              targets.map(({ address, direction, destination }) => ({
                ...fresh(row, now),
                n: ++n,
                address: address.text,
                original: row.original ?? row.address,
                direction,
                destination,
                domain: policyDomain(direction, address.text, message.reversePath?.text ?? null),
              })),
            ),
          };
        },
      );
    },
  };

  function changed(
    rows: readonly SelectedRow[],
    results: readonly { readonly changes: number }[],
    tell: (row: SelectedRow) => void,
  ): number {
    const done = rows.filter((_, at) => results[at]!.changes === 1);
    for (const row of done) tell(row);
    if (done.length > 0) dispatch.retryNow(new Set(done.map(({ destination }) => destination)));
    return done.length;
  }
}
