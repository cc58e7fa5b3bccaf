/** Synthetic mail for the log bench: seeded, so that two runs fill the same log; made when asked for, not kept. */
import type { MessageRecord, RecipientRecord, SessionRecord } from '../src/journal/contract.ts';

export interface Mail {
  readonly message: MessageRecord;
  readonly session: SessionRecord;
  readonly attempt: RecipientRecord;
}

export interface Mailbox {
  slice(start: number, end: number): Mail[];
  readonly total: number;
  at(n: number): Mail;
}

const WORDS = 30_000;
const SYLLABLES = ['ba', 'de', 'fi', 'go', 'hu', 'ka', 'le', 'mi', 'no', 'pu', 'ra', 'se', 'ti', 'vo', 'zu', 'lan'];

export function mailbox(total: number, timeOf: (n: number) => number): Mailbox {
  const at = (n: number): Mail => mail(n, timeOf(n));
  return {
    total,
    at,
    slice: (start, end) => Array.from({ length: Math.min(end, total) - start }, (_, i) => at(start + i)),
  };
}

/** Spread over the whole log: the i-th of some dozens of searches. */
export function readableMail(mails: Mailbox, i: number): Mail {
  return mails.at(Math.floor(mails.total * (((i + 1) * 0.618_034) % 1)));
}

function mail(n: number, at: number): Mail {
  const random = seeded(n + 1);
  const word = (): string => wordOf(Math.floor(random() ** 2 * WORDS));
  const address = (domains: number): string =>
    `${word()}.${word()}@${wordOf(Math.floor(random() ** 2 * domains))}.example`;
  const from = address(5_000);
  const to = address(50);
  const id = `${at.toString(36)}${(n % 4096).toString(36).padStart(3, '0')}`.toUpperCase();
  const client = { address: `192.0.${n % 250}.${Math.floor(random() * 250)}`, port: 40_000 };
  const held = random() < 0.001;
  return {
    message: {
      id,
      at,
      session: `S${id}`,
      direction: 'inbound',
      from,
      clientAddress: client.address,
      sizeBytes: 10_000,
      recipients: [
        held ? { address: to, disposition: 'hold', reason: 'size' } : { address: to, disposition: 'accept' },
      ],
      detail: {
        subject: `${word()} ${word()} ${word()} ${word()} ${word()}`,
        headerFrom: from,
        messageIdHeader: `<${random().toString(36).slice(2)}.${n}@${from.split('@')[1]}>`,
        evidence: { size: { bytes: 10_000 }, hops: { received: 3 }, header: { from: 1, lines: 14 } },
        findings: [
          {
            findings: [{ check: 'message-size', outcome: 'pass', code: 'within', text: 'the message is small enough' }],
          },
          {
            recipient: to,
            findings: [{ check: 'relay', outcome: 'pass', code: 'local', text: 'the domain is local' }],
          },
        ],
        dialogue: `C: MAIL FROM:<${from}> SIZE=10000\nS: 250 2.1.0 sender ok\nC: RCPT TO:<${to}>\nS: 250 2.1.5 recipient ok\nC: DATA\nS: 354 go ahead\nS: 250 2.0.0 queued as ${id}`,
      },
    },
    session: {
      facts: {
        id: `S${id}`,
        profile: 'mx',
        client,
        local: { address: '127.0.0.1', port: 25 },
        helo: `mx.${from.split('@')[1]}`,
        extended: true,
        startedAt: at - 20,
      },
      endedAt: at,
      end: 'quit',
      dialogue:
        'S: 220 mx.example ESMTP\nC: EHLO mx\nS: 250-mx.example\nS: 250 SIZE 52428800\nC: QUIT\nS: 221 2.0.0 bye',
      messagesAccepted: 1,
    },
    attempt: {
      message: id,
      recipient: to,
      at: at + 5,
      state: 'relayed',
      host: 'mail.example',
      address: '127.0.0.2',
      status: '2.0.0',
      reply: '250 2.0.0 ok queued as 4711',
    },
  };
}

function wordOf(rank: number): string {
  let word = '';
  for (let left = rank + 17; left > 0; left = Math.floor(left / SYLLABLES.length))
    word += SYLLABLES[left % SYLLABLES.length];
  return word;
}

/** mulberry32: good enough to spread addresses, and the same everywhere. */
function seeded(seed: number): () => number {
  let state = seed * 0x9e3779b1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
