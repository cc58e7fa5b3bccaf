/** The result of a message of the demo: from the replies, and from the node's own log. */
import type { Actor } from '../../operations/roles.ts';
import type { ServedNode } from '../serve.ts';
import type { Sent } from './client.ts';
import type { DemoMessage } from './messages.ts';

export interface OutcomeRow {
  readonly title: string;
  readonly recipient: string;
  readonly disposition: string;
  readonly reason: string;
  /** Of the message in the log; absent if it was refused. */
  readonly id?: string;
}

/** A first attempt takes milliseconds; beyond this the row shows what is known. */
const TRIES = 100;
const TRY_MS = 50;

export async function outcomes(
  node: ServedNode,
  message: DemoMessage,
  sent: Sent,
  actor: Actor,
  sleep: (ms: number) => Promise<void>,
): Promise<readonly OutcomeRow[]> {
  const refusal = (recipient: string, reply: string): OutcomeRow => ({
    title: message.title,
    recipient,
    disposition: 'refused',
    reason: reply,
  });
  const refused = message.to.flatMap((to, i) => {
    const reply = sent.recipients[i];
    return reply && reply.code >= 400 ? [refusal(to, reply.lines.join(' '))] : [];
  });
  const id = /queued as (\S+)/.exec(sent.final.lines.join(' '))?.[1];
  if (!id) return refused.length > 0 ? refused : message.to.map((to) => refusal(to, sent.final.lines.join(' ')));
  return [...refused, ...(await logged(node, message.title, id, actor, sleep))];
}

async function logged(
  node: ServedNode,
  title: string,
  id: string,
  actor: Actor,
  sleep: (ms: number) => Promise<void>,
): Promise<readonly OutcomeRow[]> {
  for (let tries = 1; ; tries++) {
    const shown = await node.operations.execute('log.show', { id }, actor).catch(() => undefined);
    if (shown?.kind === 'message') {
      const rows = shown.recipients.map((recipient) => {
        const { address: to, disposition: decided, reason: why = '' } = recipient;
        const row = { title, recipient: to, id };
        if (decided === 'hold') return { ...row, disposition: 'held', reason: why, settled: true };
        const last = shown.changes.findLast((change) => change.recipient === to);
        const disposition = last?.state === 'queued' ? 'waits' : (last?.state ?? 'accepted');
        return { ...row, disposition, reason: last?.reply ?? '', settled: last !== undefined };
      });
      if (rows.every((row) => row.settled) || tries === TRIES) return rows;
    } else if (tries === TRIES)
      return [{ title, recipient: '', disposition: 'unknown', reason: 'the log does not have it yet', id }];
    await sleep(TRY_MS);
  }
}
