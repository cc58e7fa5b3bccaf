/** Programs that people send mail with, against a whole node. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { letter } from './support/client.ts';
import { missing } from './support/missing.ts';
import { temporaryFolder } from './support/node.ts';
import { organisation } from './support/organisation.ts';

const run = promisify(execFile);

test('swaks sends by STARTTLS, pipelined', { skip: missing('swaks') }, async (t) => {
  const { node, sink } = await organisation(t);
  const { stdout } = await run('swaks', [
    ...['--server', '127.0.0.1', '--port', `${node.port('mx')}`, '--tls', '--pipeline'],
    ...['--from', 'bob@elsewhere.example', '--to', 'alice@example.com', '--h-Subject', 'by swaks'],
  ]);
  assert.match(stdout, / 250 2\.0\.0 queued as/);
  const { content } = await sink.next((message) => message.content.includes('by swaks'));
  assert.match(content.toString('latin1'), /^Received: .*\bESMTPS\b/ms);
});

test('curl sends a file as it is', { skip: missing('curl') }, async (t) => {
  const { node, sink } = await organisation(t);
  const file = join(temporaryFolder(t), 'letter.eml');
  const content = letter({ subject: 'by curl', body: 'One.\r\n.dotted\r\n..\r\nLast.\r\n' });
  writeFileSync(file, content);
  await run('curl', [
    ...['--silent', '--show-error', '--url', `smtp://127.0.0.1:${node.port('mx')}/client.example`],
    ...['--mail-from', 'bob@elsewhere.example', '--mail-rcpt', 'alice@example.com', '--upload-file', file],
  ]);
  const arrived = await sink.next((message) => message.content.includes('by curl'));
  assert.ok(arrived.content.toString('latin1').endsWith(content));
});

test('mutt sends with an attachment and letters beyond ASCII', { skip: missing('mutt') }, async (t) => {
  const { node, sink } = await organisation(t);
  const home = temporaryFolder(t);
  const settings = join(home, 'muttrc');
  const body = join(home, 'body.txt');
  writeFileSync(body, 'Grüße aus Köln.\n');
  writeFileSync(
    settings,
    [
      `set smtp_url="smtp://127.0.0.1:${node.port('mx')}/"`,
      'set from="bob@elsewhere.example"',
      'set use_envelope_from=yes',
      'set ssl_starttls=no',
      'set ssl_force_tls=no',
      'set copy=no',
      'set charset=utf-8',
    ].join('\n'),
  );
  const child = run('mutt', ['-F', settings, '-s', 'by mutt', '-a', body, '--', 'alice@example.com'], {
    env: { ...process.env, HOME: home, LC_ALL: 'C.UTF-8', TERM: 'dumb' },
  });
  child.child.stdin?.end('Grüße.\n');
  await child;
  const { content } = await sink.next((message) => message.content.includes('by mutt'));
  assert.match(content.toString('latin1'), /multipart\/mixed/);
});
