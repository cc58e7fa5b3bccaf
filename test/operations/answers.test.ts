/** Every operation answers what it declares: each is done once here, with its answer checked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { Answer, checkAnswer } from '../../src/operations/answers.ts';
import { OPERATIONS, type OperationName } from '../../src/operations/index.ts';
import { EVIDENCE_VERSION, type MessageEvidence } from '../../src/screen/engine/evidence.ts';
import { rowContent } from '../../src/store/blobs/memory-content.ts';
import { address, recipient } from '../queue/support/queue.ts';
import { ROOT, startCore } from '../support/core.ts';

/** Nothing is there that they could answer about, without mail from outside or something under way; their own tests do. */
const ELSEWHERE: readonly OperationName[] = [
  'operation.cancel',
  'report.dmarc.show',
  'report.dmarc.preview',
  'report.incoming.show',
  'user.certificate.add',
  'user.certificate.remove',
];

test('an answer with more or less than was declared is a defect', () => {
  const operation = { name: 'x', answer: Answer({ a: Type.String() }) };
  checkAnswer(operation, { a: 'b', c: undefined });
  assert.throws(() => checkAnswer(operation, { a: 'b', c: 1 }), /the answer of x must be as declared/);
  assert.throws(() => checkAnswer(operation, {}), /the answer of x/);
});

test('every operation answers as it declares', async (t) => {
  const { operations, queue, journal } = await startCore(t);
  const done = new Set<string>();
  const ask = async (name: OperationName, input: unknown = {}): Promise<never> => {
    const output = await operations.executeUnknown(name, input, ROOT);
    done.add(name);
    return output as never;
  };
  const domain = 'one.example';
  const alice = { address: 'alice@one.example' };
  const mail = async (evidence: MessageEvidence = {}): Promise<string> => {
    const id = queue.newId();
    await queue.commit({
      id,
      reversePath: address('bob@sender.example'),
      body: '8BITMIME',
      smtputf8: false,
      receivedAt: Date.now(),
      content: rowContent(Buffer.from('hello')),
      trace: '',
      detail: { evidence, findings: [] },
      recipients: [recipient('alice@one.example')],
    });
    return id;
  };

  await ask('domain.add', { name: domain, servers: ['mail.one.example'] });
  await ask('domain.list');
  await ask('domain.show', { name: domain });
  await ask('domain.set-password', { name: domain, password: 'correct horse battery' });
  await ask('user.add', { ...alice, password: 'correct horse battery' });
  await ask('user.set-password', { ...alice, password: 'battery horse correct' });
  await ask('user.set-state', { ...alice, state: 'frozen' });
  await ask('user.set-name', { ...alice, name: 'Alice' });
  await ask('user.import', { accounts: [{ address: 'bob@one.example', state: 'active' }] });
  await ask('user.list');
  await ask('user.app-password.add', { ...alice, name: 'phone' });
  await ask('user.app-password.list', alice);
  await ask('user.app-password.remove', { ...alice, name: 'phone' });
  await ask('user.certificate.list', alice);
  await ask('user.send-as.add', { ...alice, sender: '@one.example' });
  await ask('user.send-as.list', alice);
  await ask('user.send-as.remove', { ...alice, sender: '@one.example' });
  await ask('admin.add', { ...alice, role: 'auditor' });
  await ask('admin.list');
  await ask('admin.remove', alice);
  await ask('alias.add', { address: 'info@one.example', targets: ['alice@one.example'] });
  await ask('alias.list');
  await ask('alias.remove', { address: 'info@one.example' });
  await ask('auth.explain-token', { token: 'e30.e30.' });

  const { id: server } = await ask('server.add', {
    server: 'two.example:587',
    domains: [domain],
    sendsFrom: ['192.0.2.1'],
    signIn: true,
  });
  await ask('server.set-credentials', { server: 'two.example:587', user: 'x', secret: 'y' });
  await ask('server.credentials');
  await ask('server.list');
  await ask('server.clear-credentials', { server: 'two.example:587' });
  await ask('server.remove', { id: server });

  await ask('list.add', { list: 'block', value: 'spam@x.example', owner: domain, expires: '2100-01-01' });
  await ask('list.show');
  await ask('list.export');
  await ask('list.import', { csv: 'value,list\nspam2@x.example,block\n' });
  await ask('list.remove', { list: 'block', value: 'spam2@x.example' });
  const { id: pair } = await ask('shield.add', { domain, network: '192.0.2.7' });
  await ask('shield.list');
  await ask('shield.remove', { id: pair });
  const { id: source } = await ask('source.add', {
    kind: 'smtp',
    options: { host: '127.0.0.1', port: 9 },
  });
  await ask('source.edit', { id: source, description: 'a source' });
  await ask('source.assign', { domain, ids: [source] });
  await ask('source.list');
  await ask('source.test', { id: source, address: 'alice@one.example' });
  await ask('verify.address', { address: 'alice@one.example' });
  await ask('source.remove', { id: source });
  await ask('minger.set-secret', { secret: 'correct-horse-battery' });

  await ask('dkim.create', { domain });
  const [key] = (await ask('dkim.list', { domain })) as readonly { readonly selector: string }[];
  await ask('dkim.show', { domain });
  await ask('dkim.check', { domain });
  await ask('dkim.rotate', { domain });
  await ask('dkim.retire', { domain, selector: key!.selector });

  await ask('settings.set', { key: 'directory.subaddressSeparator', value: '-' });
  await ask('settings.list');
  await ask('settings.get', { key: 'directory.subaddressSeparator', domain });
  await ask('settings.diff');
  const { yaml } = await ask('settings.export');
  await ask('settings.import', { file: yaml });
  await ask('settings.reset', { keys: ['directory.subaddressSeparator'] });
  await ask('settings.history');
  await ask('settings.undo', { revision: 2 });

  const ids = [await mail(), await mail()];
  await ask('queue.list');
  await ask('queue.show', { id: ids[0] });
  const who = { ...alice, direction: 'inbound', sender: 'stranger', policyDomain: domain, role: false };
  const about = { version: EVIDENCE_VERSION, client: '192.0.2.1', sender: 'stranger', hasMessage: true };
  const seen = await mail({ about, recipients: { [alice.address]: { who } } });
  const { recipients } = await ask('queue.recheck', { id: seen });
  assert.equal((recipients as readonly { readonly now: readonly unknown[] }[])[0]!.now.length > 0, true);
  await ask('queue.delete', { ids: [seen] });
  await ask('queue.retry', { all: true });
  await ask('queue.hold', { ids });
  await ask('queue.release', { ids });
  await ask('queue.redirect', { ids: [ids[0]], address: 'bob@one.example' });
  await ask('queue.bounce', { ids: [ids[0]] });
  await ask('queue.delete', { ids: [ids[1]] });

  journal.message({
    id: 'logged',
    at: Date.now(),
    direction: 'inbound',
    from: 'bob@sender.example',
    sizeBytes: 5,
    recipients: [{ ...alice, disposition: 'hold', reason: 'x' }],
    detail: { evidence: {}, findings: [] },
  });
  await ask('log.search');
  await ask('log.show', { id: 'logged' });
  await ask('log.sessions');
  await ask('log.audit');
  await ask('replay.run', { since: 0, set: [] });
  await ask('status');
  await ask('check.node');
  await ask('check.domain', { name: domain });
  await ask('check.domains');
  await ask('operation.list');
  const { id: run } = await operations.begin('queue.retry', { all: true }, ROOT);
  await ask('operation.show', { id: run });
  await ask('report.dmarc.list');
  await ask('report.dmarc.send');
  await ask('report.incoming.list');
  await ask('report.incoming.view', { domain });
  await ask('user.remove', { address: 'bob@one.example' });
  await ask('domain.remove', { name: domain });

  const left = Object.keys(OPERATIONS).filter((name) => !done.has(name));
  assert.deepEqual(left.sort(), [...ELSEWHERE].sort());
});
