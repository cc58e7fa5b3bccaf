/**
 * Bounds what untrusted clients write into the log without their mail being accepted: rows of refused transactions
 * and of sessions without a message, so much a network and window, then a count.
 *
 * Networks are those that limits count (wire/network.ts); the networks around one, and all networks
 * together, have bounds too, as a botnet or a large IPv6 allocation has many. What is counted becomes a row
 * with how many, from when to when, and the replies they got.
 */
import { networkOf, siteOf } from '../wire/network.ts';
import type { MessageRecord } from './contract.ts';
import {
  COUNTED_REPLIES,
  REFUSED_BYTES,
  REFUSED_BYTES_ALL,
  REFUSED_NETWORKS,
  REFUSED_ROWS,
  REFUSED_SITE_SHARE,
} from './limits.ts';
import type { RefusalCountRow } from './record.ts';

export interface Refusals {
  /** Whether a row of that network has room; it is taken. */
  spend(address: string, characters: number): boolean;
  /** In place of the row. */
  count(record: MessageRecord): void;
  /** What was counted since the last time. */
  counted(): readonly RefusalCountRow[];
  /** New budgets for all. */
  endWindow(): void;
}

interface Spent {
  rows: number;
  characters: number;
}

interface Counted {
  readonly since: number;
  until: number;
  transactions: number;
  recipients: number;
  readonly replies: Map<string, number>;
}

const OTHERS = 'other networks';
const OTHER_REPLIES = 'other';

export function createRefusals(): Refusals {
  const spent = new Map<string, Spent>();
  const counts = new Map<string, Counted>();
  let characters = 0;

  const ofName = (name: string): Spent => {
    const key = spent.has(name) || spent.size < REFUSED_NETWORKS ? name : OTHERS;
    const found = spent.get(key) ?? { rows: 0, characters: 0 };
    spent.set(key, found);
    return found;
  };

  return {
    spend(address, more) {
      const own = ofName(networkOf(address));
      const site = ofName(siteOf(address));
      const fits = (budget: Spent, shares: number): boolean =>
        budget.rows < REFUSED_ROWS * shares && budget.characters + more <= REFUSED_BYTES * shares;
      if (!fits(own, 1) || !fits(site, REFUSED_SITE_SHARE) || characters + more > REFUSED_BYTES_ALL) return false;
      for (const budget of [own, site]) {
        budget.rows++;
        budget.characters += more;
      }
      characters += more;
      return true;
    },
    count({ at, clientAddress = '', recipients, replies = [] }) {
      const network = networkOf(clientAddress);
      const key = counts.has(network) || counts.size < REFUSED_NETWORKS ? network : OTHERS;
      let found = counts.get(key);
      if (!found) {
        found = { since: at, until: at, transactions: 0, recipients: 0, replies: new Map() };
        counts.set(key, found);
      }
      found.until = at;
      found.transactions++;
      found.recipients += recipients.length;
      for (const reply of replies) {
        const name = found.replies.has(reply) || found.replies.size < COUNTED_REPLIES ? reply : OTHER_REPLIES;
        found.replies.set(name, (found.replies.get(name) ?? 0) + 1);
      }
    },
    counted() {
      const rows = [...counts].map(
        ([network, { since, until, transactions, recipients, replies }]): RefusalCountRow => {
          const text = JSON.stringify(Object.fromEntries(replies));
          return ['refusal-count', network, since, until, transactions, recipients, text];
        },
      );
      counts.clear();
      return rows;
    },
    endWindow() {
      spent.clear();
      characters = 0;
    },
  };
}
