/** Client certificates of an authority, as OpenSSL makes and verifies them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { startReceiver } from '../support/receive/services.ts';
import { missing } from '../system/support/missing.ts';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** An authority that the node trusts, and certificates by it; `usage`: extendedKeyUsage. */
function authority(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-ca-'));
  const before = getCACertificates('default');
  t.after(() => {
    setDefaultCACertificates(before);
    rmSync(folder, { recursive: true });
  });
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  openssl('req', '-x509', ...KEY, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Authority', '-days', '30');
  setDefaultCACertificates([readFileSync(join(folder, 'ca.pem'), 'utf8')]);
  return (names: string, usage: string) => {
    writeFileSync(join(folder, 'ext'), `extendedKeyUsage=${usage}\nsubjectAltName=${names}\n`);
    openssl('req', ...KEY, '-keyout', 'key.pem', '-out', 'csr', '-subj', '/CN=server');
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '30', '-extfile', 'ext'];
    openssl('x509', '-req', '-in', 'csr', '-out', 'cert.pem', ...signing);
    return { cert: readFileSync(join(folder, 'cert.pem')), key: readFileSync(join(folder, 'key.pem')) };
  };
}

async function shown(t: TestContext, pair: { readonly cert: Buffer; readonly key: Buffer }) {
  const node = await startReceiver(t, { profile: 'submissions', asksCertificates: true });
  const socket = connect({ port: node.port, host: '127.0.0.1', rejectUnauthorized: false, ...pair });
  socket.once('data', () => socket.write('QUIT\r\n'));
  const [{ facts }] = await Promise.all([node.sessionEnded(), once(socket, 'close')]);
  return facts.tls?.certificate;
}

test('a certificate is verified where an authority made it for clients; its names are read as they are', {
  skip: missing('openssl'),
}, async (t) => {
  const make = authority(t);
  const names = 'DNS:Mail.Example.COM,DNS:out.example.com,IP:192.0.2.1,email:a@example.com';
  const good = await shown(t, make(names, 'clientAuth'));
  assert.deepEqual(good?.names, ['mail.example.com', 'out.example.com']);
  assert.equal(good?.verified, true);
});

test('attack: a certificate for servers only, and names that would be several to a careless reader', {
  skip: missing('openssl'),
}, async (t) => {
  const make = authority(t);
  assert.equal((await shown(t, make('DNS:mail.example.com', 'serverAuth')))?.verified, false);
  const odd = await shown(t, make('@one\n[one]\nDNS.1=evil.example, DNS:mail.example.com', 'clientAuth'));
  assert.deepEqual(odd?.names, []);
});
