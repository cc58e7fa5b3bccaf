/**
 * A node killed with SIGKILL again and again while mail pours in, and the account of it afterwards:
 * clients write down every 250 that they saw, the domain's mail server every message that came.
 *
 * The moments are random but repeat with the seed: so many acknowledgements after the start, and then
 * so many milliseconds, which fall anywhere between two group commits. Killing stops a process, not
 * the disk: this is about the order of what the node does; durable.test.ts is about fsync.
 */
import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import { type Sink, type SunkMessage, startSink } from '../../../src/cli/demo/sink.ts';
import { seededRandom } from '../../support/random.ts';
import { SmtpConversation } from './client.ts';
import { eventually, type RunningNode, startNode, temporaryFolder } from './node.ts';

export interface KillRunOptions {
  readonly kills: number;
  readonly seed: number;
  readonly clients?: number;
  readonly tell?: (line: string) => void;
}

export interface KillAccount {
  readonly acknowledged: number;
  readonly arrived: number;
  /** Answered 250, and never came. */
  readonly lost: readonly string[];
  /** Came with other bytes than were sent. */
  readonly altered: readonly string[];
  /** Came more than once: each was on its way to the mail server at a kill. */
  readonly repeated: number;
  /** Rows still active after all was delivered. */
  readonly leftInQueue: number;
}

const CLIENTS = 10;
const SMALL_BYTES = 2_000;
/** Above what lives in a row, with and without staying in memory, so that every home of content is tried. */
const LARGE_BYTES = [100_000, 300_000];
const LARGE_EVERY = 20;
const MOST_ACKNOWLEDGEMENTS_BETWEEN_KILLS = 60;
const MOST_MS_AFTER_THE_LAST = 10;
const LOST_GUARD_MS = 120_000;

export async function killUnderLoad(t: Pick<TestContext, 'after'>, options: KillRunOptions): Promise<KillAccount> {
  const random = seededRandom(options.seed);
  const witness = new Witness();
  const sink = await startSink({ onMessage: (message) => witness.came(message) });
  t.after(() => sink.close());
  const data = temporaryFolder(t);
  let setup = organisation(sink);
  for (let kill = 1; kill <= options.kills; kill++) {
    const node = await startNode(t, { data, setup });
    setup = [];
    const acknowledged = witness.acknowledgements() + 1 + random.below(MOST_ACKNOWLEDGEMENTS_BETWEEN_KILLS);
    const clients = pourIn(node, witness, options.clients ?? CLIENTS);
    await witness.acknowledges(acknowledged);
    await new Promise((resolve) => setTimeout(resolve, random.below(MOST_MS_AFTER_THE_LAST)));
    await node.kill();
    await clients;
    options.tell?.(`kill ${kill}: ${witness.acknowledgements()} acknowledged, ${witness.arrivals()} arrived`);
  }
  const last = await startNode(t, { data });
  return witness.account(last);
}

function organisation(sink: Sink): string[][] {
  return [
    ['domain', 'add', 'example.com', '--server', `${sink.host}:${sink.port}`],
    ['user', 'add', 'alice@example.com'],
  ];
}

/** Sends message after message over each connection until the node is gone. */
async function pourIn(node: RunningNode, witness: Witness, clients: number): Promise<void> {
  await Promise.all(Array.from({ length: clients }, () => oneClient(node.port('mx'), witness)));
}

async function oneClient(port: number, witness: Witness): Promise<void> {
  const client = await SmtpConversation.open(port).catch(() => undefined);
  if (!client || (await client.reply())?.code !== 220) return;
  try {
    if ((await client.say('EHLO client.elsewhere.example')).code !== 250) return;
    for (;;) {
      const { id, content } = witness.nextMessage();
      if ((await client.say('MAIL FROM:<bob@elsewhere.example>')).code !== 250) return;
      if ((await client.say('RCPT TO:<alice@example.com>')).code !== 250) return;
      if ((await client.say('DATA')).code !== 354) return;
      if ((await client.content(content)).code !== 250) return;
      witness.acknowledged(id);
    }
  } finally {
    client.close();
  }
}

class Witness {
  #made = 0;
  readonly #digests = new Map<string, string>();
  readonly #acknowledged = new Set<string>();
  readonly #arrivals = new Map<string, number>();
  readonly #altered: string[] = [];
  #waiting: { readonly target: number; readonly resolve: () => void } | undefined;

  nextMessage(): { readonly id: string; readonly content: string } {
    const id = `kill-${++this.#made}`;
    const turn = this.#made / LARGE_EVERY;
    const sizeBytes = Number.isInteger(turn) ? LARGE_BYTES[turn % LARGE_BYTES.length]! : SMALL_BYTES;
    const body = `${id.padEnd(70, '.')}\r\n`.repeat(Math.ceil(sizeBytes / 72));
    const content = `From: <bob@elsewhere.example>\r\nTo: <alice@example.com>\r\nSubject: ${id}\r\nMessage-ID: <${id}@elsewhere.example>\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n\r\n${body}`;
    this.#digests.set(id, digest(body));
    return { id, content };
  }

  acknowledged(id: string): void {
    this.#acknowledged.add(id);
    if (this.#waiting && this.#acknowledged.size >= this.#waiting.target) this.#waiting.resolve();
  }

  acknowledgements(): number {
    return this.#acknowledged.size;
  }

  acknowledges(target: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { target, resolve };
    });
  }

  /** Always undefined: the sink takes everything. */
  came(message: SunkMessage): undefined {
    const text = message.content.toString('latin1');
    const id = /^Subject: (\S+)\r$/m.exec(text)?.[1] ?? 'without a subject';
    this.#arrivals.set(id, (this.#arrivals.get(id) ?? 0) + 1);
    if (digest(text.slice(text.indexOf('\r\n\r\n') + 4)) !== this.#digests.get(id)) this.#altered.push(id);
  }

  arrivals(): number {
    return this.#arrivals.size;
  }

  #missing(): string[] {
    return [...this.#acknowledged].filter((id) => !this.#arrivals.has(id));
  }

  /** Waits until all that was acknowledged came; what did not come in time is lost. */
  async account(node: RunningNode): Promise<KillAccount> {
    const settled = async (): Promise<true | undefined> =>
      this.#missing().length === 0 && (await activeRows(node)) === 0 ? true : undefined;
    await eventually(settled, 'every acknowledged message', LOST_GUARD_MS).catch(() => {});
    return {
      acknowledged: this.#acknowledged.size,
      arrived: this.#arrivals.size,
      lost: this.#missing(),
      altered: this.#altered,
      repeated: [...this.#arrivals.values()].reduce((sum, times) => sum + times - 1, 0),
      leftInQueue: await activeRows(node),
    };
  }
}

async function activeRows(node: RunningNode): Promise<number> {
  return (JSON.parse(await node.cli(['queue', 'list', '--json'])) as unknown[]).length;
}

function digest(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex');
}
