/** Several pieces in one write: as few as may be, and none changed while a socket still has it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import test from 'node:test';
import { encodeWhole } from '../../../src/wire/client/content.ts';
import { writeTogether } from '../../../src/wire/client/outbox.ts';

/** Takes everything at once, as the system nearly always does. */
function recording(): { readonly socket: Writable; readonly writes: Buffer[][] } {
  const writes: Buffer[][] = [];
  const socket = new Writable({
    write(chunk, _encoding, done) {
      writes.push([chunk]);
      done();
    },
    writev(chunks, done) {
      writes.push(chunks.map(({ chunk }) => chunk));
      done();
    },
  });
  return { socket, writes };
}

test('a small message goes out in one piece, a large one uncopied, one of nothing but dots in one piece', () => {
  const { socket, writes } = recording();
  writeTogether(socket, encodeWhole([Buffer.from('Received: here\r\n'), Buffer.from('.\r\n')]));
  assert.deepEqual(writes.map(String), ['Received: here\r\n..\r\n.\r\n']);
  const large = Buffer.alloc(100_000, `${'x'.repeat(70)}\r\n`);
  writeTogether(socket, encodeWhole([large]));
  assert.equal(writes.length, 2);
  assert.ok(writes[1]!.some((part) => part.buffer === large.buffer));
  const dots = Buffer.alloc(99_999, '.\r\n');
  writeTogether(socket, encodeWhole([dots]));
  assert.deepEqual(
    writes.slice(2).map((parts) => parts.length),
    [1],
  );
});

test('a message that a slow peer has not taken yet is not overwritten by the next', async (t) => {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const ours = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => ours.destroy());
  const [peer] = (await once(server, 'connection')) as [Socket];
  if (ours.connecting) await once(ours, 'connect');

  const sent: Buffer[] = [];
  for (let n = 0; ours.writableLength < 200_000; n++) {
    const pieces = [Buffer.from(`message ${n}\r\n`), Buffer.alloc(20_000, `${n} `)];
    sent.push(...pieces);
    writeTogether(ours, pieces);
  }
  ours.end();
  const heard: Buffer[] = [];
  for await (const chunk of peer) heard.push(chunk as Buffer);
  assert.ok(Buffer.concat(heard).equals(Buffer.concat(sent)));
});
