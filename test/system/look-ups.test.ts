/**
 * Attacks on the look-ups of a whole node, titled by the attacker's move. Meanwhile forged mail is not
 * accepted, honest mail from elsewhere flows as before, and outbound mail finds its way.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect, isIPv6, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { withSlowNames } from '../support/slow-zone.ts';
import { startZone, type ZoneName } from '../support/zone.ts';
import { letter, send } from './support/client.ts';
import { open, PROXY, submit } from './support/clients.ts';
import { eventually, logged, type RunningNode } from './support/node.ts';
import { organisation } from './support/organisation.ts';

const HONEST = '203.0.113.5';
const FORGER = '192.0.2.66';
/**
 * Messages of a round. Rounds with and without the attack follow each other, since a busy machine is no
 * evidence; one pair of them decides, as an attack that works leaves none.
 */
const MESSAGES = 12;
const PAIRS = 10;
const RATE = 0.9;

/** Names are new with each message, so that nothing is answered from a cache. */
function answerOf(name: string): ZoneName | undefined {
  if (name.startsWith('_dmarc.') && name.endsWith('.bank.test')) return { TXT: ['v=DMARC1; p=reject'] };
  if (name.endsWith('.bank.test')) return { TXT: ['v=spf1 -all'], MX: [[1, 'mx.bank.test']] };
  if (name.endsWith('.honest.test')) return { TXT: [`v=spf1 ip4:${HONEST} -all`], MX: [[1, 'mx.honest.test']] };
  if (name.endsWith('.takes-none.test')) return { MX: [[0, '.']] };
  if (name.endsWith('.evil.test')) return { TXT: ['v=spf1 +all'], MX: [[1, 'mx.evil.test']] };
  return undefined;
}

/** The attacker's name servers hang, those of its addresses too. */
function hangs(name: string): boolean {
  return name.split('.').includes('slow') || name.endsWith('.100.51.198.in-addr.arpa');
}

async function world(t: TestContext) {
  const names: Record<string, ZoneName> = new Proxy({}, { get: (_, name) => answerOf(String(name)) });
  const zone = await startZone(t, withSlowNames(names, hangs));
  const { node, sink } = await organisation(t, {
    env: { POSTERN_TRUSTED_PROXIES: PROXY, POSTERN_DNS_SERVERS: `${zone.server.address}:${zone.server.port}` },
  });
  /** Connects again and again from each address and says what `script` makes; what it returns ends that. */
  const attack = (addresses: readonly string[], script: () => string): (() => void) => {
    const sockets = new Set<Socket>();
    let goesOn = true;
    const begin = (address: string): void => {
      if (!goesOn) return;
      const socket = connect({ port: node.port('mx'), host: '127.0.0.1', localAddress: PROXY });
      sockets.add(socket);
      const [family, local] = isIPv6(address) ? ['TCP6', '2001:db8::25'] : ['TCP4', '192.0.2.25'];
      socket.on('connect', () => socket.write(`PROXY ${family} ${address} ${local} 4711 25\r\n`));
      // The greeting comes first, or it is early talk.
      socket.once('data', () => socket.write(script()));
      socket.on('data', () => {});
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        setImmediate(begin, address);
      });
    };
    for (const address of addresses) begin(address);
    return () => {
      goesOn = false;
      for (const socket of sockets) socket.destroy();
    };
  };
  return { node, sink, attack, asked: () => zone.queries.map(({ name }) => name) };
}

const name = (domain: string): string => `n${randomUUID().slice(0, 13)}.${domain}`;

/** Messages in a second, each of a new domain; all must be accepted. */
async function honestRate(node: RunningNode): Promise<number> {
  const client = await open(node, HONEST);
  await client.say(`EHLO ${name('honest.test')}`);
  const startedAt = performance.now();
  for (let n = 0; n < MESSAGES; n++) {
    const from = `bob@${name('honest.test')}`;
    for (const line of [`MAIL FROM:<${from}>`, 'RCPT TO:<alice@example.com>', 'DATA']) {
      const { code, lines } = await client.say(line);
      assert.ok(code === 250 || code === 354, lines.join());
    }
    const { code, lines } = await client.content(letter({ from }));
    assert.equal(code, 250, lines.join());
  }
  const took = performance.now() - startedAt;
  client.close();
  return (MESSAGES * 1000) / took;
}

async function forgeriesFail(node: RunningNode): Promise<void> {
  const author = `boss@${name('bank.test')}`;
  const byEnvelope = await submit(node, { client: FORGER, from: author });
  assert.match(byEnvelope.recipients[0]!, /^(550|451) /);
  const byAuthor = await submit(node, { client: FORGER, from: `x@${name('evil.test')}`, author });
  assert.match(byAuthor.final ?? byAuthor.recipients[0]!, /^(550|451) /);
}

/** A bounce for a domain that takes no mail: its MX was looked up. */
async function outboundGoes({ node, sink }: Awaited<ReturnType<typeof world>>): Promise<void> {
  const to = `x@${name('takes-none.test')}`;
  const { final } = await send(node.port('mx'), {
    from: 'alice@example.com',
    to: [to],
    content: letter({ from: 'alice@example.com' }),
    localAddress: '127.0.0.2',
  });
  assert.equal(final.code, 250, final.lines.join());
  await sink.next(({ content }) => content.includes(to));
}

const repeated = (count: number, lines: () => string) => (): string =>
  `EHLO ${name('slow.test')}\r\n${Array.from({ length: count }, lines).join('')}`;
const mail = (): string => `MAIL FROM:<x@${name('slow.test')}>\r\n`;
const RCPT = 'RCPT TO:<alice@example.com>\r\n';

function hangingLetter(): string {
  const signatures = Array.from(
    { length: 10 },
    () =>
      `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=${name('slow.test')}; s=k; t=1767484800; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n`,
  );
  return `${signatures.join('')}${letter({ from: `x@${name('slow.test')}` })}\r\n.\r\n`;
}

const four = Array.from({ length: 4 }, () => '198.51.100.7');
const networks = Array.from({ length: 60 }, (_, n) => [`2001:db8:${n + 16}::1`, `2001:db8:1:${n + 16}::1`]).flat();

const MOVES: readonly [move: string, addresses: readonly string[], script: () => string][] = [
  [
    'four connections pipeline 95 times MAIL of a name that hangs, and RSET',
    four,
    repeated(95, () => `${mail()}RSET\r\n`),
  ],
  ['the same with a RCPT that exists', four, repeated(95, () => `${mail()}${RCPT}RSET\r\n`)],
  ['the null reverse-path of HELO names that hang', four, repeated(95, () => `MAIL FROM:<>\r\n${RCPT}RSET\r\n`)],
  [
    'messages whose signatures and author domains hang',
    four,
    repeated(5, () => `MAIL FROM:<x@${name('evil.test')}>\r\n${RCPT}DATA\r\n${hangingLetter()}`),
  ],
  [
    'sixty sites and sixty networks of a site, all at once, that hang at RCPT',
    networks,
    repeated(20, () => `${mail()}${RCPT}RSET\r\n`),
  ],
];

test('an attacker uses up the look-ups', async (t) => {
  const running = await world(t);
  const { node, attack, asked } = running;
  await honestRate(node);
  for (const [move, addresses, script] of MOVES)
    await t.test(move, async (move) => {
      const rates: string[] = [];
      let best = 0;
      for (let pair = 0; pair < PAIRS && best < RATE; pair++) {
        const end = attack(addresses, script);
        move.after(end);
        await forgeriesFail(node);
        const during = await honestRate(node);
        await forgeriesFail(node);
        if (pair === 0) await outboundGoes(running);
        end();
        const without = await honestRate(node);
        best = Math.max(best, during / without);
        rates.push(`${during.toFixed(1)} and ${without.toFixed(1)}`);
      }
      move.diagnostic(`messages a second with and without the attack: ${rates.join(', ')}`);
      assert.ok(best >= RATE, rates.join());
    });

  await logged(node, /short of places/);
  await t.test('without a recipient nobody is asked, and a client that goes takes its questions along', async () => {
    const client = await open(node, '198.51.100.9');
    await client.say(`EHLO ${name('unasked.slow.test')}`);
    const of = (): number => asked().filter((one) => /unasked|^9\.100\.51\.198\./.test(one)).length;
    for (let n = 0; n < 30; n++) {
      assert.equal((await client.say(`MAIL FROM:<x@${name('unasked.slow.test')}>`)).code, 250);
      assert.equal((await client.say('RCPT TO:<nobody@example.com>')).code, 550);
      assert.equal((await client.say('RSET')).code, 250);
    }
    assert.equal(of(), 0);
    client.write(`${mail()}${RCPT}`);
    await eventually(() => Promise.resolve(of() > 0 || undefined), 'a question at RCPT');
    client.close();
    assert.equal((await submit(node, { client: HONEST, from: `bob@${name('honest.test')}` })).final, '250');
  });
});
