/**
 * What a node's number is part of, if several nodes share a database (store/nodes.ts gives the numbers).
 *
 * Numbers are below 64, and no two nodes have the same at once. A node that has a database to itself
 * is the first, 0: its rows, and those from before nodes had numbers, look the same.
 */

export const FIRST_NODE = 0;
/** Rows that one node may ever settle: 100,000 a second for 22 years. All nodes' fit below 2^53. */
const SEQ_PER_NODE = 2 ** 46;

/** The name in `queue_mark` of the key up to which keys are from before nodes had numbers. */
export const UNNUMBERED_MARK = 'unnumbered';

/** Numbers of the table `settled` that are the node's: from above `from` up to `to`. */
export function seqsOf(node: number): { readonly from: number; readonly to: number } {
  return { from: node * SEQ_PER_NODE, to: (node + 1) * SEQ_PER_NODE - 1 };
}

/** The name in `queue_mark` of how far the node's log has its messages. */
export function markOf(node: number): string {
  return node === FIRST_NODE ? 'journaled' : `journaled:${node}`;
}

/** What leases of one start of a node begin with. */
export function leaseStart(node: number, start: string): string {
  return `${node}:${start}`;
}

/** Matches leases of every start of the node, as LIKE has it. */
export function leasesOf(node: number): string {
  return `${node}:%`;
}

/** Matches every lease, those from before nodes had numbers too. */
export const ALL_LEASES = '%';
