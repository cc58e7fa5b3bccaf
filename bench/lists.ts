/**
 * What a look-up in the allow and block lists and in the pairs of IP shielding costs, by what was
 * entered: as many entries of each kind as said, and as many of the kinds that are compared one by
 * one as are allowed. A third of the senders asked about are on the list.
 *
 *     node bench/lists.ts [entries of each kind]
 */

import { DOMAIN_PATTERNS, OPEN_PATTERNS, SHIELD_PAIRS, SHIELD_PATTERNS } from '../src/directory/rules/limits.ts';
import { type ListTable, listTable, type ObservedSender } from '../src/directory/rules/lists.ts';
import type { ListEntryRow, ListKind } from '../src/directory/rules/schema.ts';
import { type ShieldTable, shieldTable } from '../src/directory/rules/shields.ts';
import { networksOf } from '../src/protocol/network/table.ts';

const ENTRIES = Number(process.argv[2] ?? 100_000);
const LOOKUPS = 200_000;
const OWNERS = ['alice@example.com', 'example.com', ''];
const WORST_US = 10;

type Kind = readonly [name: string, kind: ListKind, count: number, value: (i: number) => string];

const ipv4 = (i: number): string => `${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.9`;
const KINDS: readonly Kind[] = [
  ['addresses', 'address', ENTRIES, (i) => `user${i}@domain${i % 1000}.example`],
  ['whole domains', 'address', ENTRIES, (i) => `*@domain${i}.example`],
  ['domains and all below', 'address', ENTRIES, (i) => `*@*.domain${i}.example`],
  ['hosts', 'host', ENTRIES, (i) => `mx${i}.domain.example`],
  ['hosts below', 'host', ENTRIES, (i) => `*.domain${i}.example`],
  ['IPv4 addresses', 'ip', ENTRIES, ipv4],
  ['IPv4 networks', 'ip', ENTRIES, (i) => `${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/${17 + (i % 16)}`],
  [
    'IPv6 networks',
    'ip',
    ENTRIES,
    (i) => `2001:db8:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::/${33 + (i % 32)}`,
  ],
  ['patterns of a domain', 'address', DOMAIN_PATTERNS, (i) => `*user${i}?*x*@domain1.example`],
  ['open patterns', 'address', OPEN_PATTERNS, (i) => `*user${i}?*x*@*domain*.example`],
];

/** A third are entries. */
function senderOf([, kind, count, value]: Kind, i: number): ObservedSender {
  const listed = i % 3 === 0;
  const entry = value((i * 7919) % count)
    .replaceAll('*', 'x')
    .replaceAll('?', 'x')
    .replace(/\/\d+$/, '');
  const [local, domain] = kind === 'address' && listed ? entry.split('@') : [`user${i}`, `domain${i % 1000}.example`];
  const host = kind === 'host' && listed ? entry : `mail${i % 1000}.isp.example`;
  const client = kind === 'ip' && listed ? entry : i % 2 === 0 ? ipv4(i % 5000).replace('20.', '198.') : '2001:db9::25';
  return {
    client,
    names: [host],
    helo: host,
    addresses: [{ key: `${local}@${domain}`, domain: domain!, proven: true }],
  };
}

function rowsOf([, kind, count, value]: Kind): readonly ListEntryRow[] {
  const rest = { owner: '', comment: '', expires_at: null, covers_local: 0, created_at: 0 };
  return Array.from({ length: count }, (_, i) => ({ ...rest, list: 'block', kind, value: value(i) }));
}

function measure(name: string, count: number, look: (i: number) => unknown): void {
  for (let i = 0; i < 20_000; i++) look(i);
  const microseconds = new Float64Array(LOOKUPS);
  let found = 0;
  for (let i = 0; i < LOOKUPS; i++) {
    const begun = performance.now();
    const answer = look(i);
    microseconds[i] = (performance.now() - begun) * 1000;
    if (answer) found++;
  }
  microseconds.sort();
  const at = (part: number): number => microseconds[Math.floor(part * (LOOKUPS - 1))]!;
  const verdict = at(0.99) <= WORST_US ? '' : `  MORE THAN ${WORST_US} us`;
  const share = `${Math.round((found / LOOKUPS) * 100)} % found`;
  console.log(
    `${name.padEnd(32)} ${String(count).padStart(7)}  p50 ${at(0.5).toFixed(2)} us  p99 ${at(0.99).toFixed(2)} us  ${share}${verdict}`,
  );
}

/** The keys are made before, so that only the look-up is measured. */
function asked<T>(make: (i: number) => T): (i: number) => T {
  const all = Array.from({ length: 20_000 }, (_, i) => make(i));
  return (i) => all[i % all.length]!;
}

function measureList(name: string, table: ListTable, count: number, kind: Kind): void {
  const senders = asked((i) => senderOf(kind, i));
  measure(name, count, (i) => table.listing(OWNERS, senders(i), 0));
}

for (const kind of KINDS) measureList(kind[0], listTable(rowsOf(kind)), kind[2], kind);
const every = KINDS.flatMap(rowsOf);
measureList('all of them in one list', listTable(every), every.length, KINDS[0]!);

const presets = networksOf(['10.0.0.0/8', '127.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '::1', 'fd00::/8']);
const pairsOf = (count: number, domain: (i: number) => string): ShieldTable =>
  shieldTable(
    Array.from({ length: count }, (_, i) => {
      const network = `${ipv4(i)}/${25 + (i % 8)}`;
      return { id: i, domain: domain(i), network, comment: '', created_at: 0 };
    }),
  );
const SHIELDS: readonly (readonly [name: string, table: ShieldTable, count: number])[] = [
  ['presets alone', pairsOf(0, () => ''), 0],
  ['pairs of as many domains', pairsOf(SHIELD_PAIRS, (i) => `domain${i}.example`), SHIELD_PAIRS],
  ['pairs of one domain', pairsOf(SHIELD_PAIRS, () => 'domain1.example'), SHIELD_PAIRS],
  ['pairs of domain patterns', pairsOf(SHIELD_PATTERNS, (i) => `*d${i % 10}o?*in${i}*.example`), SHIELD_PATTERNS],
];
for (const [name, table, count] of SHIELDS) {
  const clients = asked((i) => (i % 3 === 0 ? ipv4(i % SHIELD_PAIRS) : `198.51.${i & 255}.7`));
  measure(`shields: ${name}`, count, (i) => {
    const verdict = table.verdict(
      i % 2 ? 'domain1.example' : `domain${i % SHIELD_PAIRS}.example`,
      true,
      clients(i),
      presets,
    );
    return verdict === 'entered' || verdict === 'preset';
  });
}
