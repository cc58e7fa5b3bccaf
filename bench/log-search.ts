/**
 * Fills a log with synthetic messages and measures: what taking in a message costs the thread, how
 * large it becomes, and how long each kind of search takes. `node bench/log-search.ts [messages] [folder]`;
 * a million by default, a folder of its own under the system's temporary one, removed at the end.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Batch, createBatchWriter } from '../src/journal/batch.ts';
import type { LogFilter } from '../src/journal/filter.ts';
import { answer } from '../src/journal/question.ts';
import { messageRow, recipientRow, sessionRow } from '../src/journal/record.ts';
import type { FoundMessages } from '../src/journal/search.ts';
import { openLogWriter } from '../src/journal/writer.ts';
import { type Mail, mailbox, readableMail } from './log-mail.ts';

/** Four messages a millisecond, committed every 400 ms as the thread does. */
const MESSAGES_PER_MS = 4;
const COMMIT_EVERY = 1_600;
const SEARCHES = 60;

const total = Number(process.argv[2] ?? 1_000_000);
const folder = process.argv[3] ?? mkdtempSync(join(tmpdir(), 'postern-log-bench-'));
const path = join(folder, 'log.db');
const from = Date.now() - total / MESSAGES_PER_MS;
const mails = mailbox(total, (n) => Math.floor(from + n / MESSAGES_PER_MS));

fill();
for (const [kind, filterFor] of Object.entries(kinds())) time(kind, filterFor);
if (process.argv[3] === undefined) rmSync(folder, { recursive: true });

function fill(): void {
  const writer = openLogWriter(path, Date.now);
  let cpuUs = 0;
  let flattenUs = 0;
  for (let start = 0; start < total; start += COMMIT_EVERY) {
    const batch = mails.slice(start, start + COMMIT_EVERY);
    const before = performance.now();
    const batches = batchesOf(batch);
    flattenUs += (performance.now() - before) * 1000;
    const used = process.threadCpuUsage();
    for (const one of batches) writer.write(one);
    writer.commit();
    const spent = process.threadCpuUsage(used);
    cpuUs += spent.user + spent.system;
  }
  writer.close();
  const bytes = statSync(path).size;
  console.log(`${total} messages, each with its session and one delivery attempt`);
  console.log(`flattening on the event loop   ${(flattenUs / total).toFixed(1)} us a message (three records)`);
  console.log(`writing and indexing, CPU      ${(cpuUs / total).toFixed(1)} us a message`);
  console.log(`log.db                         ${(bytes / total).toFixed(0)} bytes a message`);
}

function batchesOf(mails: readonly Mail[]): Batch[] {
  const batches: Batch[] = [];
  const current = createBatchWriter();
  for (const mail of mails) {
    for (const row of [messageRow(mail.message), sessionRow(mail.session), recipientRow(mail.attempt)]) {
      if (current.put(row)) continue;
      batches.push(current.take());
      current.put(row);
    }
  }
  return [...batches, current.take()];
}

function kinds(): Readonly<Record<string, (mail: Mail) => LogFilter>> {
  return {
    newest: () => ({}),
    id: ({ message }) => ({ id: message.id }),
    'Message-ID': ({ message }) => ({ messageId: message.detail.messageIdHeader }),
    sender: ({ message }) => ({ sender: message.from }),
    'sender domain': ({ message }) => ({ sender: message.from.split('@')[1] }),
    'beginning of sender': ({ message }) => ({ sender: `${message.from.slice(0, 6)}*` }),
    recipient: ({ message }) => ({ recipient: message.recipients[0]!.address }),
    'recipient, one day': ({ message }) => ({
      recipient: message.recipients[0]!.address,
      since: message.at - 43_200_000,
      until: message.at + 43_200_000,
    }),
    'two subject words': ({ message }) => ({ subject: message.detail.subject!.split(' ').slice(0, 2).join(' ') }),
    client: ({ message }) => ({ client: message.clientAddress }),
    'disposition (rare)': () => ({ disposition: 'hold' }),
    'disposition and domain': ({ message }) => ({
      disposition: 'hold',
      recipient: message.recipients[0]!.address.split('@')[1],
    }),
    'direction (all)': () => ({ direction: 'inbound' }),
    nothing: () => ({ sender: 'nobody@nowhere.invalid' }),
  };
}

function time(kind: string, filterFor: (mail: Mail) => LogFilter): void {
  const took: number[] = [];
  let found = 0;
  for (let i = 0; i < SEARCHES; i++) {
    const filter = filterFor(readableMail(mails, i));
    const before = performance.now();
    found += (answer(path, { kind: 'search', filter, page: {} }) as FoundMessages).messages.length;
    took.push(performance.now() - before);
  }
  took.sort((a, b) => a - b);
  const at = (share: number): string => `${took[Math.floor(share * (took.length - 1))]!.toFixed(1)} ms`.padStart(10);
  console.log(`${kind.padEnd(24)} p50 ${at(0.5)}  p99 ${at(0.99)}  ${(found / SEARCHES).toFixed(0)} rows`);
}
