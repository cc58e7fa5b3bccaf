import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openIdleClients } from '../../bench/tool/idle-clients.ts';
import { letter, send } from './support/client.ts';
import { organisation } from './support/organisation.ts';

const CLIENTS = 5_000;

test('5,000 clients that greet and then say nothing do not keep mail from flowing', async (t) => {
  const { node, sink } = await organisation(t);
  const idle = await openIdleClients({ host: '127.0.0.1', port: node.port('mx') }, CLIENTS);
  t.after(() => {
    for (const socket of idle) socket.removeAllListeners('close').destroy();
  });
  const sent = await send(node.port('mx'), {
    from: 'bob@elsewhere.example',
    to: ['alice@example.com'],
    content: letter({ subject: 'past the crowd' }),
  });
  assert.equal(sent.final.code, 250);
  await sink.next(({ content }) => content.includes('past the crowd'));
  assert.equal(idle.filter((socket) => !socket.destroyed).length, CLIENTS, 'none was put out');
});
