import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { OperationalError } from '../../src/model/errors.ts';
import { connectControl } from '../../src/operations/control-client.ts';
import { serveControl } from '../../src/operations/control-socket.ts';
import { CONTROL_CLIENTS } from '../../src/operations/limits.ts';
import { recordedEvents } from '../support/events.ts';
import { cannotGive, give, plantLink } from '../support/other-user.ts';

function folder(t: TestContext, ...deeper: string[]): string {
  const made = mkdtempSync(join(tmpdir(), 'postern-control-'));
  t.after(() => rmSync(made, { recursive: true }));
  mkdirSync(join(made, ...deeper), { recursive: true });
  return join(made, ...deeper);
}

const OPERATIONS = {
  async executeUnknown(name: string, input: unknown) {
    if (name === 'refuse') throw new OperationalError('some.code', 'cannot, as it must not');
    if (name === 'break') throw new Error('oh');
    return { name, input };
  },
  begin: async () => assert.fail('nothing is begun here'),
};

async function serve(t: TestContext, data: string, lineBytes?: number) {
  const events = recordedEvents();
  const server = await serveControl({ folder: data, operations: OPERATIONS, events, lineBytes });
  t.after(() => server.close());
  return { server, events };
}

test('a request is answered, a refusal keeps its code and sentence, a defect is told as one and ends nothing', async (t) => {
  const data = folder(t);
  const { server, events } = await serve(t, data);
  assert.equal(server.path, join(data, 'control.sock'));
  assert.equal(statSync(server.path).mode & 0o777, 0o600);
  const client = await connectControl(data);
  t.after(() => client.close());
  const ask = (operation: string) => client.ask({ operation, input: { a: 'ü\n' }, actor: 'tester' });
  const [first, refused, broken, last] = await Promise.allSettled([ask('x'), ask('refuse'), ask('break'), ask('y')]);
  assert.deepEqual(first, { status: 'fulfilled', value: { name: 'x', input: { a: 'ü\n' } } });
  assert.equal(refused.status === 'rejected' && refused.reason.code, 'some.code');
  assert.equal(broken.status === 'rejected' && broken.reason.code, 'defect');
  assert.equal(last.status, 'fulfilled');
  assert.equal(events.count('node.defect'), 1);
});

test('a folder whose path is too long for a socket has it in the folder all the same, where client and server meet', async (t) => {
  const data = folder(t, 'x'.repeat(120), 'y'.repeat(200));
  const { server } = await serve(t, data);
  assert.equal(server.path, join(data, 'control.sock'));
  assert.ok(statSync(server.path).isSocket());
  const client = await connectControl(data);
  assert.deepEqual(await client.ask({ operation: 'x', input: 1, actor: 'tester' }), { name: 'x', input: 1 });
  client.close();
  await server.close();
  assert.equal(existsSync(server.path), false);
});

test('where the system shows no descriptors, a long path has its socket in the home of its user', async (t) => {
  const data = folder(t, 'x'.repeat(120));
  const home = folder(t);
  const system = { descriptors: undefined, home: () => home };
  const server = await serveControl({ folder: data, operations: OPERATIONS, events: recordedEvents(), system });
  t.after(() => server.close());
  assert.equal(dirname(server.path), join(home, '.postern'));
  assert.equal(statSync(join(home, '.postern')).mode & 0o777, 0o700);
  const client = await connectControl(data, system);
  assert.deepEqual(await client.ask({ operation: 'x', input: 1, actor: 'tester' }), { name: 'x', input: 1 });
  client.close();
  await server.close();
  chmodSync(join(home, '.postern'), 0o777);
  await assert.rejects(connectControl(data, system), { code: 'control.folder' });
});

/** A socket that takes what is said, as another user would to read a password. */
async function thief(t: TestContext, path: string): Promise<string[]> {
  const heard: string[] = [];
  const server = createServer((socket) => socket.on('data', (said) => heard.push(String(said))));
  server.listen(path);
  await once(server, 'listening');
  t.after(() => server.close());
  return heard;
}

test('another user who puts a socket into the folder of the node, or makes the folder, hears no password', {
  skip: cannotGive,
}, async (t) => {
  const data = folder(t);
  const heard = await thief(t, join(data, 'control.sock'));
  give(join(data, 'control.sock'));
  await assert.rejects(connectControl(data), { code: 'control.folder', message: /user id 65534/ });

  rmSync(join(data, 'control.sock'));
  const elsewhere = folder(t);
  await thief(t, join(elsewhere, 'theirs.sock'));
  give(join(elsewhere, 'theirs.sock'));
  plantLink(join(data, 'control.sock'), join(elsewhere, 'theirs.sock'));
  await assert.rejects(connectControl(data), { code: 'control.folder' });
  rmSync(join(data, 'control.sock'));
  symlinkSync(join(elsewhere, 'theirs.sock'), join(data, 'control.sock'));
  await assert.rejects(connectControl(data), { code: 'control.folder', message: /it is a link/ });
  assert.deepEqual(heard, []);
});

test('a folder that others may write in, a socket that they may, or a link of theirs to it, is not spoken to', {
  skip: cannotGive,
}, async (t) => {
  const data = folder(t);
  await serve(t, data);
  (await connectControl(data)).close();
  chmodSync(data, 0o777);
  await assert.rejects(connectControl(data), { code: 'control.folder', message: /its mode is 0777/ });
  chmodSync(data, 0o700);
  chmodSync(join(data, 'control.sock'), 0o666);
  await assert.rejects(connectControl(data), { code: 'control.folder', message: /its mode is 0666/ });
  chmodSync(join(data, 'control.sock'), 0o600);
  const link = join(folder(t), 'data');
  plantLink(link, data);
  await assert.rejects(connectControl(link), { code: 'control.folder', message: /a link/ });
  rmSync(link);
  symlinkSync(data, link);
  (await connectControl(link)).close();
});

test('root asks the node of another user, whose group may write in its folder', { skip: cannotGive }, async (t) => {
  const data = folder(t);
  await serve(t, data);
  give(data);
  give(join(data, 'control.sock'));
  chmodSync(data, 0o775);
  const client = await connectControl(data);
  assert.deepEqual(await client.ask({ operation: 'x', input: 1, actor: 'tester' }), { name: 'x', input: 1 });
  client.close();
});

test('what a killed node left of another kind under the name of the socket is named', async (t) => {
  const data = folder(t, 'control.sock', 'deeper');
  await assert.rejects(serve(t, join(data, '..', '..')), { code: 'control.folder', message: /must be free/ });
});

test('where no node runs, and where a killed one left its socket, the client says that none does', async (t) => {
  const data = folder(t);
  await assert.rejects(connectControl(data), { code: 'control.absent' });
  await assert.rejects(connectControl(join(data, 'missing')), { code: 'control.absent' });
  writeFileSync(join(data, 'control.sock'), '');
  await assert.rejects(connectControl(data), { code: 'control.absent' });
  await serve(t, data);
  (await connectControl(data)).close();
});

test('a line without an end is cut off at the bound, junk is answered and refused', async (t) => {
  const data = folder(t);
  const { server, events } = await serve(t, data, 1000);
  const endless = connect(server.path);
  endless.on('error', () => {});
  endless.write('x'.repeat(2000));
  endless.resume();
  await once(endless, 'close');
  assert.equal(events.count('control.error'), 1);
  const junk = connect(server.path);
  t.after(() => junk.destroy());
  junk.write('null\n');
  const [answer] = await once(junk, 'data');
  assert.equal(JSON.parse(String(answer)).code, 'operation.input');
});

test('a program of the same user that holds every place of the control socket locks others out until it goes', async (t) => {
  const data = folder(t);
  const { server } = await serve(t, data);
  const held = Array.from({ length: CONTROL_CLIENTS }, () => connect(server.path));
  await Promise.all(held.map((socket) => once(socket, 'connect')));
  const beyond = connect(server.path);
  beyond.on('error', () => {});
  await once(beyond, 'close');
  for (const socket of held) socket.destroy();
  await Promise.all(held.map((socket) => once(socket, 'close')));
  const asked = async (): Promise<unknown> => {
    for (;;) {
      const client = await connectControl(data);
      try {
        return await client.ask({ operation: 'x', input: {}, actor: 'tester' });
      } catch {
        // Those that went are gone a moment later.
        await new Promise((resolve) => setImmediate(resolve));
      } finally {
        client.close();
      }
    }
  };
  assert.deepEqual(await asked(), { name: 'x', input: {} });
});
