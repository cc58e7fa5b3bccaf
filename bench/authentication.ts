/**
 * The cost of verification on the main thread: a signed message of 5 kB, every DNS answer cached, all checks of
 * origin beside mailauth alone on the same message and answers; and the number of DNS questions, cold and warm.
 *
 *     node bench/authentication.ts [messages]
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import type { ContentRef } from '../src/model/content.ts';
import type { SessionFacts } from '../src/model/session.ts';
import { parseAddress } from '../src/protocol/smtp/address.ts';
import { createAsker } from '../src/screen/checks/origin/ask.ts';
import type { Check } from '../src/screen/engine/check.ts';
import { CHECKS } from '../src/screen/index.ts';
import { createScreen, type ScreenServices } from '../src/screen/session/session.ts';
import { systemClock } from '../src/world/clock.ts';
import { systemRandom } from '../src/world/random.ts';
import { createResolver } from '../src/world/resolver/stub.ts';
import { rsaKey, sign } from '../test/screen/checks/origin/keys.ts';
import { correspondentsFrom, directory, grants, senderRules, settings } from '../test/screen/world.ts';
import { recordedEvents } from '../test/support/events.ts';
import { startZone } from '../test/support/zone.ts';

const MESSAGES = Number(process.argv[2] ?? 2000);
const CLIENT = '192.0.2.25';
const BODY = 'A line of a message as people write them, of some seventy characters.\r\n'.repeat(64);
const LETTER = `Received: from a.example.org by mx.example.org; Sun, 4 Jan 2026 00:00:00 +0000\r\nFrom: Bob <bob@example.org>\r\nTo: alice@example.com\r\nSubject: hello\r\nDate: Sun, 4 Jan 2026 00:00:00 +0000\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n${BODY}`;

const ends: (() => void)[] = [];
const key = rsaKey('example.org', 'one');
const zone = await startZone({ after: (end: () => void) => ends.push(end) } as unknown as TestContext, {
  'example.org': { TXT: ['v=spf1 mx -all'], MX: [[10, 'mail.example.org']] },
  'mail.example.org': { A: [CLIENT], TXT: ['v=spf1 a -all'] },
  '25.2.0.192.in-addr.arpa': { PTR: ['mail.example.org'] },
  [key.name]: { TXT: [key.record.match(/.{1,200}/g) ?? []] },
  '_dmarc.example.org': { TXT: ['v=DMARC1; p=reject; rua=mailto:dmarc@example.org'] },
});
const events = recordedEvents();
const resolver = createResolver({ clock: systemClock, random: systemRandom, events }, { servers: [zone.server] });

function contentOf(text: string): ContentRef {
  const bytes = Buffer.from(text, 'latin1');
  return {
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes,
    open: () => Readable.from([bytes]),
  };
}

const OURS = { domains: ['example.com'], people: [] };

function screening(checks: readonly Check[]): (content: ContentRef) => Promise<void> {
  const services: ScreenServices = {
    clock: systemClock,
    events,
    resolver,
    directory: directory(),
    settings: settings(),
    identities: () => OURS,
    correspondents: correspondentsFrom(),
    grants: grants(directory()),
    senderRules: senderRules(),
    hostname: 'mx.postern.example',
  };
  const screen = createScreen(services, checks);
  const facts: SessionFacts = {
    id: 'bench',
    profile: 'mx',
    client: { address: CLIENT, port: 4711 },
    local: { address: '192.0.2.1', port: 25 },
    helo: 'mail.example.org',
    extended: true,
    startedAt: 0,
  };
  const [from, to] = [parseAddress('bob@example.org'), parseAddress('alice@example.com')];
  if (!from.ok || !to.ok) throw new Error('cannot parse the addresses of the bench');
  const parameters = { body: '7BIT', smtputf8: false } as const;
  const recipient = { address: to.value };
  return async (content) => {
    const session = screen.session(facts);
    await session.mail(facts, from.value, parameters);
    await session.recipient(recipient);
    const verdict = await session.message({ reversePath: from.value, ...parameters, recipients: [recipient] }, content);
    if (verdict.kind !== 'commit')
      throw new Error(`cannot measure, as the message was answered: ${verdict.reply.text}`);
  };
}

async function cpuMicroseconds(one: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < Math.min(500, MESSAGES); i++) await one();
  const before = process.cpuUsage();
  for (let i = 0; i < MESSAGES; i++) await one();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / MESSAGES;
}

const signedText = await sign(LETTER, key);
const [signed, unsigned] = [contentOf(signedText), contentOf(LETTER)];
const all = screening(CHECKS);
const others = screening(CHECKS.filter(({ lazy }) => !lazy));

await all(signed);
const cold = zone.queries.length;
await all(signed);
const warm = zone.queries.length - cold;

const { authenticate } = await import('mailauth');
const mailauthAlone = () =>
  authenticate(Buffer.from(signedText, 'latin1'), {
    ip: CLIENT,
    helo: 'mail.example.org',
    sender: 'bob@example.org',
    mta: 'mx.postern.example',
    resolver: createAsker(resolver).ask,
    strict: true,
    disableBimi: true,
  } as unknown as Parameters<typeof authenticate>[1]);

const rows: [string, number][] = [
  ['mailauth alone, signed 5 kB', await cpuMicroseconds(mailauthAlone)],
  ['screening with all checks, signed 5 kB', await cpuMicroseconds(() => all(signed))],
  ['screening with all checks, unsigned 5 kB', await cpuMicroseconds(() => all(unsigned))],
  ['screening without those of origin', await cpuMicroseconds(() => others(signed))],
];
for (const [what, microseconds] of rows) console.log(`${microseconds.toFixed(0).padStart(6)} us CPU  ${what}`);
console.log(`DNS questions of one message: ${cold} cold, ${warm} warm`);
for (const end of ends) end();
