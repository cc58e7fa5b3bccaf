import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { OperationalError } from '../../src/model/errors.ts';
import { connectControl } from '../../src/operations/control-client.ts';
import { serveControl } from '../../src/operations/control-socket.ts';
import { recordedEvents } from '../support/events.ts';

function folder(t: TestContext, ...deeper: string[]): string {
  const made = mkdtempSync(join(tmpdir(), 'postern-control-'));
  t.after(() => rmSync(made, { recursive: true }));
  mkdirSync(join(made, ...deeper), { recursive: true });
  return join(made, ...deeper);
}

async function serve(t: TestContext, data: string, lineBytes?: number) {
  const events = recordedEvents();
  const operations = {
    async executeUnknown(name: string, input: unknown) {
      if (name === 'refuse') throw new OperationalError('some.code', 'cannot, as it must not');
      if (name === 'break') throw new Error('oh');
      return { name, input };
    },
  };
  const server = await serveControl({ folder: data, operations, events, lineBytes });
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

test('a folder whose path is too long for a socket has it under a hashed name, where client and server meet', async (t) => {
  const data = folder(t, 'x'.repeat(120));
  const { server } = await serve(t, data);
  assert.ok(server.path.length <= 107);
  const client = await connectControl(data);
  assert.deepEqual(await client.ask({ operation: 'x', input: 1, actor: 'tester' }), { name: 'x', input: 1 });
  client.close();
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
