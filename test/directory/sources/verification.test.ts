/** Unknown users of a domain with sources: what is asked, what is remembered, what becomes of accounts. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SourceDraft } from '../../../src/directory/sources/admin.ts';
import type { PointsHere } from '../../../src/directory/sources/domain-creation.ts';
import { verificationSettings } from '../../../src/directory/sources/settings.ts';
import { isPromise } from '../../../src/model/maybe-promise.ts';
import { type PeerAnswer, startPeer } from '../../support/peer.ts';
import { address } from '../support/questions.ts';
import { openVerification } from '../support/verification.ts';

const HOUR_MS = 3_600_000;

/** A mail server that knows `users`; `broken` while it refuses us. */
async function mailServer(t: TestContext, users: readonly string[]) {
  const state = { users: new Set(users), broken: false, catchAll: false, says: undefined as string | undefined };
  const answer = ({ verb, line }: { verb: string; line: string }): PeerAnswer => {
    if (verb === 'AUTH') {
      if (state.broken) return '454 4.7.0 later';
      const [, user, password] = Buffer.from(line.split(' ')[2]!, 'base64').toString().split('\0');
      return state.users.has(user!) && password === 'right' ? '235 2.7.0 ok' : '535 5.7.8 wrong';
    }
    if (verb !== 'RCPT') return undefined;
    if (state.broken) return '451 4.3.0 later';
    if (state.says) return state.says;
    const user = /<(.*)>/.exec(line)![1]!.toLowerCase();
    return state.catchAll || state.users.has(user) ? undefined : '550 5.1.1 nobody';
  };
  const peer = await startPeer(t, { answer, extensions: ['AUTH PLAIN'] });
  return { state, peer, options: { host: '127.0.0.1', port: peer.port } };
}

async function open(t: TestContext, table?: Record<string, unknown>, pointsHere?: PointsHere) {
  const opened = await openVerification(t, table, pointsHere);
  return { ...opened, add: (draft: SourceDraft) => opened.add('smtp', draft) };
}

const rcpts = ({ lines }: { readonly lines: readonly string[] }): number =>
  lines.filter((line) => line.startsWith('RCPT')).length;

test('a user whom a source confirms has an account from then on, and is not asked about again', async (t) => {
  const { peer, options } = await mailServer(t, ['alice@example.com']);
  const { add, kind, admin, directory, events } = await open(t);
  await add({ options });
  assert.equal(await kind('Alice@example.com'), 'local');
  assert.deepEqual(
    (await admin.listAccounts()).map((account) => account.address),
    ['alice@example.com'],
  );
  assert.ok(!isPromise(directory.resolve(address('alice@example.com'))));
  assert.equal(rcpts(peer), 1);
  assert.equal(events.count('verification.account-created'), 1);
});

test('a user whom a source denies is refused at once for minutes, until a source is changed', async (t) => {
  const { peer, state, options } = await mailServer(t, []);
  const { add, kind, directory, clock, sourceAdmin, make } = await open(t);
  const id = await add({ options });
  assert.equal(await kind('bob@example.com'), 'unknown-user');
  assert.ok(!isPromise(directory.resolve(address('BOB@example.com'))));
  assert.equal(rcpts(peer), 1);
  await clock.advance(16 * 60_000);
  assert.equal(await kind('bob@example.com'), 'unknown-user');
  assert.equal(rcpts(peer), 2);
  state.users.add('bob@example.com');
  await make(await sourceAdmin.edit(id, { description: 'looked at' }));
  assert.equal(await kind('bob@example.com'), 'local');
});

test('what no source can tell is neither refused nor remembered, unless it is to be accepted', async (t) => {
  const { peer, state, options } = await mailServer(t, ['alice@example.com']);
  const opened = await open(t);
  await opened.add({ options });
  state.broken = true;
  assert.equal(await opened.kind('alice@example.com'), 'cannot-tell');
  opened.settings.set(verificationSettings.whenUnsure.key, 'accept');
  assert.equal(await opened.kind('alice@example.com'), 'local');
  assert.equal((await opened.admin.listAccounts()).length, 0);
  state.broken = false;
  assert.equal(await opened.kind('alice@example.com'), 'local');
  assert.equal((await opened.admin.listAccounts()).length, 1);
  assert.equal(rcpts(peer), 3);
});

test('sources are asked in order: who cannot tell leaves it to the next, the first answer ends the search', async (t) => {
  const [first, second] = [await mailServer(t, []), await mailServer(t, ['alice@example.com'])];
  const { add, kind, sourceAdmin, make } = await open(t);
  const one = await add({ options: first.options });
  const two = await add({ options: second.options });
  assert.equal(await kind('alice@example.com'), 'unknown-user');
  assert.equal(rcpts(second.peer), 0);
  first.state.broken = true;
  await make(await sourceAdmin.assign('example.com', [one, two]));
  assert.equal(await kind('alice@example.com'), 'local');
});

test('default sources are asked about domains that have none of their own', async (t) => {
  const { options } = await mailServer(t, ['alice@example.com']);
  const { add, kind } = await open(t);
  await add({ options, domains: [], isDefault: true });
  assert.equal(await kind('alice@example.com'), 'local');
});

test('many who ask for one user at the same moment ask the source once', async (t) => {
  const { peer, options } = await mailServer(t, ['alice@example.com']);
  const { add, kind, admin } = await open(t);
  await add({ options });
  const kinds = await Promise.all(Array.from({ length: 50 }, () => kind('alice@example.com')));
  assert.deepEqual(new Set(kinds), new Set(['local']));
  assert.equal(rcpts(peer), 1);
  assert.equal((await admin.listAccounts()).length, 1);
});

test('a sub-address is asked about as the mailbox it belongs to', async (t) => {
  const { options } = await mailServer(t, ['alice@example.com']);
  const { add, kind, admin } = await open(t);
  await add({ options });
  assert.equal(await kind('alice+news@example.com'), 'local');
  assert.deepEqual(
    (await admin.listAccounts()).map((account) => account.address),
    ['alice@example.com'],
  );
});

test('a user who is gone is disabled with all data kept, and enabled when a source says so', async (t) => {
  const { state, options } = await mailServer(t, ['alice@example.com']);
  const { add, kind, clock, admin, events } = await open(t);
  await add({ options });
  await kind('alice@example.com');
  await clock.advance(121 * HOUR_MS);
  state.broken = true;
  assert.equal(await kind('alice@example.com'), 'local');
  await clock.advance(6 * 60_000);
  state.broken = false;
  state.users.clear();
  assert.equal(await kind('alice@example.com'), 'unknown-user');
  assert.equal((await admin.listAccounts())[0]?.state, 'disabled');
  assert.equal(events.count('verification.account-disabled'), 1);
  state.users.add('alice@example.com');
  await clock.advance(16 * 60_000);
  assert.equal(await kind('alice@example.com'), 'local');
  assert.equal((await admin.listAccounts())[0]?.state, 'active');
});

test('a mailbox that takes no mail now is neither refused nor enrolled, and asked about again each time', async (t) => {
  const { peer, state, options } = await mailServer(t, ['alice@example.com']);
  const { add, directory, admin, events } = await open(t);
  await add({ options });
  for (const [says, why] of [
    ['552 5.2.2 full', 'full'],
    ['452 4.2.2 full', 'full'],
    ['550 5.2.1 switched off', 'disabled'],
    ['450 4.2.1 switched off', 'disabled'],
  ] as const) {
    state.says = says;
    assert.deepEqual(await directory.resolve(address('alice@example.com')), { kind: 'unavailable', why }, says);
  }
  assert.equal(events.count('verification.unavailable'), 4);
  assert.equal(rcpts(peer), 4);
  assert.equal((await admin.listAccounts()).length, 0);
  state.says = undefined;
  assert.equal((await directory.resolve(address('alice@example.com'))).kind, 'local');
});

test('a known user whose mailbox is full when asked about again stays, and waits until it takes mail', async (t) => {
  const { state, options } = await mailServer(t, ['alice@example.com']);
  const { add, kind, clock, admin } = await open(t);
  await add({ options });
  await kind('alice@example.com');
  await clock.advance(121 * HOUR_MS);
  state.says = '452 4.2.2 full';
  assert.equal(await kind('alice@example.com'), 'unavailable');
  assert.equal(await kind('alice@example.com'), 'unavailable');
  assert.equal((await admin.listAccounts())[0]?.state, 'active');
  state.says = undefined;
  assert.equal(await kind('alice@example.com'), 'local');
});

test('whom an alias leads to is asked about again, though no mail comes by another address', async (t) => {
  const { state, options } = await mailServer(t, ['alice@example.com', 'bob@example.com']);
  const { add, kind, clock, admin, make, directory } = await open(t);
  await add({ options });
  await kind('alice@example.com');
  await kind('bob@example.com');
  const targets = ['alice@example.com', 'bob@example.com'];
  await make(await admin.addAlias({ address: 'both@example.com', targets }));
  await make(await admin.addAlias({ address: 'sales@example.com', targets: ['alice@example.com'] }));
  await clock.advance(121 * HOUR_MS);
  state.users.delete('alice@example.com');
  const both = await directory.resolve(address('both@example.com'));
  assert.deepEqual(both.kind === 'local' && both.targets.map(({ text }) => text), ['bob@example.com']);
  assert.equal(await kind('sales@example.com'), 'unknown-user');
  assert.deepEqual(
    (await admin.listAccounts()).map((account) => account.state),
    ['disabled', 'active'],
  );
});

test('accounts made by hand are never asked about, nor those that an administrator disabled', async (t) => {
  const { peer, options } = await mailServer(t, ['dora@example.com']);
  const { add, kind, clock, admin, make, database } = await open(t);
  await add({ options });
  await make(await admin.addAccount({ address: 'bob@example.com' }));
  await make(await admin.addAccount({ address: 'dora@example.com' }));
  await database.write([{ sql: "UPDATE account SET state = 'disabled' WHERE address LIKE 'dora%'", parameters: [] }]);
  await clock.advance(10_000 * HOUR_MS);
  assert.equal(await kind('bob@example.com'), 'local');
  assert.equal(await kind('dora@example.com'), 'disabled');
  assert.equal(rcpts(peer), 0);
});

test('a new user is welcomed once', async (t) => {
  const { options } = await mailServer(t, ['alice@example.com']);
  const { add, kind, database } = await open(t, { [verificationSettings.welcome.key]: true });
  await add({ options });
  await Promise.all([kind('alice@example.com'), kind('alice+a@example.com'), kind('ALICE@example.com')]);
  const letters = await database.read({ sql: 'SELECT recipients FROM outbox', parameters: [] });
  assert.deepEqual(
    letters.map((row) => row['recipients']),
    ['["alice@example.com"]'],
  );
});

test('a source knows a password that this node does not, and is not asked again for minutes', async (t) => {
  const { peer, state, options } = await mailServer(t, ['alice@example.com']);
  const { add, askSources, admin, clock } = await open(t);
  assert.equal(await askSources('alice@example.com', 'right'), 'none');
  await add({ options });
  assert.equal(await askSources('alice@example.com', 'wrong'), 'no');
  assert.equal(await askSources('alice@example.com', ''), 'no');
  assert.deepEqual(await askSources('alice@example.com', 'right'), { user: 'alice@example.com' });
  assert.equal((await admin.listAccounts()).length, 1);
  const asked = peer.lines.length;
  assert.deepEqual(await askSources('alice@example.com', 'right'), { user: 'alice@example.com' });
  assert.equal(peer.lines.length, asked);
  state.broken = true;
  assert.equal(await askSources('alice@example.com', 'other'), 'cannot-tell');
  await clock.advance(6 * 60_000);
  assert.equal(await askSources('alice@example.com', 'right'), 'cannot-tell');
});

test('the attacker, whom an administrator disabled, becomes a new user by an alias or sub-address that a source knows', async (t) => {
  const names = ['alice@example.com', 'al@example.com', 'alice+x@example.com'];
  const { options } = await mailServer(t, names);
  const { add, askSources, admin, kind, make, database } = await open(t);
  await add({ options });
  assert.equal(await kind('alice@example.com'), 'local');
  await make(await admin.addAlias({ address: 'al@example.com', targets: ['alice@example.com'] }));
  const disable = { sql: "UPDATE account SET state = 'disabled'", parameters: [], writes: { topic: 'account' } };
  await database.write([disable]);
  for (const name of names) {
    await askSources(name, 'right');
    assert.ok(['disabled', 'unknown-user'].includes(await kind(name)), name);
  }
  assert.equal((await admin.listAccounts()).length, 1);
});

const CREATE = { [verificationSettings.createDomains.key]: true };

test('a domain whose user a default source confirms becomes local', async (t) => {
  const { options } = await mailServer(t, ['alice@new.example']);
  const { add, kind, directory, events } = await open(t, CREATE);
  await add({ options, domains: [], isDefault: true });
  assert.equal(await kind('nobody@new.example'), 'remote');
  assert.equal(await kind('alice@new.example'), 'local');
  assert.equal((await directory.domain('new.example'))?.enabled, true);
  assert.equal(events.count('verification.domain-created'), 1);
});

test('the attacker finds a source that confirms everybody, and makes no domain by it', async (t) => {
  const { state, options } = await mailServer(t, []);
  state.catchAll = true;
  const { add, kind, events } = await open(t, CREATE);
  await add({ options, domains: [], isDefault: true });
  assert.equal(await kind('alice@attacker.example'), 'remote');
  assert.equal(await kind('bob@attacker.example'), 'remote');
  assert.equal(events.count('verification.domain-refused'), 1);
});

test('a domain whose mail does not come here stays remote, and no source is asked', async (t) => {
  const { peer, options } = await mailServer(t, ['alice@new.example']);
  const { add, kind } = await open(t, CREATE, async () => 'no');
  await add({ options, domains: [], isDefault: true });
  assert.equal(await kind('alice@new.example'), 'remote');
  assert.equal(rcpts(peer), 0);
});

test('domains are made so many an hour, and the rest is put off', async (t) => {
  const { options } = await mailServer(t, ['a@one.example', 'a@two.example']);
  const limit = { ...CREATE, [verificationSettings.createDomainsPerHour.key]: 1 };
  const { add, kind } = await open(t, limit);
  await add({ options, domains: [], isDefault: true });
  assert.equal(await kind('a@one.example'), 'local');
  assert.equal(await kind('a@two.example'), 'cannot-tell');
});

test('users of new domains who come at the same moment make no domain twice, and none beyond the cap', async (t) => {
  const users = ['a@one.example', 'b@one.example', 'a@two.example', 'a@three.example'];
  const { options } = await mailServer(t, users);
  const limit = { ...CREATE, [verificationSettings.createDomainsPerHour.key]: 1 };
  const { add, kind, events } = await open(t, limit);
  await add({ options, domains: [], isDefault: true });
  const kinds = await Promise.all(users.map((user) => kind(user)));
  assert.equal(events.count('verification.domain-created'), 1);
  assert.deepEqual(new Set(kinds), new Set(['local', 'cannot-tell']));
  const made = users.find((_, index) => kinds[index] === 'local')!.split('@')[1];
  for (const [index, user] of users.entries())
    assert.equal(kinds[index], user.endsWith(`@${made}`) ? 'local' : 'cannot-tell', user);
});

test('a user whose new domain is made by another user meanwhile is none beyond the cap', async (t) => {
  const users = ['a@one.example', 'b@one.example', 'c@two.example'];
  const { options } = await mailServer(t, users);
  const made = Promise.withResolvers<void>();
  let asked = 0;
  const limit = { ...CREATE, [verificationSettings.createDomainsPerHour.key]: 1 };
  const { add, kind } = await open(t, limit, async () => {
    if (asked++ > 0) await made.promise;
    return 'yes';
  });
  await add({ options, domains: [], isDefault: true });
  const [first, ...later] = users.map((user) => kind(user));
  assert.equal(await first, 'local');
  made.resolve();
  assert.deepEqual(await Promise.all(later), ['local', 'cannot-tell']);
});

test('domains are not made unless that is switched on', async (t) => {
  const { peer, options } = await mailServer(t, ['alice@new.example']);
  const { add, kind } = await open(t);
  await add({ options, domains: [], isDefault: true });
  assert.equal(await kind('alice@new.example'), 'remote');
  assert.equal(rcpts(peer), 0);
});

test('the dialogue of each source is shown, and nothing is changed by looking', async (t) => {
  const [first, second] = [await mailServer(t, []), await mailServer(t, ['alice@example.com'])];
  const { add, sourceAdmin, admin } = await open(t);
  first.state.broken = true;
  await add({ options: first.options });
  const two = await add({ options: second.options });
  const { answer, asked } = await sourceAdmin.verify(address('alice@example.com'));
  assert.equal(answer, 'yes');
  assert.deepEqual(
    asked.map(({ source }) => source),
    [1, 2],
  );
  assert.ok(asked[0]!.dialogue.includes('< 451 4.3.0 later'));
  assert.ok(asked[1]!.dialogue.includes('> RCPT TO:<alice@example.com>'));
  assert.equal((await admin.listAccounts()).length, 0);
  assert.equal((await sourceAdmin.test(two, address('alice@example.com'))).confirmsAnybody, false);
  second.state.catchAll = true;
  assert.equal((await sourceAdmin.test(two, address('alice@example.com'))).confirmsAnybody, true);
});

test('a domain that is removed takes its assignments and what was confirmed with it', async (t) => {
  const { peer, options } = await mailServer(t, ['alice@example.com']);
  const { add, kind, admin, make, sourceAdmin } = await open(t);
  await add({ options });
  await kind('alice@example.com');
  await make(await admin.removeDomain('example.com'));
  assert.equal(await kind('alice@example.com'), 'remote');
  await make(await admin.addDomain({ name: 'example.com' }));
  assert.equal(await kind('alice@example.com'), 'unknown-user');
  assert.deepEqual((await sourceAdmin.list())[0]?.domains, []);
  assert.equal(rcpts(peer), 1);
});

test('secrets are sealed, and no list shows them', async (t) => {
  const { options } = await mailServer(t, []);
  const { add, sourceAdmin, database } = await open(t);
  await add({ options: { ...options, user: 'gateway' }, secret: 'our-secret' });
  const [row] = await database.read({ sql: 'SELECT * FROM verification_source', parameters: [] });
  assert.match(row!['secret'] as string, /^source\/1 /);
  assert.ok(!JSON.stringify(await sourceAdmin.list()).includes('our-secret'));
});
