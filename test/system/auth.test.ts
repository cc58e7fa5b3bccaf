/** Signing in as real programs do it: swaks, curl and gsasl against a whole node. */
import assert from 'node:assert/strict';
import { type ExecFileException, execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { missing } from './support/missing.ts';
import { startNode, temporaryFolder } from './support/node.ts';

const PASSWORD = 'correct horse battery';
const ALICE = 'alice@example.com';

function run(command: string, args: readonly string[], input = ''): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { timeout: 30_000 }, (error: ExecFileException | null, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
    );
    child.stdin?.end(input);
  });
}

test('swaks, curl and gsasl sign in and send by every mechanism they know', {
  skip: missing('swaks') || missing('curl') || missing('gsasl'),
}, async (t) => {
  const folder = temporaryFolder(t);
  const node = await startNode(t, {
    env: { POSTERN_LISTEN_SUBMISSION: '127.0.0.1:0', POSTERN_LISTEN_SUBMISSIONS: '127.0.0.1:0' },
    setup: [
      ['settings', 'set', 'smtp.authFailureFloorMs', '0'],
      ['domain', 'add', 'example.com', '--server', '127.0.0.2:9'],
      ['settings', 'set', 'passwords.scram', 'true', '--domain', 'example.com'],
    ],
  });
  await node.cli(['user', 'add', ALICE, '--password-stdin'], `${PASSWORD}\n`);
  const port = String(node.port('submission'));

  for (const mechanism of ['PLAIN', 'LOGIN']) {
    const args = [
      '--server',
      '127.0.0.1',
      '--port',
      port,
      '--tls',
      '--from',
      ALICE,
      '--to',
      'bob@example.org',
      '--header',
      `From: ${ALICE}`,
    ];
    const sent = await run('swaks', [...args, '--auth', mechanism, '--auth-user', ALICE, '--auth-password', PASSWORD]);
    assert.equal(sent.code, 0, sent.output);
    const wrong = await run('swaks', [...args, '--auth', mechanism, '--auth-user', ALICE, '--auth-password', 'wrong']);
    assert.match(wrong.output, /535 5\.7\.8/);
  }

  const letter = join(folder, 'letter');
  writeFileSync(letter, `From: ${ALICE}\r\nTo: bob@example.org\r\nSubject: hello\r\n\r\nHello.\r\n`);
  const curled = await run('curl', [
    '--silent',
    '--show-error',
    '--insecure',
    `smtps://127.0.0.1:${node.port('submissions')}`,
    '--mail-from',
    ALICE,
    '--mail-rcpt',
    'bob@example.org',
    '--upload-file',
    letter,
    '--user',
    `${ALICE}:${PASSWORD}`,
  ]);
  assert.equal(curled.code, 0, curled.output);

  for (const mechanism of ['PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']) {
    const args = [
      '--smtp',
      '--connect',
      `127.0.0.1:${port}`,
      '--starttls',
      '--x509-ca-file=',
      ...(mechanism === 'SCRAM-SHA-256' ? ['--no-cb'] : []),
      '--mechanism',
      mechanism,
      '--authentication-id',
      ALICE,
    ];
    const signedIn = await run('gsasl', [...args, '--password', PASSWORD]);
    assert.match(signedIn.output, /235 2\.7\.0/, signedIn.output);
    const wrong = await run('gsasl', [...args, '--password', 'wrong']);
    assert.match(wrong.output, /535 5\.7\.8/, wrong.output);
  }
});
