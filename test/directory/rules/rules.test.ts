import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createRuleAdmin, type NewEntry } from '../../../src/directory/rules/admin.ts';
import { type ListTable, listTable, type ObservedSender } from '../../../src/directory/rules/lists.ts';
import { findLocalAllows } from '../../../src/directory/rules/local-allows.ts';
import { createSenderRules } from '../../../src/directory/rules/rules.ts';
import { shieldTable } from '../../../src/directory/rules/shields.ts';
import { directoryMigrations } from '../../../src/directory/schema.ts';
import { networksOf } from '../../../src/protocol/network/table.ts';
import type { PreparedChange } from '../../../src/store/contract.ts';
import { manualClock } from '../../support/clock.ts';
import { memoryDatabase } from '../../support/database.ts';

async function open(t: TestContext) {
  const db = await memoryDatabase(t, ...directoryMigrations);
  await db.write([{ sql: "insert into domain values ('example.com', 1, 0)", parameters: [] }]);
  const clock = manualClock();
  const rules = createSenderRules(db);
  const domain = (name: string) => (name === 'example.com' ? { name, enabled: true } : undefined);
  const admin = createRuleAdmin(db, { domain }, clock);
  const make = async (made: Promise<{ readonly change: PreparedChange }>): Promise<void> => {
    const { change } = await made;
    await db.write(change.statements);
    change.committed();
  };
  return { db, clock, rules, admin, add: (entry: NewEntry) => make(admin.addEntry(entry)), make };
}

const OWNERS = ['alice@example.com', 'example.com', ''];
const seen = (address: string, client = '198.51.100.7', more: Partial<ObservedSender> = {}): ObservedSender => ({
  client,
  names: [],
  addresses: [{ key: address, domain: address.slice(address.indexOf('@') + 1), proven: true }],
  ...more,
});
const says = (table: ListTable, what: ObservedSender, now = 0): string => {
  const found = table.listing(OWNERS, what, now);
  return found ? `${found.list} ${found.value}` : 'nothing';
};

test('an entry counts at once, and no longer once it is removed', async (t) => {
  const { rules, admin, add, make } = await open(t);
  assert.ok((await rules.lists()).isEmpty);
  await add({ list: 'block', value: 'Eve@Remote.Example' });
  assert.equal(says(await rules.lists(), seen('eve@remote.example')), 'block eve@remote.example');
  await make(admin.removeEntry({ list: 'block', value: 'eve@remote.example' }));
  assert.equal(says(await rules.lists(), seen('eve@remote.example')), 'nothing');
});

test('personal counts before domain before global, and a block before an allow on one level', async (t) => {
  const { rules, add } = await open(t);
  const bob = seen('bob@remote.example');
  await add({ list: 'allow', value: 'bob@remote.example' });
  assert.equal(says(await rules.lists(), bob), 'allow bob@remote.example');
  await add({ list: 'block', value: '@remote.example' });
  assert.equal(says(await rules.lists(), bob), 'block *@remote.example');
  await add({ list: 'allow', value: 'bob@remote.example', owner: 'example.com' });
  assert.equal(says(await rules.lists(), bob), 'allow bob@remote.example');
  await add({ list: 'block', value: 'b?b@remote.example', owner: 'alice@example.com' });
  assert.equal(says(await rules.lists(), bob), 'block b?b@remote.example');
});

test('an entry ends with its time', async (t) => {
  const { rules, add, clock } = await open(t);
  const at = clock.now() + 60_000;
  await add({ list: 'block', value: '198.51.100.0/24', expires: new Date(at).toISOString() });
  const table = await rules.lists();
  assert.equal(says(table, seen('a@b.example'), at - 1), 'block 198.51.100.0/24');
  assert.equal(says(table, seen('a@b.example'), at), 'nothing');
  await assert.rejects(add({ list: 'block', value: 'x@y.example', expires: '2001-01-01' }), { code: 'rules.invalid' });
});

test('an attacker who writes an allow-listed address into MAIL gains nothing, nor by HELO', async (t) => {
  const { rules, add } = await open(t);
  await add({ list: 'allow', value: 'bob@remote.example' });
  await add({ list: 'allow', kind: 'host', value: '*.remote.example' });
  const forged = { key: 'bob@remote.example', domain: 'remote.example', proven: false };
  const table = await rules.lists();
  assert.equal(says(table, seen('', undefined, { addresses: [forged], helo: 'mx.remote.example' })), 'nothing');
  assert.equal(says(table, seen('x@y.example', undefined, { names: ['mx.remote.example'] })), 'allow *.remote.example');
});

test('HELO alone is enough to block', async (t) => {
  const { rules, add } = await open(t);
  await add({ list: 'block', kind: 'host', value: 'spam.example' });
  assert.equal(
    says(await rules.lists(), seen('a@b.example', undefined, { helo: 'spam.example' })),
    'block spam.example',
  );
});

test('an allow entry that covers a local address is refused, whatever its form, unless one insists', async (t) => {
  const { admin, add } = await open(t);
  for (const value of ['ceo@example.com', '@example.com', 'ceo@*.com', '*@exam*', 'c?o@example.com'])
    await assert.rejects(add({ list: 'allow', value }), { code: 'rules.local' }, value);
  await add({ list: 'allow', value: 'ceo@example.com', allowLocal: true });
  await add({ list: 'block', value: '@example.com' });
  const shown = await admin.entries({ list: 'allow', limit: 10 });
  assert.deepEqual(
    shown.map(({ value, covers_local }) => [value, covers_local]),
    [['ceo@example.com', 1]],
  );
});

test('an entry whose domain becomes local later is found, too', async (t) => {
  const { db, add } = await open(t);
  await add({ list: 'allow', value: 'ceo@example.com', allowLocal: true });
  await add({ list: 'allow', value: '*@*.late.example', owner: 'example.com' });
  await add({ list: 'allow', value: 'bob@remote.example' });
  await add({ list: 'allow', kind: 'host', value: 'example.com' });
  await add({ list: 'block', value: '@example.com' });
  const found = async (most: number) => {
    const { entries, count, addresses } = await findLocalAllows(db, most);
    return [entries.map(({ value }) => value), count, addresses];
  };
  assert.deepEqual(await found(20), [['ceo@example.com'], 1, 3]);
  await db.write([{ sql: "insert into domain values ('in.late.example', 1, 0)", parameters: [] }]);
  assert.deepEqual(await found(20), [['ceo@example.com', '*@*.late.example'], 2, 3]);
  assert.deepEqual(await found(1), [['ceo@example.com'], 2, 3]);
});

test('a CSV is imported whole or not at all, and names the line that is wrong', async (t) => {
  const { admin, make } = await open(t);
  const csv = 'kind,value,list,comment\nip,203.0.113.0/24,block,spam\naddress,,block,\n';
  await assert.rejects(admin.importEntries(csv, {}), { code: 'rules.invalid', message: /^line 3: / });
  await make(
    admin.importEntries(csv.replace('address,,block,\n', ',bob@remote.example,,\n').replace(',,\n', ',allow,\n'), {}),
  );
  const rows = await admin.entries({ limit: 10 });
  assert.equal(
    admin.csv(rows),
    'list,kind,owner,value,comment,expires\r\nallow,address,,bob@remote.example,,\r\nblock,ip,,203.0.113.0/24,spam,\r\n',
  );
});

test('patterns that must be compared one by one are few', async (t) => {
  const { admin } = await open(t);
  const many = Array.from({ length: 51 }, (_, i) => `a*@x${i}*.example`).join('\n');
  await assert.rejects(admin.importEntries(`value\n${many}`, { list: 'block' }), { code: 'rules.invalid' });
});

test('a hundred thousand entries cost a sender a few microseconds', () => {
  const row = { list: 'block', owner: '', comment: '', expires_at: null, covers_local: 0, created_at: 0 } as const;
  const table = listTable(
    Array.from({ length: 100_000 }, (_, i) =>
      i % 2
        ? { ...row, kind: 'address', value: `user${i}@d${i}.example` }
        : { ...row, kind: 'ip', value: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` },
    ),
  );
  const stranger = seen('bob@remote.example');
  const started = process.cpuUsage();
  for (let i = 0; i < 20_000; i++) table.listing(OWNERS, stranger, 0);
  const microseconds = process.cpuUsage(started).user / 20_000;
  assert.ok(microseconds < 50, `${microseconds} microseconds`);
});

test('a shield restricts the domains that are listed, and no others', () => {
  const row = { id: 1, comment: '', created_at: 0 };
  const table = shieldTable([
    { ...row, domain: 'partner.example', network: '203.0.113.0/24' },
    { ...row, domain: 'partner.example', network: '192.0.2.?' },
    { ...row, domain: '*.printers.example', network: '198.51.100.9' },
    { ...row, domain: '$LOCALDOMAIN$', network: '100.64.0.0/10' },
  ]);
  const presets = networksOf(['10.0.0.0/8']);
  for (const [domain, isLocal, client, verdict] of [
    ['free.example', false, '10.0.0.1', 'none'],
    ['partner.example', false, '203.0.113.9', 'entered'],
    ['partner.example', false, '192.0.2.7', 'entered'],
    ['partner.example', false, '192.0.2.17', 'violated'],
    ['a.printers.example', false, '198.51.100.9', 'entered'],
    ['a.printers.example', false, '198.51.100.8', 'violated'],
    ['example.com', true, '10.0.0.1', 'preset'],
    ['example.com', true, '100.64.1.1', 'entered'],
    ['example.com', true, '198.51.100.8', 'violated'],
  ] as const)
    assert.equal(table.verdict(domain, isLocal, client, presets), verdict, `${domain} ${client}`);
  assert.equal(table.verdict('example.com', true, '10.0.0.1', undefined), 'violated', 'without presets');
});

test('the attacker finds no pair that holds the whole Internet', async (t) => {
  const { admin, make } = await open(t);
  for (const network of ['0.0.0.0/0', '*.*.*.*', '::/0', '128.0.0.0/1', '2000::/3'])
    await assert.rejects(admin.addShield({ domain: 'example.com', network }), { code: 'rules.invalid' }, network);
  for (const network of ['10.0.0.0/8', 'fd00::/8', '*.1.2.3'])
    await make(admin.addShield({ domain: 'example.com', network }));
});

test('a pair is entered once, and by its one spelling', async (t) => {
  const { admin, make, rules } = await open(t);
  await make(admin.addShield({ domain: '$localdomain$', network: '192.168.5.0/24', comment: 'printers' }));
  await assert.rejects(admin.addShield({ domain: '$LOCALDOMAIN$', network: '192.168.5.*' }), { code: 'rules.exists' });
  await assert.rejects(admin.addShield({ domain: 'not a domain', network: '10.0.0.1' }), { code: 'rules.invalid' });
  await assert.rejects(admin.addShield({ domain: 'x.example', network: 'anywhere' }), { code: 'rules.invalid' });
  assert.equal((await rules.shields()).verdict('example.com', true, '192.168.5.77', undefined), 'entered');
});
