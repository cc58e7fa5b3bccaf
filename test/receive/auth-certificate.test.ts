import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { systemClock } from '../../src/world/clock.ts';
import { selfSigned } from '../../src/world/self-signed.ts';
import { dialogue, openClient } from '../support/dialogue.ts';
import { NOBODY, startReceiver, type TestReceiverOptions } from '../support/receive/services.ts';

const MINE = await selfSigned('alice.example', systemClock);
const THEIRS = await selfSigned('eve.example', systemClock);

/** Says it all at once, and hears it all. */
async function session(t: TestContext, pair: typeof MINE | undefined, known: string): Promise<string> {
  const node = await startReceiver(t, {
    profile: 'submissions',
    settings: { 'smtp.authFailureFloorMs': 0 },
    credentials: {
      ...NOBODY,
      offers: () => ({ scram: false, bearer: false, cramMd5: false, external: true }),
      certificate: (fingerprint) =>
        fingerprint === known ? { kind: 'yes', account: 'alice@example.com' } : { kind: 'no', reason: 'unknown' },
    },
  });
  const client = { ...(pair && { cert: pair.certificate, key: pair.key }) };
  const socket = connect({ port: node.port, host: '127.0.0.1', rejectUnauthorized: false, ...client });
  let heard = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text;
    if (heard.endsWith('Postern\r\n')) socket.write('EHLO c\r\nAUTH EXTERNAL =\r\nQUIT\r\n');
  });
  await once(socket, 'close');
  return heard;
}

async function fingerprintOf(pair: typeof MINE): Promise<string> {
  const { X509Certificate } = await import('node:crypto');
  return new X509Certificate(pair.certificate).fingerprint256.replaceAll(':', '').toLowerCase();
}

test('a client signs in by the certificate that was entered for its account', async (t) => {
  const heard = await session(t, MINE, await fingerprintOf(MINE));
  assert.match(heard, /AUTH EXTERNAL PLAIN LOGIN/);
  assert.match(heard, /^235 2\.7\.0/m);
});

test("a client with another certificate, or with none, is nobody, whatever the certificate's name", async (t) => {
  const known = await fingerprintOf(MINE);
  assert.match(await session(t, THEIRS, known), /^535 5\.7\.8/m);
  const heard = await session(t, undefined, known);
  assert.doesNotMatch(heard, /EXTERNAL/);
  assert.match(heard, /^504 5\.5\.4/m);
});

test('a server on port 25 is asked for its certificate only where that could say that it is ours', async (t) => {
  const shown = async (asksCertificates: boolean) => {
    const node = await startReceiver(t, { asksCertificates });
    const client = await openClient({ port: node.port, certificate: MINE });
    for (const line of ['', 'EHLO a\r\n', 'STARTTLS\r\n']) {
      if (line) await client.say(line);
      await client.hear();
    }
    await client.startTls();
    await client.say('EHLO a\r\nMAIL FROM:<bob@example.org>\r\n');
    await client.hear();
    await client.hear();
    client.close();
    return node.seen[0]?.tls?.certificate;
  };
  const names = ['alice.example'];
  assert.deepEqual(await shown(true), { fingerprint: await fingerprintOf(MINE), names, verified: false });
  assert.equal(await shown(false), undefined);
});

test('the attacker comes through a proxy that shows a certificate of its own and says XCLIENT, and signs in by that', async (t) => {
  const known = await fingerprintOf(MINE);
  const credentials: TestReceiverOptions['credentials'] = {
    ...NOBODY,
    offers: () => ({ scram: true, bearer: false, cramMd5: false, external: true }),
    certificate: (fingerprint) =>
      fingerprint === known ? { kind: 'yes', account: 'alice@example.com' } : { kind: 'no', reason: 'unknown' },
  };
  const trusting = { credentials, profile: 'submission', trustedProxies: ['127.0.0.1'] } as const;
  const begin = 'S: 220\n C: EHLO c\n S: 250\n C: STARTTLS\n S: 220\n -- TLS\n C: EHLO c';
  const refused = 'C: AUTH EXTERNAL =\n S: 504\n C: AUTH SCRAM-SHA-256-PLUS\n S: 504\n C: QUIT\n S: 221';
  const named = 'C: XCLIENT ADDR=198.51.100.8 PROTO=ESMTP\n S: 220\n C: EHLO client.example\n S: 250';
  const late = 'S: 220\n C: EHLO c\n S: 250';
  const tls = 'C: STARTTLS\n S: 220\n -- TLS\n C: EHLO c';
  for (const said of [
    `${begin}\n S: 250 .. EXTERNAL SCRAM-SHA-256-PLUS\n ${named} .. AUTH SCRAM-SHA-256 PLAIN`,
    `${late}\n ${named}\n ${tls}\n S: 250 .. AUTH SCRAM-SHA-256 PLAIN`,
  ]) {
    const node = await startReceiver(t, trusting);
    await dialogue({ port: node.port, certificate: MINE }, `${said}\n ${refused}`);
    const { facts } = await node.sessionEnded();
    assert.equal(facts.client.address, '198.51.100.8');
    assert.ok(facts.tls && !facts.tls.certificate);
  }
  const node = await startReceiver(t, { ...trusting, proxy: 'required' });
  const first = 'PROXY TCP4 198.51.100.8 192.0.2.1 4711 587\r\n';
  const through = `${begin}\n S: 250 .. EXTERNAL SCRAM-SHA-256-PLUS\n C: AUTH EXTERNAL =\n S: 235\n C: QUIT\n S: 221`;
  await dialogue({ port: node.port, certificate: MINE, first }, through);
  assert.ok((await node.sessionEnded()).facts.tls?.certificate, 'behind a PROXY header TLS passes through');
});

test('a client takes its TLS session up again, and is known by the certificate that it showed at first', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
    for (const pair of [MINE, undefined]) {
      const node = await startReceiver(t, { profile: 'submissions', asksCertificates: true });
      let session: Buffer | undefined;
      const talk = async (): Promise<boolean> => {
        const own = pair && { cert: pair.certificate, key: pair.key };
        const at = { port: node.port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion };
        const socket = connect({ ...at, ...own, ...(session && { session }) });
        let heard = '';
        let reused = false;
        socket.on('secureConnect', () => {
          reused = socket.isSessionReused();
        });
        socket.on('session', (made) => {
          session = made;
        });
        socket.setEncoding('latin1').on('data', (text: string) => {
          heard += text;
          if (heard.endsWith('Postern\r\n')) socket.write('EHLO c\r\nMAIL FROM:<>\r\nQUIT\r\n');
        });
        await once(socket, 'close');
        return reused;
      };
      assert.deepEqual([await talk(), await talk()], [false, true], maxVersion);
      while (node.sessions.length < 2) await new Promise((resolve) => setImmediate(resolve));
      const shown = node.sessions.map(({ facts }) => facts.tls?.certificate?.fingerprint);
      const expected = pair && (await fingerprintOf(pair));
      assert.deepEqual(shown, [expected, expected], maxVersion);
    }
});
