/** Values that can hardly be meant, at every door through which something comes to be trusted. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SETTINGS } from '../../src/catalogue.ts';
import type { Core } from '../../src/core.ts';
import { refusal } from '../../src/settings/validate.ts';
import { ROOT, startCore } from '../support/core.ts';

const WIDE = [
  '0.0.0.0/0',
  '0.0.0.0/1',
  '10.0.0.0/4',
  '10.0.0.0/7',
  '*.*.*.*',
  '1*.*.*.*',
  '::/0',
  '::/1',
  '2000::/3',
  '2400::/12',
  '::ffff:0.0.0.0/96',
  '::ffff:0:0/96',
  '::FFFF:10.0.0.0/103',
  '::/96',
  '64:ff9b::/96',
  '64:ff9b::10.0.0.0/100',
  '64:ff9b:1::/48',
  '64:ff9b:1:fffe::/96',
  '2002::/16',
  '2001::/32',
  '::ffff:0:0:0/96',
] as const;
const MEANT = ['10.0.0.0/8', '192.0.2.7', '192.0.2.0/24', 'fd00::/8', '2001:db8::/32', '2002:c000:204::/48', '::1'];
const SUFFIXES = [
  'com',
  '*@com',
  '@co.uk',
  '*.co.uk',
  '*@*.com',
  '*@*.co.uk',
  '*@*.github.io',
  '*@*',
  '*@*bank*',
  'a@*.рф',
];

/** A list of networks, as it behaves: it takes a network and no other text. */
const isNetworks = (setting: (typeof SETTINGS)[number]): boolean =>
  refusal(setting, ['192.0.2.0/24', 'fd00::/8']) === undefined && refusal(setting, ['no network']) !== undefined;
const NETWORK_SETTINGS = SETTINGS.filter(isNetworks);

type Door = (core: Core, value: string, force?: boolean) => Promise<unknown>;

const quotedCell = (value: string): string => `"${value.replaceAll('"', '""')}"`;
const NETWORK_DOORS: Readonly<Record<string, Door>> = {
  'list.add': ({ operations }, value, force) =>
    operations.executeUnknown('list.add', { list: 'allow', kind: 'ip', value, force }, ROOT),
  'list.import': ({ operations }, value, force) =>
    operations.executeUnknown('list.import', { csv: `value,kind,list\n${quotedCell(value)},ip,allow\n`, force }, ROOT),
  'server.add': ({ operations }, value, force) =>
    operations.executeUnknown(
      'server.add',
      { server: 'mail.example.com', sendsFrom: [value], signIn: true, force },
      ROOT,
    ),
  'shield.add': ({ operations }, value, force) =>
    operations.executeUnknown('shield.add', { domain: 'example.com', network: value, force }, ROOT),
  ...Object.fromEntries(
    NETWORK_SETTINGS.flatMap(({ key }): [string, Door][] => [
      [
        `settings.set ${key}`,
        ({ operations }, value, force) =>
          operations.executeUnknown('settings.set', { key, value: [value], force }, ROOT),
      ],
      [
        `settings.import ${key}`,
        ({ operations }, value, force) =>
          operations.executeUnknown(
            'settings.import',
            { file: `global:\n  ${key}: [${JSON.stringify(value)}]\n`, force },
            ROOT,
          ),
      ],
    ]),
  ),
};

async function open(t: TestContext): Promise<Core> {
  const core = await startCore(t);
  await core.operations.executeUnknown('domain.add', { name: 'example.com' }, ROOT);
  return core;
}

const codeOf = (act: Promise<unknown>): Promise<string> =>
  act.then(
    () => 'taken',
    (error: { code?: string }) => error.code ?? String(error),
  );

test('there are doors to try, and each setting that is a list of networks is one', () => {
  const keys = NETWORK_SETTINGS.map(({ key }) => key);
  for (const key of [
    'authentication.trustedRelays',
    'directory.sharedNetworks',
    'ipShield.presets',
    'ipShield.natAddresses',
    'minger.anonymousNetworks',
  ])
    assert.ok(keys.includes(key), key);
  for (const setting of NETWORK_SETTINGS) assert.ok(setting.doubt?.(['0.0.0.0/0']), setting.key);
});

test('the attacker is trusted by a slip: no list of networks takes half the Internet, however it is spelled', async (t) => {
  const core = await open(t);
  for (const [name, door] of Object.entries(NETWORK_DOORS))
    for (const value of WIDE)
      assert.match(await codeOf(door(core, value)), /\.(doubtful|invalid)$/, `${name} ${value}`);
});

test('an operator who insists has it, by every door but that of a pair, through which all of it would relay', async (t) => {
  const core = await open(t);
  for (const [name, door] of Object.entries(NETWORK_DOORS)) {
    const pair = name === 'shield.add';
    assert.equal(await codeOf(door(core, '0.0.0.0/0', true)), pair ? 'rules.invalid' : 'taken', name);
    assert.equal(await codeOf(door(core, '2400::/12', true)), 'taken', name);
  }
});

test('honest networks need no insisting', async (t) => {
  const core = await open(t);
  for (const [name, door] of Object.entries(NETWORK_DOORS))
    for (const value of MEANT) assert.equal(await codeOf(door(core, value)), 'taken', `${name} ${value}`);
});

test('an address where a network was asked for is refused with the network that it may mean', async (t) => {
  const core = await open(t);
  for (const [name, door] of Object.entries(NETWORK_DOORS)) {
    await assert.rejects(door(core, '192.0.2.7/24'), /192\.0\.2\.0\/24 \(the network\) or 192\.0\.2\.7/, name);
    await assert.rejects(door(core, '2001:db8::7/32'), /2001:db8::\/32 \(the network\) or 2001:db8::7/, name);
  }
});

test('the attacker registers a name below a public suffix that somebody allowed: no list has one', async (t) => {
  const core = await open(t);
  const { operations } = core;
  const add = (input: object) => codeOf(operations.executeUnknown('list.add', { list: 'allow', ...input }, ROOT));
  for (const value of SUFFIXES) {
    assert.match(await add({ kind: 'address', value, allowLocal: true }), /^rules\.(doubtful|invalid)$/, value);
    const csv = `value,kind,list\n${value},address,allow\n`;
    const imported = codeOf(operations.executeUnknown('list.import', { csv, allowLocal: true }, ROOT));
    assert.match(await imported, /^rules\.(doubtful|invalid)$/, value);
  }
  for (const value of ['com', '*.com', '*.co.uk', 'mail.*', '*bank*']) {
    assert.equal(await add({ kind: 'host', value }), 'rules.doubtful', value);
    const pair = operations.executeUnknown('shield.add', { domain: value, network: '192.0.2.7' }, ROOT);
    assert.equal(await codeOf(pair), 'rules.doubtful', value);
  }
  for (const value of ['*@example.co.uk', '*@*.partner.example', '*@gmail.com', 'a*@example.net'])
    assert.equal(await add({ kind: 'address', value }), 'taken', value);
  assert.equal(await add({ kind: 'address', value: '*@*.com', force: true, allowLocal: true }), 'taken');
  const blocked = { list: 'block', kind: 'host', value: '*.com' };
  assert.equal(await codeOf(operations.executeUnknown('list.add', blocked, ROOT)), 'taken');
  const named = { server: 'mail.example.com', clientCertificates: ['co.uk'] };
  assert.equal(await codeOf(operations.executeUnknown('server.add', named, ROOT)), 'directory.doubtful');
  for (const [key, value] of [
    ['arc.trustedSealers', 'com'],
    ['lookAlikeDomain.allowed', 'co.uk'],
    ['displayNameProtection.allowedSenders', '*.com'],
  ] as const)
    assert.equal(
      await codeOf(operations.executeUnknown('settings.set', { key, value: [value] }, ROOT)),
      'settings.doubtful',
      key,
    );
});

test('to block everybody is doubted, to block a large network is not', async (t) => {
  const { operations } = await open(t);
  const block = (value: string) =>
    codeOf(operations.executeUnknown('list.add', { list: 'block', kind: 'ip', value }, ROOT));
  for (const value of ['0.0.0.0/0', '::/0', '::ffff:0:0/96', '*.*.*.*'])
    assert.equal(await block(value), 'rules.doubtful');
  for (const value of ['96.0.0.0/6', '2400::/12']) assert.equal(await block(value), 'taken', value);
});

test('what was insisted on stays, is imported again as it was exported, and is shown by the check', async (t) => {
  const core = await startCore(t, { POSTERN_TRUSTED_PROXIES: 'force:0.0.0.0/0, 192.0.2.7' });
  const { operations } = core;
  const key = 'authentication.trustedRelays';
  await operations.executeUnknown('settings.set', { key, value: ['0.0.0.0/0'], force: true }, ROOT);
  await operations.executeUnknown('list.add', { list: 'allow', value: '10.0.0.0/4', force: true }, ROOT);
  await operations.executeUnknown('list.add', { list: 'allow', value: '*@com', force: true }, ROOT);
  const { yaml } = (await operations.executeUnknown('settings.export', {}, ROOT)) as { yaml: string };
  await operations.executeUnknown('settings.import', { file: yaml }, ROOT);
  const { results } = (await operations.executeUnknown('check.node', {}, ROOT)) as {
    results: readonly { test: string; verdict: string; seen: string }[];
  };
  const shown = results.filter(({ test: name }) => name === 'trust');
  assert.ok(shown.every(({ verdict }) => verdict === 'wrong'));
  for (const words of [/trustedRelays/, /trustedProxies/, /allow 0\.0\.0\.0\/4/, /allow \*@com/])
    assert.ok(
      shown.some(({ seen }) => words.test(seen)),
      String(words),
    );
  assert.equal(shown.length, 4);
});
