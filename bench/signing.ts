/**
 * What signing costs a message that goes out: `node bench/signing.ts [messages]`.
 *
 * Processor time of the event loop and of the whole process (the signatures are made in libuv's pool)
 * for making 5 kB and 200 kB messages fit for a peer, without keys and with an RSA and an Ed25519 key;
 * then the same message for a second destination, whose signature was kept.
 */

import { generateKeyPairSync } from 'node:crypto';
import { Readable } from 'node:stream';
import { EVENTS } from '../src/catalogue.ts';
import { fitAndSign } from '../src/deliver/outgoing.ts';
import { createSigning } from '../src/deliver/signing/signing.ts';
import type { Signing } from '../src/deliver/signing/types.ts';
import type { SigningKey } from '../src/directory/signing-keys/dkim-keys.ts';
import { makeAddress } from '../src/protocol/smtp/address.ts';
import type { Claim } from '../src/queue/contract.ts';
import { systemClock } from '../src/world/clock.ts';
import { createEvents } from '../src/world/events.ts';

const MESSAGES = Number(process.argv[2] ?? 2000);
const AT_A_TIME = 20;

const KEYS: readonly SigningKey[] = [
  {
    domain: 'example.com',
    selector: 'r1',
    algorithm: 'rsa-sha256',
    key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  },
  {
    domain: 'example.com',
    selector: 'e1',
    algorithm: 'ed25519-sha256',
    key: generateKeyPairSync('ed25519').privateKey,
  },
];

function signingWith(keys: readonly SigningKey[]): Signing {
  return createSigning({
    clock: systemClock,
    events: createEvents(EVENTS, systemClock.now, () => {}),
    settings: { current: () => ({ version: 1, get: (setting) => setting.default }), onChange: () => () => {} },
    directory: { domain: () => undefined, isMailServerOf: () => 'no' },
    dkim: { active: () => keys },
    srs: { forward: (sender) => sender },
    hostname: 'mx.example.com',
  });
}

function claimOf(n: number, bytes: Buffer): Claim {
  const [from, to] = [makeAddress('alice', 'example.com'), makeAddress('bob', 'x.example')];
  const [author, id] = [from.text, `m${n}`];
  return {
    lease: id,
    message: { id, author, reversePath: from, body: '7BIT', smtputf8: false, receivedAt: 0 },
    content: { bytes, sizeBytes: bytes.length, sha256: '', open: () => Readable.from([bytes]) },
    trace: 'Received: from client.example by mx.example.com\r\n',
    edits: [],
    destination: to.domain,
    recipients: [{ row: 0, address: to, original: to, direction: 'outbound', attempts: 0 }],
  };
}

function message(sizeBytes: number): Buffer {
  const header =
    'From: Alice <alice@example.com>\r\nTo: Bob <bob@x.example>\r\nSubject: What a signature costs\r\nDate: Mon, 5 Jan 2026 12:00:00 +0000\r\nMessage-ID: <1@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n';
  const line = 'A line of a usual letter, with a few words in it and nothing  else.\r\n';
  return Buffer.from(header + line.repeat(Math.ceil((sizeBytes - header.length) / line.length)));
}

/** Microseconds a message, of the loop and of the process. */
async function cost(
  signing: Signing | undefined,
  bytes: Buffer,
  numberOf: (i: number) => number,
): Promise<[number, number]> {
  const extensions = { size: { limitBytes: undefined }, eightBitMime: true, smtputf8: true } as never;
  const [loop, all] = [process.threadCpuUsage(), process.cpuUsage()];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < MESSAGES) await fitAndSign(claimOf(numberOf(next++), bytes), extensions, signing);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  const [loopEnd, allEnd] = [process.threadCpuUsage(loop), process.cpuUsage(all)];
  return [(loopEnd.user + loopEnd.system) / MESSAGES, (allEnd.user + allEnd.system) / MESSAGES];
}

let made = 0;
for (const sizeBytes of [5_000, 200_000]) {
  const bytes = message(sizeBytes);
  const fresh = (): number => made++;
  const signing = signingWith(KEYS);
  const rows: [string, () => Promise<[number, number]>][] = [
    ['no signing', () => cost(undefined, bytes, fresh)],
    ['no keys', () => cost(signingWith([]), bytes, fresh)],
    ['RSA', () => cost(signingWith(KEYS.slice(0, 1)), bytes, fresh)],
    ['RSA and Ed25519', () => cost(signing, bytes, fresh)],
    ['kept signature', () => cost(signing, bytes, () => made - 1)],
  ];
  for (const [name, run] of rows) {
    await run();
    const [loop, all] = await run();
    console.log(
      `${sizeBytes / 1000} kB  ${name.padEnd(16)}  loop ${loop.toFixed(0).padStart(4)} us  process ${all.toFixed(0).padStart(5)} us`,
    );
  }
}
