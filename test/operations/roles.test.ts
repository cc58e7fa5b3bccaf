/**
 * Who may do what, and what actors of some domains see of the others: nothing, by no door and in no count.
 *
 * The table is the whole product of roles and operations: an operation without a row fails.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Core } from '../../src/core.ts';
import { OPERATIONS, type OperationName } from '../../src/operations/index.ts';
import { type Actor, fullAdministrator, grantOf } from '../../src/operations/roles.ts';
import { rowContent } from '../../src/store/blobs/memory-content.ts';
import { address, recipient } from '../queue/support/queue.ts';
import { ROOT, startCore } from '../support/core.ts';

const MINE = ['one.example'] as const;
const ACTORS: Readonly<Record<string, Actor>> = {
  A: fullAdministrator('administrator'),
  D: { name: 'domain administrator', grants: [{ role: 'domain-administrator', domains: MINE }] },
  O: { name: 'operator', grants: [{ role: 'operator', domains: 'all' }] },
  o: { name: 'operator of a domain', grants: [{ role: 'operator', domains: MINE }] },
  U: { name: 'auditor', grants: [{ role: 'auditor', domains: 'all' }] },
  u: { name: 'auditor of a domain', grants: [{ role: 'auditor', domains: MINE }] },
};

/** By operation: who may do it at all. */
const MAY: Readonly<Record<OperationName, string>> = {
  'domain.add': 'A-----',
  'domain.remove': 'A-----',
  'domain.set-password': 'AD----',
  'domain.list': 'ADOoUu',
  'domain.show': 'ADOoUu',
  'dkim.list': 'ADOoUu',
  'dkim.show': 'ADOoUu',
  'dkim.check': 'ADOoUu',
  'dkim.create': 'AD----',
  'dkim.rotate': 'AD----',
  'dkim.retire': 'AD----',
  'user.add': 'AD----',
  'user.remove': 'AD----',
  'user.set-password': 'ADOo--',
  'user.set-state': 'ADOo--',
  'user.set-name': 'AD----',
  'user.list': 'ADOoUu',
  'user.app-password.add': 'ADOo--',
  'user.app-password.list': 'ADOoUu',
  'user.app-password.remove': 'ADOo--',
  'user.certificate.add': 'ADOo--',
  'user.certificate.list': 'ADOoUu',
  'user.certificate.remove': 'ADOo--',
  'user.send-as.add': 'ADOo--',
  'user.send-as.list': 'ADOoUu',
  'user.send-as.remove': 'ADOo--',
  'user.import': 'AD----',
  'admin.add': 'A-----',
  'admin.remove': 'A-----',
  'admin.list': 'A---U-',
  'auth.explain-token': 'A-O-U-',
  'alias.add': 'AD----',
  'alias.remove': 'AD----',
  'alias.list': 'ADOoUu',
  'server.add': 'A-----',
  'server.remove': 'A-----',
  'server.list': 'ADOoUu',
  'server.set-credentials': 'A-----',
  'server.clear-credentials': 'A-----',
  'server.credentials': 'A-O-U-',
  'list.add': 'AD----',
  'list.remove': 'AD----',
  'list.show': 'ADOoUu',
  'list.import': 'A-----',
  'list.export': 'ADOoUu',
  'shield.add': 'A-----',
  'shield.remove': 'A-----',
  'shield.list': 'A-O-U-',
  'source.add': 'A-----',
  'source.edit': 'A-----',
  'source.remove': 'A-----',
  'source.assign': 'A-----',
  'source.list': 'ADOoUu',
  'source.test': 'A-O-U-',
  'verify.address': 'ADOoUu',
  'minger.set-secret': 'A-----',
  'settings.list': 'ADOoUu',
  'settings.get': 'ADOoUu',
  'settings.set': 'AD----',
  'settings.reset': 'AD----',
  'settings.diff': 'A-O-U-',
  'settings.export': 'A-O-U-',
  'settings.import': 'A-----',
  'settings.history': 'ADOoUu',
  'settings.undo': 'AD----',
  'queue.list': 'ADOoUu',
  'queue.show': 'ADOoUu',
  'queue.recheck': 'A-O-U-',
  'queue.retry': 'ADOo--',
  'queue.hold': 'ADOo--',
  'queue.release': 'ADOo--',
  'queue.redirect': 'ADOo--',
  'queue.bounce': 'ADOo--',
  'queue.delete': 'ADOo--',
  'log.search': 'ADOoUu',
  'log.show': 'ADOoUu',
  'log.sessions': 'A-O-U-',
  'log.audit': 'A---U-',
  'replay.run': 'ADOoUu',
  'operation.list': 'ADOoUu',
  'operation.show': 'ADOoUu',
  'operation.cancel': 'ADOo--',
  status: 'A-O-U-',
  'check.node': 'A-O-U-',
  'check.domain': 'ADOoUu',
  'check.domains': 'ADOoUu',
  'report.dmarc.list': 'A-O-U-',
  'report.dmarc.show': 'A-O-U-',
  'report.dmarc.preview': 'A-O-U-',
  'report.dmarc.send': 'A-----',
  'report.incoming.list': 'ADOoUu',
  'report.incoming.show': 'ADOoUu',
  'report.incoming.view': 'ADOoUu',
};

const codeOf = (act: Promise<unknown>): Promise<string> =>
  act.then(
    () => 'done',
    (error: { code?: string }) => error.code ?? String(error),
  );

test('each role may do what the table says of each operation, and nothing else', async (t) => {
  const { operations } = await startCore(t);
  assert.deepEqual(Object.keys(MAY).sort(), Object.keys(OPERATIONS).sort(), 'every operation has a row');
  for (const [name, letters] of Object.entries(MAY))
    for (const [letter, actor] of Object.entries(ACTORS)) {
      // Whoever may goes on to be told that the input is wrong.
      const code = await codeOf(operations.executeUnknown(name, { nonsense: 1 }, actor));
      assert.equal(code, letters.includes(letter) ? 'operation.input' : 'operation.denied', `${letter} ${name}`);
    }
});

test('nobody without a grant may do anything', async (t) => {
  const { operations } = await startCore(t);
  for (const name of Object.keys(OPERATIONS))
    assert.equal(await codeOf(operations.executeUnknown(name, {}, { name: 'nobody', grants: [] })), 'operation.denied');
});

test('an account that was marked an administrator is one, of everything or of its domain', () => {
  assert.deepEqual(grantOf({ role: 'administrator' }), { role: 'administrator', domains: 'all' });
  const ofOne = grantOf({ role: 'administrator', domain: 'one.example' });
  assert.deepEqual(ofOne, { role: 'domain-administrator', domains: ['one.example'] });
});

const DOMAINS = ['one.example', 'two.example'] as const;

/** Two domains with the same things in each. */
async function twoDomains(t: TestContext) {
  const core = await startCore(t);
  const { operations, queue, journal } = core;
  const run = (name: OperationName, input: unknown): Promise<unknown> => operations.executeUnknown(name, input, ROOT);
  const queued: Record<string, string> = {};
  // An hour ago: what is older than the log keeps goes.
  let last = Date.now() - 3_600_000;
  const at = (): number => {
    last += 1000;
    return last;
  };
  for (const domain of DOMAINS) {
    await run('domain.add', { name: domain });
    await run('user.add', { address: `alice@${domain}` });
    await run('alias.add', { address: `info@${domain}`, targets: [`alice@${domain}`] });
    await run('server.add', { server: `mail.${domain}`, domains: [domain] });
    await run('source.add', { kind: 'smtp', options: { server: `mail.${domain}` }, domains: [domain] }).catch(() => {});
    await run('list.add', { list: 'block', value: 'spam@x.example', owner: domain });
    await run('settings.set', { key: 'directory.subaddressSeparator', value: '-', domain });
    const id = queue.newId();
    queued[domain] = id;
    await queue.commit({
      id,
      reversePath: address('bob@sender.example'),
      body: '8BITMIME',
      smtputf8: false,
      receivedAt: at(),
      content: rowContent(Buffer.from('hello')),
      trace: '',
      detail: { evidence: {}, findings: [] },
      recipients: [{ ...recipient(`alice@${domain}`), direction: 'inbound' }],
    });
    journal.message({
      id: `logged-${domain}`,
      at: at(),
      direction: 'inbound',
      from: 'bob@sender.example',
      sizeBytes: 5,
      recipients: [{ address: `alice@${domain}`, disposition: 'accept' }],
      detail: { evidence: {}, findings: [] },
    });
  }
  journal.message({
    id: 'logged-both',
    at: at(),
    direction: 'inbound',
    from: 'bob@sender.example',
    sizeBytes: 5,
    recipients: DOMAINS.map((domain) => ({ address: `alice@${domain}`, disposition: 'accept' })),
    detail: { evidence: { secret: { hidden: 'yes' } }, findings: [] },
  });
  await run('queue.list', {});
  return { core, queued };
}

const ask = ({ operations }: Core, name: OperationName, input: unknown, letter = 'D'): Promise<unknown> =>
  operations.executeUnknown(name, input, ACTORS[letter]!);

test('a domain administrator lists everything that there is, and is shown what is of the domain', async (t) => {
  const { core } = await twoDomains(t);
  const lists: readonly (readonly [OperationName, unknown, number])[] = [
    ['domain.list', {}, 1],
    ['user.list', {}, 1],
    ['user.list', { domains: [...DOMAINS] }, 1],
    ['user.list', { domain: 'two.example' }, 0],
    ['alias.list', {}, 1],
    ['alias.list', { domain: 'two.example' }, 0],
    ['server.list', {}, 1],
    ['source.list', {}, 0],
    ['list.show', {}, 1],
    ['list.show', { owner: 'two.example' }, 0],
    ['settings.history', {}, 1],
    ['settings.history', { domain: 'two.example' }, 0],
    ['queue.list', {}, 1],
    ['queue.list', { to: 'two.example' }, 0],
    ['log.search', {}, 3],
    ['log.search', { recipient: 'alice@two.example' }, 1],
    ['report.incoming.list', {}, 0],
  ];
  for (const [name, input, rows] of lists) {
    const found = (await ask(core, name, input)) as { readonly rows?: readonly unknown[] } & readonly unknown[];
    const text = JSON.stringify(found);
    assert.equal((found.rows ?? found).length, rows, `${name} ${JSON.stringify(input)}: ${text}`);
    assert.ok(!text.includes('two.example'), `${name}: ${text}`);
    if (found.rows) assert.equal((found as { more?: boolean }).more, false, name);
  }
});

test('pages of a domain administrator end where the domain does, and their ends name nobody else', async (t) => {
  const { core } = await twoDomains(t);
  for (let n = 0; n < 5; n++)
    for (const domain of DOMAINS)
      await core.operations.executeUnknown('user.add', { address: `user${n}@${domain}` }, ROOT);
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await core.operations.execute('user.list', { limit: 2, after }, ACTORS['D']!);
    seen.push(...page.rows.map((row) => row.address));
    after = page.next;
    assert.ok(!after?.includes('two.example'));
  } while (after !== undefined);
  assert.equal(seen.length, 6);
  assert.ok(seen.every((one) => one.endsWith('@one.example')));
});

test('what is of another domain is missing in the same words as what is nowhere', async (t) => {
  const { core, queued } = await twoDomains(t);
  const theirs: readonly (readonly [OperationName, unknown, unknown])[] = [
    ['domain.show', { name: 'two.example' }, { name: 'nowhere.example' }],
    ['check.domain', { name: 'two.example' }, { name: 'nowhere.example' }],
    [
      'user.set-state',
      { address: 'alice@two.example', state: 'frozen' },
      { address: 'x@two.example', state: 'frozen' },
    ],
    ['user.remove', { address: 'alice@two.example' }, { address: 'x@two.example' }],
    ['user.app-password.list', { address: 'alice@two.example' }, { address: 'x@two.example' }],
    ['user.import', { accounts: [{ address: 'new@two.example' }] }, { accounts: [{ address: 'new@nowhere.example' }] }],
    ['alias.remove', { address: 'info@two.example' }, { address: 'x@nowhere.example' }],
    ['dkim.list', { domain: 'two.example' }, { domain: 'nowhere.example' }],
    [
      'settings.get',
      { key: 'directory.subaddressSeparator', domain: 'two.example' },
      { key: 'x', domain: 'x.example' },
    ],
    [
      'settings.set',
      { key: 'spf.action', value: 'accept', domain: 'two.example' },
      { key: 'x', value: 1, domain: 'x.example' },
    ],
    ['settings.undo', { revision: 2 }, { revision: 99 }],
    [
      'list.remove',
      { list: 'block', value: 'spam@x.example', owner: 'two.example' },
      { list: 'block', value: 'x@x.example', owner: 'x.example' },
    ],
    ['queue.show', { id: queued['two.example'] }, { id: 'nonsense' }],
    ['queue.delete', { ids: [queued['two.example']] }, { ids: ['nonsense'] }],
    ['queue.release', { ids: [queued['two.example']] }, { ids: ['nonsense'] }],
    ['log.show', { id: 'logged-two.example' }, { id: 'nonsense' }],
    ['report.incoming.view', { domain: 'two.example' }, { domain: 'nowhere.example' }],
  ];
  for (const [name, there, nowhere] of theirs) {
    const said = async (input: unknown): Promise<string> =>
      ask(core, name, input).then(
        (output) => assert.fail(`${name} gave ${JSON.stringify(output)}`),
        (error: { code: string; message: string }) => `${error.code} ${error.message}`,
      );
    const answer = await said(there);
    assert.match(answer, /^operation\.missing /, name);
    assert.equal(answer, await said(nowhere), name);
  }
  const [account] = (await core.operations.execute('user.list', { domain: 'two.example' }, ROOT)).rows;
  assert.equal(account?.state, 'active');
  assert.equal((await core.operations.execute('queue.list', {}, ROOT)).rows.length, 2);
});

test('a domain administrator deletes all of the queue, and the mail of others stays', async (t) => {
  const { core } = await twoDomains(t);
  assert.deepEqual(await ask(core, 'queue.delete', { all: true }), { changed: 1 });
  const left = (await core.operations.execute('queue.list', {}, ROOT)).rows;
  assert.deepEqual(
    left.map(({ to }) => to),
    ['alice@two.example'],
  );
});

test('of a message to two domains each sees its own recipients, and no dialogue or evidence', async (t) => {
  const { core } = await twoDomains(t);
  const shown = JSON.stringify(await ask(core, 'log.show', { id: 'logged-both' }));
  assert.ok(shown.includes('alice@one.example'));
  assert.ok(!/two\.example|secret/.test(shown));
});

test('a domain administrator asks for settings of the whole node: that is for others', async (t) => {
  const { core } = await twoDomains(t);
  assert.equal(await codeOf(ask(core, 'settings.set', { key: 'spf.action', value: 'accept' })), 'operation.denied');
  assert.equal(await codeOf(ask(core, 'settings.get', { key: 'spf.action' })), 'operation.denied');
  assert.equal(await codeOf(ask(core, 'list.add', { list: 'allow', value: 'x@y.example' })), 'operation.denied');
});

test('a domain administrator lets an own account write as somebody of another domain: that is missing', async (t) => {
  const { core } = await twoDomains(t);
  for (const sender of ['alice@two.example', '@two.example'])
    assert.equal(
      await codeOf(ask(core, 'user.send-as.add', { address: 'alice@one.example', sender })),
      'operation.missing',
    );
});

test('the help desk sets the password of an administrator to become one: it is refused', async (t) => {
  const { core } = await twoDomains(t);
  const password = 'correct horse battery staple';
  const account = { address: 'Alice@one.example' };
  await core.operations.execute('admin.add', account, ROOT);
  for (const letter of ['D', 'O', 'o']) {
    assert.equal(await codeOf(ask(core, 'user.set-password', { ...account, password }, letter)), 'operation.denied');
    assert.equal(
      await codeOf(ask(core, 'user.app-password.add', { ...account, name: 'x' }, letter)),
      'operation.denied',
    );
    assert.equal(
      await codeOf(ask(core, 'user.set-state', { ...account, state: 'frozen' }, letter)),
      'operation.denied',
    );
  }
  assert.equal(await codeOf(ask(core, 'user.remove', account)), 'operation.denied');
  await core.operations.execute('admin.add', { ...account, role: 'auditor' }, ROOT);
  assert.equal(await codeOf(ask(core, 'user.set-password', { ...account, password }, 'O')), 'done');
});
