/**
 * Evidence taken under some settings and judged under others equals the live answer under those others,
 * or is unknown: for every check, over its settings and over sessions that make it speak. Not covered:
 * header edits, which no replay reports, and time: both nodes see the same world.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Evidence, Finding } from '../../../src/model/finding.ts';
import { CHECKS, screenSettings } from '../../../src/screen/index.ts';
import { LOOKING } from '../../../src/screen/looking.ts';
import { createReplay, type ReplayedRecipient } from '../../../src/screen/replay/replay.ts';
import type { SettingDefinition } from '../../../src/settings/define.ts';
import { tableResolver, txt } from '../checks/origin/table-resolver.ts';
import {
  content,
  PLAIN,
  type ScreenOptions,
  SERVER_ADDRESS,
  type SettingTable,
  screening,
  settings,
  transact,
} from '../world.ts';

const RECORDS = {
  'remote.example': {
    TXT: [txt('v=spf1 ip4:198.51.100.7 -all')],
    MX: [{ preference: 10, exchange: 'mx.remote.example' }],
  },
  'mx.remote.example': { A: ['198.51.100.7'] },
  'denied.example': { TXT: [txt('v=spf1 -all')], MX: [{ preference: 10, exchange: 'mx.remote.example' }] },
  'soft.example': { TXT: [txt('v=spf1 ~all')], A: ['192.0.2.80'] },
  'broken.example': { TXT: [txt('v=spf1 nonsense')], MX: [{ preference: 0, exchange: '' }] },
  'silent.example': { fails: 'servfail' as const },
  'exarnple.com': { TXT: [txt('v=spf1 ip4:198.51.100.7 -all')] },
  'rejected.example': { TXT: [txt('v=spf1 -all')] },
  '_dmarc.rejected.example': { TXT: [txt('v=DMARC1; p=reject')] },
  '_dmarc.denied.example': { TXT: [txt('v=DMARC1; p=quarantine')] },
  'helo.example': { TXT: [txt('v=spf1 -all')], A: ['203.0.113.77'] },
  '7.100.51.198.in-addr.arpa': { PTR: ['mx.remote.example'] },
};

interface Sending {
  readonly who: ScreenOptions;
  readonly from: string | null;
  readonly helo: string;
  readonly text: string;
  readonly sizeBytes?: number;
}

const letter = (from: string, more = ''): string =>
  `${more}From: ${from}\r\nTo: alice@example.com\r\nSubject: hello\r\nMessage-ID: <1@remote.example>\r\n\r\nHello.\r\n`;
const AUTHORS = [
  'Bob <bob@remote.example>',
  'Jane Doe <ceo@gmail.com>',
  '"alice@example.com" <eve@exarnple.com>',
  'Eve <eve@rejected.example>',
  'Ann <ann@denied.example>, bob@remote.example',
  'Alice <alice@example.com>',
  'root',
];
const MORE = [
  '',
  'From: second@remote.example\r\n',
  'Received: from relay.example (x [203.0.113.9]) by y\r\n'.repeat(26),
  'Received: from helo.example (x [203.0.113.77]) by y\r\n',
  `DKIM-Signature: v=1; a=rsa-sha256; d=remote.example; s=s; h=from:from; bh=AAAA; b=AAAA\r\n`.repeat(12),
];
const ENVELOPES = [
  'bob@remote.example',
  'eve@denied.example',
  'eve@soft.example',
  'eve@broken.example',
  'eve@silent.example',
  'nobody@example.com',
  'alice@example.com',
  null,
] as const;
const WHO: readonly ScreenOptions[] = [
  {},
  {},
  { client: '203.0.113.9' },
  { client: SERVER_ADDRESS },
  { client: '10.9.9.9' },
  { client: '10.9.9.9', pairs: [['example.com', '10.9.9.0/24']] },
  { pairs: [['remote.example', '192.0.2.0/24']] },
  { account: 'alice@example.com' },
  { lists: [{ list: 'block', kind: 'address', value: 'bob@remote.example' }] },
  { lists: [{ list: 'allow', kind: 'address', value: '*@denied.example' }] },
  { lists: [{ list: 'allow', kind: 'ip', value: '198.51.100.0/24' }] },
];
const RECIPIENTS = ['alice@example.com', 'postmaster', 'nobody@example.com', 'out@elsewhere.example'] as const;

const sending: fc.Arbitrary<Sending> = fc.record({
  who: fc.constantFrom(...WHO),
  from: fc.constantFrom(...ENVELOPES),
  helo: fc.constantFrom('mx.remote.example', 'helo.example', 'nowhere.example'),
  text: fc.tuple(fc.constantFrom(...AUTHORS), fc.constantFrom(...MORE)).map(([from, more]) => letter(from, more)),
  sizeBytes: fc.constantFrom(undefined, undefined, 70_000),
});

/** Values that make a difference, by the setting's kind; else flags, choices and small numbers by its schema. */
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  'smtp.maxMessageBytes': [65_536, 1_000_000],
  'displayNameProtection.protectedUsers': [
    ['Jane Doe <jane@example.com>'],
    ['Bob <x@y.example>', 'Jane Doe <ceo@gmail.com>'],
  ],
  'displayNameProtection.allowedSenders': [['gmail.com'], ['*.example']],
  'displayNameProtection.freeMailProviders': [[], ['remote.example']],
  'lookAlikeDomain.allowed': [['exarnple.com']],
  'lookAlikeDomain.ignoredKinds': [['confusable', 'edited']],
  'arc.trustedSealers': [['remote.example']],
  'authentication.trustedRelays': [['203.0.113.9'], ['198.51.100.0/24']],
  'ipShield.presets': [[], ['198.51.100.0/24']],
  'ipShield.natAddresses': [['198.51.100.7'], ['203.0.113.200']],
  'dkim.minimumKeyBits': [2048],
  'authentication.authservId': ['other.example'],
};

function valuesOf({ key, schema }: SettingDefinition<unknown>): readonly unknown[] {
  if (VALUES[key]) return VALUES[key];
  if (key.endsWith('.exempt'))
    return [[], ['authenticated', 'roleAddress'], ['allowListed', 'ipShield', 'domainMailServer', 'authenticated']];
  const {
    type,
    minimum = 0,
    maximum = 100,
    enum: names,
  } = schema as unknown as Record<string, never> & {
    type?: string;
    minimum?: number;
    maximum?: number;
    enum?: readonly unknown[];
  };
  if (names) return names;
  if (type === 'boolean') return [true, false];
  return type === 'integer' ? [...new Set([minimum, Math.min(maximum, Math.max(minimum, 7))])] : [];
}

const TUNABLE = Object.values(screenSettings).filter(
  (setting) => valuesOf(setting).length > 0 && setting.key !== 'screen.messageSeconds',
);

function tableOver(definitions: readonly SettingDefinition<unknown>[]): fc.Arbitrary<SettingTable> {
  const one = fc
    .constantFrom(...definitions)
    .chain((setting) =>
      fc
        .tuple(fc.constantFrom(...valuesOf(setting)), fc.boolean())
        .map(
          ([value, own]) =>
            [own && setting.scope === 'domain' ? `example.com/${setting.key}` : setting.key, value] as const,
        ),
    );
  return fc.array(one, { maxLength: 5 }).map((entries) => Object.fromEntries(entries));
}

async function send({ who, from, helo, text, sizeBytes }: Sending, table: SettingTable) {
  const world = screening({
    ...who,
    settings: table,
    resolver: tableResolver(RECORDS),
    helo,
    people: { 'jane@example.com': 'Jane Doe' },
  });
  const parameters = sizeBytes === undefined ? PLAIN : { ...PLAIN, sizeBytes };
  const done = await transact(world, from, RECIPIENTS, content(text), parameters);
  return { ...done, evidence: done.message?.evidence ?? world.session.observed?.() ?? {} };
}

/** Whose fate is what, by the live node. */
function fates({ mail, recipients, message }: Awaited<ReturnType<typeof send>>): readonly string[] {
  let next = 0;
  return RECIPIENTS.map((_, index) => {
    if (mail.refusal) return fateOf(mail.refusal.code);
    const atRcpt = recipients[index]!;
    if (!atRcpt.accepted) return fateOf(atRcpt.reply.code);
    if (message!.kind === 'reply') return fateOf(message!.reply.code);
    return message!.dispositions[next++]!.kind;
  });
}

const fateOf = (code: number): string => (code < 500 ? 'defer' : 'refuse');

const comparable = (findings: readonly Finding[]) =>
  findings.map(({ text: _, ...rest }) => JSON.stringify(rest)).sort();

async function holds(sent: Sending, before: SettingTable, after: SettingTable): Promise<'known' | 'unknown'> {
  const [then, now] = [await send(sent, before), await send(sent, after)];
  if (then.mail.refusal) return 'unknown';
  const evidence = JSON.parse(JSON.stringify(then.evidence)) as Readonly<Record<string, Evidence>>;
  const again = createReplay(settings(after).current())(evidence);
  const live = fates(now);
  let known: 'known' | 'unknown' = 'unknown';
  again.recipients.forEach((one: ReplayedRecipient, index) => {
    if (one.unknown) return;
    assert.equal(one.address, RECIPIENTS[index]);
    const atRcpt = now.recipients[index];
    if (one.atLeast) {
      assert.equal(atRcpt?.accepted, true, `${one.address} accepted at RCPT`);
      return;
    }
    known = 'known';
    assert.equal(one.disposition, live[index], one.address);
    if (now.mail.refusal || !atRcpt?.accepted) return;
    const found = now.message!.findings.find(({ recipient }) => recipient === one.address)?.findings ?? [];
    assert.deepEqual(comparable(one.findings), comparable(found), one.address);
  });
  return known;
}

for (const check of CHECKS) {
  const group = check.settingsGroup ?? check.id;
  const own = TUNABLE.filter(
    ({ key }) => key.startsWith(`${group}.`) || Object.values(check.settings).some((one) => one.key === key),
  );
  if (own.length === 0) continue;
  test(`evidence of ${check.id} under some settings, judged under others, is the live answer or unknown`, async () => {
    await fc.assert(
      fc.asyncProperty(sending, tableOver(own), tableOver(own), async (sent, before, after) => {
        await holds(sent, before, after);
      }),
      { numRuns: 25 },
    );
  });
}

test('so it is over all settings together, those of looking among them', async () => {
  const all = [...TUNABLE, ...LOOKING.map(({ setting }) => setting).filter((one) => valuesOf(one).length > 0)];
  await fc.assert(
    fc.asyncProperty(sending, tableOver(all), tableOver(all), async (sent, before, after) => {
      await holds(sent, before, after);
    }),
    { numRuns: 150 },
  );
});

test('under the settings that it was taken under, evidence knows every recipient whom it has', async () => {
  let known = 0;
  let all = 0;
  await fc.assert(
    fc.asyncProperty(sending, tableOver(TUNABLE), async (sent, table) => {
      const { evidence, mail } = await send(sent, table);
      if (mail.refusal) return;
      const again = createReplay(settings(table).current())(JSON.parse(JSON.stringify(evidence)));
      all += again.recipients.length;
      known += again.recipients.filter(({ unknown }) => unknown === undefined).length;
    }),
    { numRuns: 60 },
  );
  assert.ok(all > 0);
  assert.equal(known, all);
});
