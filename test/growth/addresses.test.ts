/** Lists of addresses, however they are written: none costs more time an octet for being longer. */
import { parseAddressList, readAddressField } from '../../src/protocol/mime/address-list.ts';
import { row, testGrowth, text } from '../support/growth-table.ts';
import { HEADER } from './limits.ts';

/** As a list of addresses may be written to slow its reader down. */
const LISTS = [
  text(',', HEADER, '<@a'),
  text('a,', HEADER, '<@'),
  text('[],', HEADER, '<@'),
  text('.,', HEADER, '<@'),
  text('@a,', HEADER, '<', ':b@c.example>'),
  text(',', HEADER),
  text('a@b.example,', HEADER),
  text('<', HEADER),
  text('>', HEADER),
  text('<>', HEADER),
  text('"', HEADER),
  text('""', HEADER),
  text('\\', HEADER, '"'),
  text('(', HEADER),
  text('()', HEADER),
  text('(a', HEADER),
  text('[', HEADER),
  text('[]', HEADER),
  text(':', HEADER),
  text(';', HEADER),
  text('g:;', HEADER),
  text('g:a@b.example;', HEADER),
  text('@', HEADER, 'a'),
  text('.', HEADER, 'a'),
  text(' . ', HEADER, 'a', '@b.example'),
  text(' ', HEADER, 'a', '@b.example'),
  text('a ', HEADER),
  text('=?', HEADER),
  text('=?a?q?', HEADER),
  text('=?a?q??=', HEADER),
  text('=?a?q?(?=', HEADER),
  text('?', HEADER, '=?a?q?'),
  text('\xc3\xbc', HEADER, 'a@'),
  text('\xff@', HEADER),
  text('\r\n ', HEADER, 'a@b.example,', 'c@d.example'),
];

testGrowth({
  'protocol/mime/address-list.ts readAddressField': row(readAddressField, ...LISTS),
  'protocol/mime/address-list.ts parseAddressList': row((value: string) => parseAddressList(value), ...LISTS),
});
