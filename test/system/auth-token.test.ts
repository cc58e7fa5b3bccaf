/** Signing in by tokens as curl does it, against a whole node and an issuer over TLS. Debian's swaks and gsasl know neither mechanism. */
import assert from 'node:assert/strict';
import { type ExecFileException, execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AUDIENCE, ISSUER_CERTIFICATE, startIssuer } from '../support/issuer.ts';
import { missing } from './support/missing.ts';
import { logged, postern, startNode, temporaryFolder } from './support/node.ts';

const ALICE = 'alice@example.com';

function run(command: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 30_000 }, (error: ExecFileException | null, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
    );
  });
}

test('curl signs in by a token of the domain’s issuer, as its owner only, and an outage refuses nobody', {
  skip: missing('curl'),
}, async (t) => {
  const folder = temporaryFolder(t);
  const issuer = await startIssuer(t);
  const node = await startNode(t, {
    env: { POSTERN_LISTEN_SUBMISSION: '127.0.0.1:0' },
    setup: [
      ['settings', 'set', 'smtp.authFailureFloorMs', '0'],
      ['settings', 'set', 'oauth.trust', ISSUER_CERTIFICATE],
      ['domain', 'add', 'example.com', '--server', '127.0.0.2:9'],
      ['user', 'add', ALICE],
      ['user', 'add', 'frank@example.com'],
      ['user', 'set-state', 'frank@example.com', 'frozen'],
    ],
  });
  const submission = `127.0.0.1:${node.port('submission')}`;
  const send = async (token: string, { mechanism = 'OAUTHBEARER', user = ALICE, from = ALICE } = {}) => {
    const letter = join(folder, 'letter');
    writeFileSync(letter, `From: ${from}\r\nTo: bob@example.org\r\nSubject: hello\r\n\r\nHello.\r\n`);
    const args = ['--silent', '--show-error', '--verbose', '--insecure', '--ssl-reqd', `smtp://${submission}`];
    const envelope = ['--mail-from', from, '--mail-rcpt', 'bob@example.org', '--upload-file', letter];
    const login = ['--user', user, '--oauth2-bearer', token, '--login-options', `AUTH=${mechanism}`];
    return (await run('curl', [...args, ...envelope, ...login])).output;
  };
  const good = await issuer.token();
  assert.doesNotMatch(await send(good), /250[ -]AUTH.*OAUTHBEARER/);
  // Said while the node runs: it is offered from now on.
  await node.cli(['settings', 'set', 'oauth.issuers', `${issuer.url} ${AUDIENCE}`, '--domain', 'example.com']);
  for (const mechanism of ['OAUTHBEARER', 'XOAUTH2']) {
    assert.match(await send(good, { mechanism }), /250 2\.0\.0 queued/);
    const expired = await send(await issuer.token({ exp: 1 }), { mechanism });
    assert.match(expired, /535 5\.7\.8/, expired);
  }
  // Its owner's name is not the client's to choose, nor is the sender.
  assert.match(await send(good, { user: 'boss@example.com' }), /535 5\.7\.8/);
  assert.match(await send(good, { from: 'boss@example.com' }), /553 5\.7\.1/);
  const frank = await issuer.token({ email: 'frank@example.com' });
  assert.match(await send(frank, { user: 'frank@example.com' }), /535 5\.7\.8/);

  const explained = await postern(['auth', 'explain-token'], node.env, frank);
  assert.equal(explained.code, 1);
  assert.match(explained.stdout, /signature +ok/);
  assert.match(explained.stdout, /account +FAILS[\s\S]*account: frank@example.com may not sign in now/);
  assert.ok(!explained.stdout.includes(frank.slice(0, 30)));
  assert.equal((await postern(['auth', 'explain-token'], node.env, `${good}\n`)).code, 0);

  const down = await startIssuer(t);
  down.answer = () => ({ status: 503, body: '' });
  await node.cli(['settings', 'set', 'oauth.issuers', `${down.url} ${AUDIENCE}`, '--domain', 'example.com']);
  for (let i = 0; i < 3; i++) assert.match(await send(await down.token()), /454 4\.7\.0/);
  await logged(node, /token\.issuer-down/);
  assert.equal(node.log().split('token.issuer-down').length - 1, 1);
  assert.ok(!node.log().includes(good.slice(0, 30)));
});
