/**
 * A node some of whose modules cannot be loaded, as for a moment in an upgrade: it runs from a copy of
 * the program whose node_modules has links to all packages but one.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'node:test';
import { startSink } from '../../src/cli/demo/sink.ts';
import { rsaKey, sign } from '../screen/checks/origin/keys.ts';
import { startZone } from '../support/zone.ts';
import { send } from './support/client.ts';
import { logged, startNode, temporaryFolder } from './support/node.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const MODULES = join(ROOT, 'node_modules');

/** `restore`: puts the package there. */
function programWithout(missing: string, folder: string): { readonly program: string; restore(): void } {
  for (const part of ['bin', 'src', 'package.json']) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  const link = (name: string): void => symlinkSync(join(MODULES, name), join(modules, name));
  for (const name of readdirSync(MODULES)) if (name !== missing) link(name);
  return { program: join(folder, 'bin/postern'), restore: () => link(missing) };
}

const key = rsaKey('signed.example', 'one');
const letter = (from: string): string =>
  `From: <${from}>\r\nTo: alice@example.com\r\nSubject: hello\r\nDate: Sun, 4 Jan 2026 00:00:00 +0000\r\nMessage-ID: <1@signed.example>\r\n\r\nHello.\r\n`;

test('an attacker forges mail while the modules that verify are missing: it waits, and so does honest mail, until they are there', async (t) => {
  const { program, restore } = programWithout('mailauth', temporaryFolder(t));
  const zone = await startZone(t, {
    'signed.example': { TXT: ['v=spf1 ip4:127.0.0.0/8 -all'] },
    [key.name]: { TXT: [key.record.match(/.{1,200}/g) ?? []] },
    '_dmarc.signed.example': { TXT: ['v=DMARC1; p=reject'] },
    'forbids.example': { TXT: ['v=spf1 -all'] },
    'open.example': { TXT: ['v=spf1 +all'] },
    '_dmarc.forbids.example': { TXT: ['v=DMARC1; p=reject'] },
  });
  const sink = await startSink();
  t.after(() => sink.close());
  const node = await startNode(t, {
    program,
    env: { POSTERN_DNS_SERVERS: `${zone.server.address}:${zone.server.port}` },
    setup: [
      ['domain', 'add', 'example.com', '--server', `${sink.host}:${sink.port}`],
      ['user', 'add', 'alice@example.com'],
      ['settings', 'set', 'spf.action', 'accept'],
    ],
  });
  const answer = async (from: string, content: string): Promise<string> => {
    const { final } = await send(node.port('mx'), { from, to: ['alice@example.com'], content });
    return final.lines[0] ?? '';
  };
  const honest = await sign(letter('bob@signed.example'), key);

  // Whatever the action: it is for what the check finds.
  assert.match(await answer('eve@forbids.example', letter('boss@forbids.example')), /^451 4\.3\.0 /);
  assert.match(await answer('bob@signed.example', honest), /^451 4\.3\.0 /);
  await logged(node, /a check failed by a defect of its own/);
  await node.cli(['settings', 'set', 'spf.enabled', 'false']);
  assert.match(await answer('eve@open.example', letter('boss@forbids.example')), /^451 4\.3\.0 /);
  assert.match(await answer('bob@signed.example', honest), /^451 4\.3\.0 /);

  restore();
  await node.cli(['settings', 'set', 'spf.enabled', 'true']);
  await node.cli(['settings', 'set', 'spf.action', 'refuse']);
  assert.match(await answer('bob@signed.example', honest), /^250 /);
  await sink.next(({ from }) => from === 'bob@signed.example');
  assert.match(await answer('eve@forbids.example', letter('boss@forbids.example')), /^550 5\.7\.23 /);
});
