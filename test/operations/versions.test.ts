/** An act on a row that was read is refused if the row is another by then. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Core } from '../../src/core.ts';
import type { OperationName } from '../../src/operations/index.ts';
import { ROOT, startCore } from '../support/core.ts';

const CONFLICT = { code: 'operation.conflict' };

test('two administrators read an account and both change it: the second is told to read it again', async (t) => {
  const { operations } = await startCore(t);
  await operations.execute('domain.add', { name: 'one.example' }, ROOT);
  const address = 'alice@one.example';
  await operations.execute('user.add', { address }, ROOT);
  const read = async () => (await operations.execute('user.list', {}, ROOT)).rows[0]!;
  const { version: expects } = await read();
  const changes = ['frozen', 'disabled'].map((state) =>
    operations.executeUnknown('user.set-state', { address, state, expects }, ROOT),
  );
  const [first, second] = await Promise.allSettled(changes);
  assert.equal(first!.status, 'fulfilled');
  assert.equal((second as PromiseRejectedResult).reason.code, 'operation.conflict');
  assert.equal((await read()).state, 'frozen');
  await operations.execute('user.remove', { address, expects: (await read()).version }, ROOT);
  await assert.rejects(operations.execute('user.set-name', { address, name: 'x', expects }, ROOT), {
    ...CONFLICT,
    message: /it is gone/,
  });
});

test('a setting that was changed meanwhile, if only back and forth, is not overwritten', async (t) => {
  const { operations } = await startCore(t);
  const key = 'directory.subaddressSeparator';
  const version = async () => (await operations.execute('settings.get', { key }, ROOT)).version;
  const unset = await version();
  await operations.execute('settings.set', { key, value: '-', expects: unset }, ROOT);
  await assert.rejects(operations.execute('settings.set', { key, value: '+', expects: unset }, ROOT), CONFLICT);
  await operations.execute('settings.set', { key, value: '+', expects: await version() }, ROOT);
});

test('rows of servers, sources and aliases have versions, and the acts on them take one', async (t) => {
  const { operations } = await startCore(t);
  await operations.execute('domain.add', { name: 'one.example' }, ROOT);
  const { id } = await operations.execute('server.add', { server: 'mail.one.example', isDefault: true }, ROOT);
  const [server] = await operations.execute('server.list', {}, ROOT);
  await assert.rejects(operations.execute('server.remove', { id, expects: 'another' }, ROOT), CONFLICT);
  await operations.execute('server.remove', { id, expects: server!.version }, ROOT);
  const options = { host: '127.0.0.1', port: 9 };
  const source = await operations.execute('source.add', { kind: 'smtp', options }, ROOT);
  const [listed] = await operations.execute('source.list', {}, ROOT);
  await operations.execute('source.edit', { id: source.id, description: 'x', expects: listed!.version }, ROOT);
  await assert.rejects(
    operations.execute('source.remove', { id: source.id, expects: listed!.version }, ROOT),
    CONFLICT,
  );
  const alias = { address: 'info@one.example', targets: ['x@y.example'] };
  await operations.execute('alias.add', alias, ROOT);
  const [row] = (await operations.execute('alias.list', {}, ROOT)).rows;
  await operations.execute('alias.remove', { address: alias.address, expects: row!.version }, ROOT);
});

/** Between what an act reads and what it writes: another node, which knows nothing of this one's turns. */
async function writtenBetween(core: Core, name: OperationName, input: object, other: () => Promise<unknown>) {
  const { database } = core.store;
  const { write } = database;
  let isFirst = true;
  (database as { write: typeof write }).write = async (unit) => {
    if (isFirst) {
      isFirst = false;
      await other();
    }
    return write(unit);
  };
  try {
    return await core.operations.executeUnknown(name, input, ROOT);
  } finally {
    (database as { write: typeof write }).write = write;
  }
}

test('two nodes check the same version at once: the act that is written second is refused, whatever it changes', async (t) => {
  const core = await startCore(t);
  const { operations, store, settings } = core;
  const sql = (text: string) => store.database.write([{ sql: text, parameters: [] }]);
  await operations.execute('domain.add', { name: 'one.example' }, ROOT);
  const address = 'alice@one.example';
  await operations.execute('user.add', { address }, ROOT);
  const user = (await operations.execute('user.list', {}, ROOT)).rows[0]!;
  const act = { address, state: 'disabled', expects: user.version };
  const froze = () => sql(`update account set state = 'frozen' where address = '${address}'`);
  await assert.rejects(writtenBetween(core, 'user.set-state', act, froze), CONFLICT);
  assert.equal((await operations.execute('user.list', {}, ROOT)).rows[0]!.state, 'frozen');

  const key = 'directory.subaddressSeparator';
  for (const value of ['-', '+']) {
    const { version: expects } = await operations.execute('settings.get', { key }, ROOT);
    const other = () => settings.change([{ key, value }], 'another node');
    await assert.rejects(writtenBetween(core, 'settings.set', { key, value: '=', expects }, other), CONFLICT);
    assert.equal((await operations.execute('settings.get', { key }, ROOT)).value, value);
  }

  const { id } = await operations.execute('server.add', { server: 'mail.one.example', isDefault: true }, ROOT);
  const [server] = await operations.execute('server.list', {}, ROOT);
  const links = () => sql(`insert into mail_server_domain (server, domain) values (${id}, 'one.example')`);
  const removal = { id, expects: server!.version };
  await assert.rejects(writtenBetween(core, 'server.remove', removal, links), CONFLICT);
});

test('an act that expects what is there leaves no trace of its asking', async (t) => {
  const { operations } = await startCore(t);
  const key = 'directory.subaddressSeparator';
  const { version: expects } = await operations.execute('settings.get', { key }, ROOT);
  await operations.execute('settings.set', { key, value: '-', expects }, ROOT);
  const [entry] = (await operations.execute('settings.history', { key }, ROOT)).rows;
  assert.deepEqual([entry!.before, entry!.after], [undefined, '-']);
});

test('an act on what has no version takes no expectation', async (t) => {
  const { operations } = await startCore(t);
  const input = { name: 'one.example', expects: 'x' };
  await assert.rejects(operations.executeUnknown('domain.add', input, ROOT), { code: 'operation.input' });
});
