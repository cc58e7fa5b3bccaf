/** The client's conversation by itself: what ends a session, what does not, and what is left behind. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { parseAddress } from '../../../src/protocol/smtp/address.ts';
import { connectSmtp, type SmtpConnection } from '../../../src/wire/client/connection.ts';
import { createDeadlines } from '../../../src/wire/client/deadlines.ts';
import type { OpeningFailure, OutgoingContent, TransactionEnd } from '../../../src/wire/client/types.ts';
import { manualClock } from '../../support/clock.ts';
import { type PeerOptions, SILENCE, startPeer } from '../../support/peer.ts';

const TIMEOUTS = {
  connectMs: 30_000,
  greetingMs: 300_000,
  commandMs: 300_000,
  dataMs: 120_000,
  blockMs: 180_000,
  finalMs: 600_000,
};
const LETTER = Buffer.from('Subject: x\r\n\r\nbody\r\n');
const WHOLE: OutgoingContent = { kind: 'whole', sizeBytes: LETTER.length, pieces: [LETTER] };

async function open(
  t: TestContext,
  peerOptions: PeerOptions,
  tls: 'opportunistic' | 'clear' | 'required' = 'opportunistic',
) {
  const peer = await startPeer(t, peerOptions);
  const clock = manualClock();
  const opened = await new Promise<SmtpConnection | OpeningFailure>((resolve) => {
    connectSmtp(
      {
        address: peer.host,
        port: peer.port,
        host: 'peer.example',
        heloName: 'mx.postern.example',
        tls,
        tlsOptions: () => ({ rejectUnauthorized: false }),
        timeouts: TIMEOUTS,
        without: [],
      },
      createDeadlines(clock),
      { ready: resolve, failed: resolve },
    );
  });
  return { peer, clock, opened };
}

async function openReady(t: TestContext, peerOptions: PeerOptions) {
  const { opened, ...rest } = await open(t, peerOptions);
  assert.ok('send' in opened);
  t.after(() => opened.destroy());
  const send = (content: OutgoingContent = WHOLE) =>
    new Promise<TransactionEnd>((resolve) => {
      const address = parseAddress('alice@example.com');
      assert.ok(address.ok);
      opened.send(
        { reversePath: null, recipients: [{ address: address.value }], body: '7BIT', smtputf8: false, content },
        resolve,
      );
    });
  return { ...rest, connection: opened, send };
}

const turn = () => new Promise((next) => setImmediate(next));

test('a peer that does not know EHLO is greeted with HELO and offers nothing', async (t) => {
  const { connection, peer } = await openReady(t, {
    answer: ({ verb }) => (verb === 'EHLO' ? '500 what?' : undefined),
  });
  assert.deepEqual(peer.lines, ['EHLO mx.postern.example', 'HELO mx.postern.example']);
  assert.equal(connection.extensions.keywords.size, 0);
});

test('a host that accepts no mail (521, RFC 7504) is not asked again with HELO', async (t) => {
  const { opened, peer } = await open(t, { answer: ({ verb }) => (verb === 'EHLO' ? '521 no mail here' : undefined) });
  assert.ok('kind' in opened);
  assert.deepEqual([opened.kind, opened.reply?.code], ['refused', 521]);
  assert.ok(!peer.lines.some((line) => line.startsWith('HELO')));
});

test('where TLS is required a peer without STARTTLS gets no mail', async (t) => {
  const { opened, peer } = await open(t, {}, 'required');
  assert.ok('kind' in opened);
  assert.equal(opened.kind, 'tls');
  assert.ok(!peer.lines.some((line) => line.startsWith('MAIL')));
});

test('a STARTTLS that is refused ends the connection, and mail does not go on in clear over it', async (t) => {
  const { opened, peer } = await open(t, {
    extensions: ['STARTTLS'],
    answer: ({ verb }) => (verb === 'STARTTLS' ? '454 not now' : undefined),
  });
  assert.ok('kind' in opened);
  assert.equal(opened.kind, 'tls');
  while (peer.open() > 0) await turn();
  assert.equal(peer.lines.at(-1), 'STARTTLS');
});

test('whatever a peer says unasked ends a session that waits for its next message', async (t) => {
  const { connection, peer, send } = await openReady(t, {});
  assert.equal((await send()).verdicts[0]!.outcome, 'accepted');
  peer.shout('421 4.4.2 idle too long\r\n');
  while (connection.isOpen()) await turn();
});

test('a peer that hangs up on a waiting session is noticed', async (t) => {
  const { connection, peer } = await openReady(t, {});
  peer.cut();
  while (connection.isOpen()) await turn();
});

test('a refusal in the middle of the content stands, and an acceptance there means nothing', async (t) => {
  for (const [said, outcome] of [
    ['552 5.3.4 too big', 'failed'],
    ['250 2.0.0 thanks', 'deferred'],
  ] as const) {
    const { peer, send } = await openReady(t, { extensions: ['CHUNKING'] });
    async function* slowly() {
      yield LETTER;
      peer.shout(`${said}\r\n`);
      for (let i = 0; i < 100; i++) {
        await turn();
        yield LETTER;
      }
    }
    const end = await send({ kind: 'stream', exact: true, sizeBytes: LETTER.length * 101, open: slowly });
    assert.equal(end.verdicts[0]!.outcome, outcome);
    assert.equal(end.reusable, false);
    assert.equal(peer.messages.length, 0);
  }
});

test('a peer that answers a message before it took all of it is not believed, and never used again', async (t) => {
  const large = Buffer.alloc(16_000_000, `${'x'.repeat(70)}\r\n`);
  for (const [said, outcome] of [
    ['552 5.3.4 too big', 'failed'],
    ['250 2.0.0 thanks', 'deferred'],
  ] as const) {
    const { send } = await openReady(t, {
      extensions: ['PIPELINING'],
      // The answer to the content comes with the leave to send it.
      answer: ({ verb }) => (verb === 'DATA' ? `354 go on\r\n${said}` : undefined),
    });
    const end = await send({ kind: 'whole', sizeBytes: large.length, pieces: [large] });
    assert.equal(end.verdicts[0]!.outcome, outcome);
    assert.equal(end.reusable, false);
  }
});

test('a peer that falls silent is left when its time is up, and no timer stays behind', async (t) => {
  const { clock, connection, send } = await openReady(t, {
    answer: ({ verb }) => (verb === 'MAIL' ? SILENCE : undefined),
  });
  const sent = send();
  await clock.advance(301_000);
  const end = await sent;
  assert.equal(end.verdicts[0]!.reply.enhanced, '4.4.2');
  assert.equal(connection.isOpen(), false);
  assert.equal(clock.pending(), 0);
});

test('QUIT is said, and a peer that does not answer it is left after a moment', async (t) => {
  const { clock, connection, peer } = await openReady(t, {
    answer: ({ verb }) => (verb === 'QUIT' ? SILENCE : undefined),
  });
  connection.quit();
  while (peer.lines.at(-1) !== 'QUIT') await turn();
  await clock.advance(6_000);
  assert.equal(connection.isOpen(), false);
  assert.equal(clock.pending(), 0);
});
