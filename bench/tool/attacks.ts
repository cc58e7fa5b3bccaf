/**
 * What an attacker sends who wants a node's processor, look-ups, log or readers: each move as the lines of
 * a session, without end. `attacker.ts` sends them, the scenario `under-attack` names them.
 */
import { gzipSync } from 'node:zlib';

export interface Move {
  readonly what: string;
  readonly connections: number;
  /** A session: each step is written at once, and the next when so many replies have come. */
  readonly session: () => Iterable<Step>;
}

export interface Step {
  readonly text: string;
  readonly replies: number;
}

/** Accounts, addresses for reports and names that the scenario prepares. */
export const VICTIM = 'alice@example.com';
export const REPORTS = 'rua@example.com';
/** Under it the name server does not answer. */
export const HANGING = 'slow.example';

const AUTHOR = 'From: <x@attacker.example>\r\n';
const HEADER_BYTES = 248_000;
const LINE_CHARACTERS = 900;
/** Ends before a count of transactions of one session does. */
const TRANSACTIONS = 20;
const REFUSED = 12;
const ROUTE = Array(70).fill('@a.example').join(',');

let names = 0;
const newName = (domain: string): string => `n${process.pid}-${++names}.${domain}`;

function folded(before: string, unit: string): string {
  const line = unit.repeat(Math.floor(LINE_CHARACTERS / unit.length));
  return `${before}${`${line}\r\n `.repeat(Math.floor(HEADER_BYTES / (line.length + 3)))}\r\n`;
}

/** The same message in each of some transactions; each is answered before the next is sent. */
function messages(content: () => string, to = VICTIM): () => Iterable<Step> {
  return function* () {
    for (let n = 0; n < TRANSACTIONS; n++) {
      yield { text: `MAIL FROM:<x@attacker.example>\r\nRCPT TO:<${to}>\r\nDATA\r\n`, replies: 3 };
      yield { text: `${content()}\r\n.\r\n`, replies: 1 };
    }
  };
}

function* looksUp(): Iterable<Step> {
  const mail = (): string => `MAIL FROM:<x@${newName(HANGING)}>\r\nRCPT TO:<${VICTIM}>\r\nRSET\r\n`;
  yield { text: Array.from({ length: 95 }, mail).join(''), replies: 95 * 3 };
}

function* refused(): Iterable<Step> {
  for (let n = 0; n < TRANSACTIONS; n++) {
    const rcpt = (_: unknown, k: number): string => `RCPT TO:<${ROUTE}:${n}-${k}@example.com>\r\n`;
    const rcpts = Array.from({ length: REFUSED }, rcpt).join('');
    yield { text: `MAIL FROM:<x@attacker.example>\r\n${rcpts}RSET\r\n`, replies: REFUSED + 2 };
  }
}

function signatures(domain: string, selector: string, signatureBytes: number): string {
  const b = Buffer.alloc(signatureBytes, 'a').toString('base64');
  const one = (_: unknown, n: number): string =>
    `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=k${n}.${domain}; s=${selector}; h=from:to;\r\n bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n b=${b}\r\n`;
  return Array.from({ length: 10 }, one).join('');
}

function parts(count: number, depth: number): string {
  let header = `${AUTHOR}MIME-Version: 1.0\r\n`;
  for (let level = 0; level < depth; level++)
    header += `${level === 0 ? '' : `--b${level - 1}e\r\n`}Content-Type: multipart/mixed; boundary=b${level}e\r\n\r\n`;
  return header + `--b${depth - 1}e\r\nContent-Type: text/plain\r\n\r\nx\r\n`.repeat(count);
}

function report(): string {
  const bytes = gzipSync(`<feedback>${' '.repeat(19_000_000)}</feedback>`).toString('base64');
  return `${AUTHOR}Subject: Report domain: a.example\r\nMIME-Version: 1.0\r\nContent-Type: application/gzip; name="r.xml.gz"\r\nContent-Transfer-Encoding: base64\r\n\r\n${bytes.replaceAll(/.{76}/g, '$&\r\n')}`;
}

const EIGHT_MB = `${'x'.repeat(70)} \t \r\n`.repeat(110_000);
const once = (make: () => string): (() => string) => {
  let made: string | undefined;
  return () => (made ??= make());
};

export const MOVES: Readonly<Record<string, Move>> = {
  'header-pump': {
    what: 'a From field of 248 kB of commas',
    connections: 4,
    session: messages(once(() => `From: ${folded('<@', ',')}\r\nx`)),
  },
  'mime-pump': { what: '5,000 parts, 49 deep', connections: 4, session: messages(once(() => parts(5_000, 49))) },
  'look-ups': { what: '95 senders whose name servers hang, and RSET, pipelined', connections: 4, session: looksUp },
  'signatures-8mb': {
    what: 'ten signatures without a key over 8 MB',
    connections: 4,
    session: messages(once(() => `${signatures('attacker.example', 'none', 256)}${AUTHOR}\r\n${EIGHT_MB}`)),
  },
  'heavy-keys': {
    what: 'ten signatures of 3,072-bit keys whose exponent is as long',
    connections: 4,
    session: messages(once(() => `${signatures('attacker.example', 'heavy', 384)}${AUTHOR}\r\n`)),
  },
  refused: { what: 'twelve refused recipients of 900 bytes, and RSET, pipelined', connections: 4, session: refused },
  reports: { what: 'reports of 19 MB of blanks in 26 kB', connections: 4, session: messages(once(report), REPORTS) },
};
