import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeCertificate } from '../../src/world/certificate.ts';
import { systemClock } from '../../src/world/clock.ts';
import { systemRandom } from '../../src/world/random.ts';

test('a self-signed certificate is made once, kept readable by its owner alone, and found again', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'postern-tls-'));
  t.after(() => rmSync(data, { recursive: true }));
  const source = { data, hostname: 'mx.example.com' };
  const first = await nodeCertificate(source, systemClock, systemRandom);
  assert.equal(new X509Certificate(first.certificate).checkHost('mx.example.com'), 'mx.example.com');
  assert.equal(statSync(join(data, 'tls/self-signed.key')).mode & 0o777, 0o600);
  assert.deepEqual(await nodeCertificate(source, systemClock, systemRandom), first);
});

test('files that the operator named and that cannot be read are an error that names them, never a silent self-signed one', async () => {
  const files = { certificate: '/nowhere/cert.pem', key: '/nowhere/key.pem' };
  await assert.rejects(
    nodeCertificate({ data: '/nowhere', hostname: 'mx.example.com', files }, systemClock, systemRandom),
    {
      code: 'tls.unreadable',
      message: /\/nowhere\/cert\.pem/,
    },
  );
});
