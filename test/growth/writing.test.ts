/** Text of others that is cleaned before it is written, and the networks of lists: linear, whatever is in it. */
import { armed } from '../../src/protocol/csv/csv.ts';
import { readWords } from '../../src/protocol/network/address-words.ts';
import { networkDoubt } from '../../src/protocol/network/doubt.ts';
import { canonicalNetwork, type Network, parseNetworks } from '../../src/protocol/network/network.ts';
import { suffixDoubt } from '../../src/protocol/network/suffix-doubt.ts';
import { createNetworkTable, networksOf } from '../../src/protocol/network/table.ts';
import {
  cleanLine,
  cleanLines,
  escapeJson,
  fieldText,
  steers,
  unsafeInLine,
  unsafeInLines,
  wholeField,
  wholeLines,
  wireLine,
} from '../../src/protocol/text/unsafe.ts';
import type { Pump } from '../support/growth.ts';
import { row, testGrowth, text } from '../support/growth-table.ts';
import { HEADER, REPORT } from './limits.ts';

const TEXTS = [
  text('a', HEADER, '', '\x00'),
  text('\x00', HEADER),
  text('\r', HEADER),
  text('\n', HEADER),
  text('\r\n', HEADER),
  text('\r\n ', HEADER),
  text('\u202e', HEADER),
  text('\ud800', HEADER),
  text('\udc00', HEADER),
  text('\u{e0041}', HEADER),
  text('\xfc', HEADER, '', '\x9b'),
  text(' ', HEADER, '\xfc', '\n'),
];

const NETWORKS = [
  text(':', HEADER),
  text('1:', HEADER),
  text('::ffff:', HEADER),
  text('1.', HEADER),
  text('*.', HEADER),
  text('?', HEADER, '1.2.3.'),
  text('*', HEADER, '1.2.3.'),
  text('*?', HEADER, '1.2.3.'),
  text('/', HEADER, '192.0.2.0'),
  text('1', HEADER, '192.0.2.0/'),
  text(' ', HEADER, '192.0.2.0', 'x'),
  text('0', HEADER, '192.0.2.'),
];

const SUFFIXES = [
  text('a.', HEADER, '', 'com'),
  text('.', HEADER),
  text('@', HEADER),
  text('*.', HEADER, '', 'com'),
  text('?', HEADER, '', '.com'),
  text('a', HEADER),
  text(' ', HEADER, 'a', 'b'),
  text('\xfc.', HEADER, '', 'com'),
];

/** As many as a list may have, beside each other or each within the one before. */
function networks(name: string, one: (at: number) => string): Pump<readonly string[]> {
  return { name, largest: 8192, input: (count) => Array.from({ length: count }, (_, at) => one(at)) };
}
const LISTS = [
  networks('networks beside each other', (at) => `10.${(at >> 8) & 255}.${at & 255}.0/24`),
  networks('networks within each other', (at) => `10.0.0.0/${8 + (at % 25)}`),
  networks('the same network', () => '10.0.0.0/8'),
  networks('networks of IPv6', (at) => `2001:db8:${at.toString(16)}::/${48 + (at % 80)}`),
];

testGrowth({
  'protocol/csv/csv.ts armed': row(
    armed,
    text("'", REPORT),
    text("'", REPORT, '', '='),
    text(' ', REPORT, "'"),
    text('\t', REPORT, "'", 'x'),
    text("' ", REPORT),
  ),
  'protocol/network/address-words.ts readWords': row(readWords, ...NETWORKS),
  'protocol/network/doubt.ts networkDoubt': row((network: string) => networkDoubt(network), ...NETWORKS),
  'protocol/network/network.ts parseNetworks': row(parseNetworks, ...NETWORKS),
  'protocol/network/network.ts canonicalNetwork': row(canonicalNetwork, ...NETWORKS),
  'protocol/network/suffix-doubt.ts suffixDoubt': row((pattern: string) => suffixDoubt(pattern, true), ...SUFFIXES),
  'protocol/network/table.ts createNetworkTable': row(
    (list: readonly Network[]) => {
      const table = createNetworkTable<true>();
      for (const network of list) table.add(network, true);
      return table.find('10.0.0.1') ?? table.find('2001:db8::1');
    },
    ...LISTS.map(
      (pump): Pump<readonly Network[]> => ({
        ...pump,
        input: (count) => pump.input(count).flatMap((network) => parseNetworks(network) ?? []),
      }),
    ),
  ),
  'protocol/network/table.ts networksOf': row((list: readonly string[]) => networksOf(list).find('10.0.0.1'), ...LISTS),
  'protocol/text/unsafe.ts cleanLine': row((value: string) => cleanLine(value), ...TEXTS),
  'protocol/text/unsafe.ts cleanLines': row((value: string) => cleanLines(value), ...TEXTS),
  'protocol/text/unsafe.ts fieldText': row((value: string) => [fieldText(value), fieldText(value, true)], ...TEXTS),
  'protocol/text/unsafe.ts escapeJson': row(escapeJson, ...TEXTS),
  'protocol/text/unsafe.ts steers': row(steers, ...TEXTS),
  'protocol/text/unsafe.ts unsafeInLine': row(unsafeInLine, ...TEXTS),
  'protocol/text/unsafe.ts unsafeInLines': row(unsafeInLines, ...TEXTS),
  'protocol/text/unsafe.ts wireLine': row(wireLine, ...TEXTS),
  'protocol/text/unsafe.ts wholeField': row(wholeField, ...TEXTS),
  'protocol/text/unsafe.ts wholeLines': row(wholeLines, ...TEXTS),
});
