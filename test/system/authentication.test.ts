import assert from 'node:assert/strict';
import test from 'node:test';
import { startSink } from '../../src/cli/demo/sink.ts';
import { rsaKey, sign } from '../screen/checks/origin/keys.ts';
import { startZone } from '../support/zone.ts';
import { send } from './support/client.ts';
import { startNode } from './support/node.ts';

const key = rsaKey('signed.example', 'one');
const letter = (from: string): string =>
  `From: <${from}>\r\nTo: alice@example.com\r\nSubject: hello\r\nDate: Sun, 4 Jan 2026 00:00:00 +0000\r\nMessage-ID: <1@signed.example>\r\n\r\nHello.\r\n`;

test('a whole node verifies what comes in, refuses by SPF and DMARC, and never for silent name servers', async (t) => {
  const zone = await startZone(t, {
    'signed.example': { TXT: ['v=spf1 ip4:127.0.0.0/8 -all'] },
    [key.name]: { TXT: [key.record.match(/.{1,200}/g) ?? []] },
    '_dmarc.signed.example': { TXT: ['v=DMARC1; p=reject'] },
    'forbids.example': { TXT: ['v=spf1 -all'] },
    '_dmarc.forbids.example': { TXT: ['v=DMARC1; p=reject'] },
    'open.example': { TXT: ['v=spf1 +all'] },
    'broken.example': { fault: 'SERVFAIL' },
  });
  const sink = await startSink();
  t.after(() => sink.close());
  const node = await startNode(t, {
    env: { POSTERN_DNS_SERVERS: `${zone.server.address}:${zone.server.port}` },
    setup: [
      ['domain', 'add', 'example.com', '--server', `${sink.host}:${sink.port}`],
      ['user', 'add', 'alice@example.com'],
    ],
  });
  const answer = async (from: string, content: string): Promise<string> => {
    const { final } = await send(node.port('mx'), { from, to: ['alice@example.com'], content });
    return final.lines[0] ?? '';
  };

  assert.match(await answer('bob@signed.example', await sign(letter('bob@signed.example'), key)), /^250 /);
  const arrived = await sink.next(({ from }) => from === 'bob@signed.example');
  const results = arrived.content.toString('latin1').replaceAll('\r\n\t', ' ').split('\r\n')[0]!;
  for (const word of ['spf=pass smtp.mailfrom=signed.example', 'dkim=pass header.d=signed.example', 'dmarc=pass'])
    assert.ok(results.includes(word), `${word} in ${results}`);

  assert.match(await answer('bob@forbids.example', letter('bob@forbids.example')), /^550 5\.7\.23 /);
  assert.match(await answer('eve@open.example', letter('boss@forbids.example')), /^550 5\.7\.1 /);
  for (const disguise of ['boss@for\u200bbids.example', 'boss@\uff46orbids.example', 'boss @ forbids (no) . example'])
    assert.match(await answer('eve@open.example', letter(disguise)), /^550 5\.7\.1 /);
  assert.match(await answer('bob@broken.example', letter('bob@broken.example')), /^250 /);
});
