import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import test, { before, type TestContext } from 'node:test';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { isOperational } from '../../src/model/errors.ts';
import { systemClock } from '../../src/world/clock.ts';
import { selfSigned } from '../../src/world/self-signed.ts';
import {
  type CertificateAndKey,
  createTlsContexts,
  type TlsContexts,
  tlsFacts,
  tlsVerification,
} from '../../src/world/tls.ts';
import { manualClock } from '../support/clock.ts';
import { seededRandom } from '../support/random.ts';

let mx: CertificateAndKey;
let other: CertificateAndKey;
before(async () => {
  [mx, other] = await Promise.all([
    selfSigned('mx.example.com', systemClock),
    selfSigned('mail.example.net', systemClock),
  ]);
});

test('a self-signed certificate names its host, verifies with its own key and lasts ten years', async () => {
  const clock = manualClock();
  const made = await selfSigned('mx.example.com', clock, seededRandom(7));
  const certificate = new X509Certificate(made.certificate);
  assert.equal(certificate.checkHost('mx.example.com', { subject: 'never' }), 'mx.example.com');
  assert.equal(certificate.verify(certificate.publicKey), true);
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  assert.equal(certificate.ca, false);
  const years = (certificate.validToDate.getTime() - clock.now()) / (365 * 86_400_000);
  assert.equal(Math.round(years), 10);
});

test('a host that is an address, or has a name of 200 characters, gets a certificate too', async () => {
  const address = new X509Certificate((await selfSigned('192.0.2.1', systemClock)).certificate);
  assert.equal(address.checkIP('192.0.2.1'), '192.0.2.1');
  const label = 'a'.repeat(60);
  const long = `${label}.${label}.${label}.example.com`;
  const certificate = new X509Certificate((await selfSigned(long, systemClock)).certificate);
  assert.equal(certificate.checkHost(long, { subject: 'never' }), long);
});

test('a client sees the certificate of the server it names, and the first one for a name nobody has', async (t) => {
  const contexts = createTlsContexts(mx, other);
  const port = await serve(t, contexts);
  assert.equal(await shownTo(contexts, port, 'mail.example.net'), 'DNS:mail.example.net');
  assert.equal(await shownTo(contexts, port, 'stranger.example'), 'DNS:mx.example.com');
  assert.equal(await shownTo(contexts, port, '127.0.0.1'), 'DNS:mx.example.com');
});

test('a new certificate is shown by the next handshake, without restart', async (t) => {
  const contexts = createTlsContexts(mx);
  const port = await serve(t, contexts);
  contexts.use([other]);
  assert.equal(await shownTo(contexts, port, 'mx.example.com'), 'DNS:mail.example.net');
});

test('delivery encrypts to a certificate it cannot verify, and says so', async (t) => {
  const contexts = createTlsContexts(mx);
  const socket = await handshake(contexts, await serve(t, contexts), 'mx.example.com');
  assert.equal(tlsFacts(socket)?.protocol, 'TLSv1.3');
  assert.equal(tlsVerification(socket), 'DEPTH_ZERO_SELF_SIGNED_CERT');
  socket.destroy();
});

test('a server speaks TLS 1.2 and nothing older', async (t) => {
  const contexts = createTlsContexts(mx);
  const port = await serve(t, contexts);
  const modern = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
  await once(modern, 'secureConnect');
  assert.equal(tlsFacts(modern)?.protocol, 'TLSv1.2');
  modern.destroy();
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
  const ancient = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...old });
  const [error] = await once(ancient, 'error');
  assert.match((error as Error).message, /alert protocol version/);
});

test('a key of another certificate is an explained error, and the certificate in force stays', async (t) => {
  const contexts = createTlsContexts(mx);
  assert.throws(
    () => contexts.use([{ certificate: other.certificate, key: mx.key }]),
    (error) => isOperational(error, 'tls.certificate'),
  );
  assert.equal(await shownTo(contexts, await serve(t, contexts), 'mx.example.com'), 'DNS:mx.example.com');
});

async function serve(t: TestContext, contexts: TlsContexts): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    new TLSSocket(socket, contexts.server()).on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function handshake(contexts: TlsContexts, port: number, host: string): Promise<TLSSocket> {
  const socket = connectTls({ socket: connect(port, '127.0.0.1'), ...contexts.opportunistic(host) });
  await once(socket, 'secureConnect');
  return socket;
}

async function shownTo(contexts: TlsContexts, port: number, host: string): Promise<string | undefined> {
  const socket = await handshake(contexts, port, host);
  const name = socket.getPeerX509Certificate()?.subjectAltName;
  socket.destroy();
  return name;
}
