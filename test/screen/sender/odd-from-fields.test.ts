/**
 * Odd From fields, and what every reader of the author gets from each: test/protocol/mime/odd-from-fields.txt.
 *
 * The fields run through the readers that decide: DMARC with a sender who passes SPF as evil.test, the
 * signer, the match with alice's login, a block entry for all of bank.test, and the log.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fromDomain } from '../../../src/deliver/signing/author.ts';
import { inspectHeader } from '../../../src/protocol/mime/inspect-header.ts';
import { createAsker } from '../../../src/screen/checks/origin/ask.ts';
import { evaluate } from '../../../src/screen/checks/origin/dmarc/evaluation.ts';
import type { DkimEvidence, SpfEvidence } from '../../../src/screen/checks/origin/types.ts';
import { fromMatchesLogin } from '../../../src/screen/checks/relay/sender-matches-login.ts';
import { blockList } from '../../../src/screen/checks/sender-rules/block-list.ts';
import type { Resolver } from '../../../src/world/resolver.ts';
import { manualClock } from '../../support/clock.ts';
import { content, outcome, type ScreenOptions, screening, transact } from '../world.ts';

interface Row {
  readonly from: string;
  readonly author: string;
  readonly dmarc: string;
  readonly signs: string;
  readonly login: string;
  readonly list: string;
  readonly log: string;
}

const POLICIES: Readonly<Record<string, string>> = {
  '_dmarc.bank.test': 'v=DMARC1; p=reject',
  '_dmarc.evil.test': 'v=DMARC1; p=none',
  '_dmarc.eve.test': 'v=DMARC1; p=reject',
};

const RESOLVER = {
  resolve: async (name: string, type: string) => {
    const record = type === 'TXT' ? POLICIES[name] : undefined;
    return record === undefined
      ? { kind: 'none', nxdomain: true, ttlSeconds: 60 }
      : { kind: 'found', records: [[Buffer.from(record)]], ttlSeconds: 60 };
  },
} as unknown as Resolver;

const SPF: SpfEvidence = {
  made: true,
  client: '198.51.100.7',
  helo: 'mx.evil.test',
  envelopeFrom: 'x@evil.test',
  mail: { scope: 'mfrom', domain: 'evil.test', result: 'pass', text: '' },
};
const DKIM: DkimEvidence = { made: true, signatures: [], unread: 0 };

async function readAll(from: string): Promise<Row> {
  const text = `From: ${from}\r\nSubject: odd\r\n\r\nbody\r\n`;
  const { author } = inspectHeader(Buffer.from(text, 'latin1'));
  const services = { resolver: RESOLVER, clock: manualClock() };
  const dmarc = await evaluate({ author, spf: SPF, dkim: DKIM }, createAsker(RESOLVER), services);
  const run = async (options: ScreenOptions, sender: string, recipient: string): Promise<string> =>
    outcome(await transact(screening(options), sender, [recipient], content(text))).at(-1)!;
  const block = { list: 'block', kind: 'address', value: '*@bank.test' } as const;
  const login = await run(
    { account: 'alice@example.com', checks: [fromMatchesLogin] },
    'alice@example.com',
    'b@x.test',
  );
  const listed = await run({ checks: [blockList], lists: [block] }, 'x@evil.test', 'alice@example.com');
  const form = author.namesNobody ? 'nobody' : author.isWhole ? 'whole' : 'odd';
  return {
    from,
    author: [form, ...author.domains.slice(0, 6), ...(author.unclear ? [`(${author.unclear})`] : [])].join(' '),
    dmarc: [dmarc.result, dmarc.policy === 'none' ? '' : dmarc.policy, dmarc.headerFrom].filter(Boolean).join(' '),
    signs: fromDomain([{ name: 'from', raw: `From: ${from}` }]) ?? '-',
    login,
    list: listed,
    log: author.shown!.slice(0, 80),
  };
}

function readTable(): readonly { readonly group: string; readonly rows: readonly Row[] }[] {
  const groups: { group: string; rows: Row[] }[] = [];
  const path = new URL('../../protocol/mime/odd-from-fields.txt', import.meta.url);
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line.startsWith('## ')) groups.push({ group: line.slice(3), rows: [] });
    if (!line.startsWith('"')) continue;
    const [from, author, dmarc, signs, login, list, log] = line.split('\t');
    const text = (json: string | undefined): string => JSON.parse(json!);
    groups.at(-1)!.rows.push({
      from: text(from),
      author: author!,
      dmarc: dmarc!,
      signs: signs!,
      login: login!,
      list: list!,
      log: text(log),
    });
  }
  return groups;
}

const TABLE = readTable();

test('the table of odd From fields has more than 200', () =>
  assert.ok(TABLE.reduce((sum, { rows }) => sum + rows.length, 0) > 200));

for (const { group, rows } of TABLE)
  test(`every reader gets the same author from odd From fields: ${group}`, async () => {
    for (const row of rows) assert.deepEqual(await readAll(row.from), row);
  });

test('an attacker writes any of these fields, and passes nowhere as the bank', () => {
  for (const { from, author, dmarc, login, list } of TABLE.flatMap(({ rows }) => rows)) {
    if (!author.split(' ').includes('bank.test')) continue;
    assert.match(dmarc, /^(fail reject bank\.test|permerror)$/, JSON.stringify(from));
    assert.deepEqual([login, list], ['550 5.7.1', '550 5.7.1'], JSON.stringify(from));
  }
});

test('a forger names a domain of his own, whose key cannot be looked up, beside the forged one', async () => {
  const { author } = inspectHeader(Buffer.from('From: eve@eve.test, boss@bank.test\r\n\r\n'));
  const signature = {
    domain: 'eve.test',
    selector: 's',
    algorithm: 'rsa-sha256',
    result: 'temperror',
    flags: [],
  } as const;
  const dkim = { ...DKIM, signatures: [signature] };
  const services = { resolver: RESOLVER, clock: manualClock() };
  const outcome = await evaluate({ author, spf: SPF, dkim }, createAsker(RESOLVER), services);
  assert.deepEqual([outcome.result, outcome.headerFrom], ['fail', 'bank.test']);
});
