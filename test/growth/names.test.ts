/** Names, addresses of authors, verification and sign-in: none costs more time an octet for being longer. */
import { createHash } from 'node:crypto';
import {
  formatAuthResults,
  formatReceivedSpf,
  mayClaim,
  parseAuthservId,
} from '../../src/protocol/auth-results/auth-results.ts';
import { parseAuthResults } from '../../src/protocol/auth-results/parse-results.ts';
import { editDistance } from '../../src/protocol/confusables/edit-distance.ts';
import { jaroWinkler } from '../../src/protocol/confusables/jaro-winkler.ts';
import { letterSet, repeatedLetters } from '../../src/protocol/confusables/letters.ts';
import { skeleton, withoutInvisible } from '../../src/protocol/confusables/skeleton.ts';
import { bodyHashes } from '../../src/protocol/dkim/body-hashes.ts';
import { relaxedBodyHash, relaxedField, simpleBodyHash } from '../../src/protocol/dkim/canonical.ts';
import { asciiDomain } from '../../src/protocol/dkim/domain.ts';
import { selectFields, signedHeader } from '../../src/protocol/dkim/fields.ts';
import { readKey } from '../../src/protocol/dkim/read-key.ts';
import { readSignature } from '../../src/protocol/dkim/read-signature.ts';
import { characterStrings, flawOf } from '../../src/protocol/dkim/record.ts';
import { readRsaKey } from '../../src/protocol/dkim/rsa-key.ts';
import { finish, foldWords } from '../../src/protocol/dkim/signature.ts';
import { readNames, readTags } from '../../src/protocol/dkim/tags.ts';
import { coverableFields, withoutSignature } from '../../src/protocol/dkim/verify.ts';
import { readAuthor } from '../../src/protocol/mime/author.ts';
import { readAuthorDomain } from '../../src/protocol/mime/author-domain.ts';
import { hasOtherAtSign, readEveryAddress } from '../../src/protocol/mime/author-readings.ts';
import { MIME_LIMITS } from '../../src/protocol/mime/limits.ts';
import { decodeLoosely } from '../../src/protocol/mime/loose-words.ts';
import { parseMingerAnswer, parseMingerQuery } from '../../src/protocol/minger/minger.ts';
import { parseProxyHeader } from '../../src/protocol/proxy/header.ts';
import { parseOauthBearer, parseXoauth2 } from '../../src/protocol/sasl/oauth.ts';
import { parseLoginAnswer, parsePlain } from '../../src/protocol/sasl/plain.ts';
import { saslprep } from '../../src/protocol/sasl/saslprep.ts';
import { encodeName, parseClientFinal, parseClientFirst, parseServerFirst } from '../../src/protocol/sasl/scram.ts';
import { srsForward, srsReverse } from '../../src/protocol/srs/srs.ts';
import { octets, row, testGrowth, text } from '../support/growth-table.ts';
import { CHUNK, HEADER, LINE } from './limits.ts';

const RESULTS = [
  text('(', 64 * 1024),
  text('()', 64 * 1024),
  text('\\', 64 * 1024, '('),
  text(')', 64 * 1024),
  text('"', 64 * 1024),
  text('""', 64 * 1024, 'a=b '),
  text('\\"', 64 * 1024, '"'),
  text('\\', 64 * 1024, '"'),
  text(';', 64 * 1024, 'a'),
  text('; a=b', 64 * 1024, 'a'),
  text(' ', 64 * 1024, 'a', 'b'),
  text(' = ', 64 * 1024, 'a'),
  text(' .', 64 * 1024, 'a; b=c'),
  text('=', 64 * 1024, 'a; b'),
  text('a=b ', 64 * 1024, 'a; '),
  text('"x"=', 64 * 1024, 'a; '),
  text('\xff', 64 * 1024),
  text('.', 64 * 1024, 'mx(a) '),
  text('\t\xa0', 64 * 1024),
];

/** As much of a field with the author as is read. */
const FIELD = MIME_LIMITS.addressFieldCharacters;
const NAMES = [
  text('a', FIELD),
  text('rn', FIELD),
  text('1', FIELD),
  text('\u00e4', FIELD),
  text('\u0301', FIELD, 'a'),
  text('\u0301\u0323', FIELD, 'a'),
  text('\u0323\u0301', FIELD, 'a'),
  text('\u0345\u0323\u0301\u093c', FIELD, 'a'),
  text('\uff9e\u0301', FIELD, '\u304b'),
  text('\ufdfa', FIELD / 4),
  text('\u200b', FIELD),
  text('\u{e0001}', FIELD),
  text('\ud800', FIELD),
  text('\u1100\u1161', FIELD),
];

const AUTHORS = [
  text('=?', FIELD),
  text('=?a?q?', FIELD),
  text('=?a?q? ', FIELD),
  text('=?a?q?@?=', FIELD),
  text('=?utf-8?q?a@b?= ', FIELD),
  text('=?a?q?a?==?b?q?b?=', FIELD),
  text('@', FIELD),
  text('a@b.example,', FIELD),
  text('a@', FIELD),
  text('@a', FIELD, '<'),
  text('(', FIELD, '@'),
  text('()', FIELD, '@'),
  text('"', FIELD, '@'),
  text('\\', FIELD, '"@'),
  text('<', FIELD, '@'),
  text(',', FIELD, '<@a'),
  text('.', FIELD, '@a'),
  text('\xef\xbc\xa0', FIELD),
  text('\xcc\x81\xcc\xa3', FIELD, 'a@b'),
  text('\xe2\x80\x8b', FIELD, 'a@b'),
];

const TAGS = [
  text(';', 64 * 1024, 'A: v=1'),
  text('a=b;', 64 * 1024, 'A: '),
  text(' ', 64 * 1024, 'A: b=', 'x'),
  text('=', 64 * 1024, 'A: b'),
  text('b', 64 * 1024, 'A: ', '=x'),
  text(':', 64 * 1024, 'A: h='),
  text('from:', 64 * 1024, 'A: h='),
  text('\r\n ', 64 * 1024, 'A: b=', 'x'),
  text('\xcc\x81\xcc\xa3', 64 * 1024, 'A: d=a'),
];

const AUTH = [
  text('a', LINE, 'n,,n='),
  text(',', LINE, 'n,,n=a,r=b'),
  text('=', LINE, 'n,,n='),
  text('=2C', LINE, 'n,,n='),
  text(',p=a', LINE, 'c=a,r=b'),
  text('=', LINE, 'c=a,r=b,p=a', 'x'),
  text('A', LINE, 'c='),
  text('\x01', LINE, 'n,,'),
  text('auth=\x01', LINE, 'n,,\x01', '\x01'),
  text(' ', LINE, 'n,,\x01auth=Bearer ', '\x01\x01'),
  text('=', LINE, 'n,,\x01auth=Bearer a', 'x\x01\x01'),
  text('user=\x01', LINE, '', '\x01'),
];

testGrowth({
  'protocol/auth-results/auth-results.ts parseAuthservId': row(parseAuthservId, ...RESULTS),
  'protocol/auth-results/auth-results.ts mayClaim': row(
    (value: string) => mayClaim(value, 'mx.example.com'),
    ...RESULTS,
  ),
  'protocol/auth-results/auth-results.ts formatAuthResults': row(
    (value: string) =>
      formatAuthResults('mx', [{ method: 'dkim', result: 'fail', comment: value, properties: [['header.d', value]] }]),
    ...RESULTS,
  ),
  'protocol/auth-results/auth-results.ts formatReceivedSpf': row(
    (value: string) => formatReceivedSpf({ result: 'fail', comment: value, pairs: [['helo', value]] }),
    ...RESULTS,
  ),
  'protocol/auth-results/parse-results.ts parseAuthResults': row(parseAuthResults, ...RESULTS),
  'protocol/confusables/edit-distance.ts editDistance': row(
    (name: string) => editDistance(name, `${name.slice(1)}x`, 2),
    text('a', 64),
    text('ab', HEADER),
  ),
  'protocol/confusables/jaro-winkler.ts jaroWinkler': row((name: string) => jaroWinkler(name, name), ...NAMES),
  'protocol/confusables/letters.ts letterSet': row(letterSet, ...NAMES),
  'protocol/confusables/letters.ts repeatedLetters': row(repeatedLetters, ...NAMES),
  'protocol/confusables/skeleton.ts skeleton': row(skeleton, ...NAMES),
  'protocol/confusables/skeleton.ts withoutInvisible': row(withoutInvisible, ...NAMES),
  'protocol/dkim/canonical.ts relaxedField': row(
    relaxedField,
    text(' ', HEADER, 'A', ':'),
    text(' ', HEADER, 'A: b', 'c'),
    text('\r\n ', HEADER, 'A: '),
    text(' a', HEADER, 'A', ':'),
    text(' \t', HEADER),
  ),
  'protocol/dkim/canonical.ts relaxedBodyHash': row(
    (content: Buffer) => {
      const hash = relaxedBodyHash();
      hash.push(content);
      for (let at = 0; at < content.length / 8; at += 3) hash.push(content.subarray(at, at + 3));
      return hash.end();
    },
    octets(' ', CHUNK),
    octets(' \r\n', CHUNK),
    octets('\r\n', CHUNK),
    octets('\r', CHUNK),
    octets(' a', CHUNK),
    octets('  a', CHUNK),
    octets('12345678  ', CHUNK),
    octets('\t', CHUNK, '', 'x'),
  ),
  'protocol/dkim/fields.ts signedHeader': row(
    signedHeader,
    octets('To: a\r\n', HEADER),
    octets('\r\n ', HEADER, 'A: b', 'c'),
  ),
  'protocol/dkim/fields.ts selectFields': row(
    (header: Buffer) => selectFields(signedHeader(header)?.fields ?? [], ['dkim-signature']),
    octets('To: a\r\n', 14_000),
    octets('\r\n ', HEADER, 'To: b', 'c\r\n'),
  ),
  'protocol/dkim/record.ts flawOf': row(
    (record: string) => flawOf(record, 'rsa-sha256', 'AAAA'),
    text(';', CHUNK),
    text('p=A;', CHUNK),
    text(' ', CHUNK, 'p=', 'A'),
    text('=', CHUNK, 'p=A', 'x'),
    text('y:', CHUNK, 'p=AAAA;t='),
  ),
  'protocol/dkim/record.ts characterStrings': row(characterStrings, text('a', CHUNK)),
  'protocol/dkim/signature.ts foldWords': row(
    (words: string) => foldWords(words.split(' '), ':', 3),
    text('to ', HEADER),
  ),
  'protocol/dkim/signature.ts finish': row(
    (bytes: Buffer) => finish({ head: '', covered: '' }, bytes),
    octets('a', 4096),
  ),
  'protocol/mime/author-domain.ts readAuthorDomain': row(
    readAuthorDomain,
    ...NAMES,
    text('a.', HEADER, '', 'a'),
    text('.', HEADER),
    text('1', HEADER, 'a.', 'a'),
    text('xn--a.', HEADER),
  ),
  'protocol/dkim/body-hashes.ts bodyHashes': row(
    (content: Buffer) => {
      const hashes = bodyHashes([{ how: 'relaxed' }, { how: 'simple' }]);
      hashes.push(content);
      return hashes.end();
    },
    octets(' \r\n', CHUNK),
    octets('\r\n', CHUNK),
    octets('\r', CHUNK),
  ),
  'protocol/dkim/canonical.ts simpleBodyHash': row(
    (content: Buffer) => {
      const hash = simpleBodyHash();
      hash.push(content);
      for (let at = 0; at < content.length / 8; at += 3) hash.push(content.subarray(at, at + 3));
      return hash.end();
    },
    octets('\r\n', CHUNK),
    octets('\r', CHUNK),
    octets('\r\nx', CHUNK),
  ),
  'protocol/dkim/domain.ts asciiDomain': row(
    asciiDomain,
    text('a.', 8192),
    text('\u00fc.', 8192),
    text('\u00fc', 8192),
    text('\u0323\u0301', 8192, 'a'),
  ),
  'protocol/dkim/read-key.ts readKey': row(
    readKey,
    text(';', CHUNK, 'p=A'),
    text('=', CHUNK, 'p=A', 'x'),
    text('A', CHUNK, 'p='),
    text(' ', CHUNK, 'p=A', 'A'),
    text('s:', CHUNK, 'p=A;t='),
  ),
  'protocol/dkim/read-signature.ts readSignature': row((raw: string) => readSignature(raw, 'dkim'), ...TAGS),
  'protocol/dkim/rsa-key.ts readRsaKey': row(
    readRsaKey,
    octets('\x30\x80', CHUNK),
    octets('\x30', CHUNK),
    octets('\x02\x01\x01', CHUNK, '\x30\x84\x00\x00\xff\xff'),
  ),
  'protocol/dkim/tags.ts readTags': row(readTags, ...TAGS),
  'protocol/dkim/tags.ts readNames': row((value: string) => readNames(value), text(':', HEADER), text('a : ', HEADER)),
  'protocol/dkim/verify.ts coverableFields': row(
    (header: Buffer) => {
      const fields = signedHeader(header)?.fields ?? [];
      return coverableFields(fields).covered(readSignature(`DKIM-Signature: h=${'to:'.repeat(2000)}; b=A`, 'dkim'));
    },
    octets('To: a\r\n', 13_000),
    octets('\r\n ', HEADER, 'To: b', 'c\r\n'),
  ),
  'protocol/dkim/verify.ts withoutSignature': row(withoutSignature, ...TAGS),
  'protocol/mime/author.ts readAuthor': row((field: string) => readAuthor([field, field]), ...AUTHORS),
  'protocol/mime/author-readings.ts readEveryAddress': row(readEveryAddress, ...AUTHORS),
  'protocol/mime/author-readings.ts hasOtherAtSign': row(hasOtherAtSign, text('a', HEADER)),
  'protocol/mime/loose-words.ts decodeLoosely': row(decodeLoosely, ...AUTHORS),
  'protocol/minger/minger.ts parseMingerQuery': row(
    parseMingerQuery,
    text(' ', 1000, 'a@b'),
    text('"', 1000),
    text('\\', 1000, '"'),
    text('a=b ', 1000, 'a@b '),
    text('\r', 1000, 'a@b', 'x'),
  ),
  'protocol/minger/minger.ts parseMingerAnswer': row(
    (line: string) => parseMingerAnswer(line, 'a@b'),
    text(' ', 1000, 'a@b', '1'),
    text('\r\n', 1000, 'a@b', 'x'),
  ),
  'protocol/proxy/header.ts parseProxyHeader': row(
    parseProxyHeader,
    octets(' ', 4096, 'PROXY '),
    octets('x', 4096, '\r\n\r\n\0\r\nQUIT\n!\x21\x07\xf0'),
  ),
  'protocol/sasl/oauth.ts parseOauthBearer': row(parseOauthBearer, ...AUTH),
  'protocol/sasl/oauth.ts parseXoauth2': row(parseXoauth2, ...AUTH),
  'protocol/sasl/plain.ts parsePlain': row(
    parsePlain,
    octets('\0', LINE),
    octets('a', LINE),
    octets('\xff', 255, 'a\0'),
  ),
  'protocol/sasl/plain.ts parseLoginAnswer': row(parseLoginAnswer, octets('\0', LINE), octets('\xff', LINE)),
  'protocol/sasl/saslprep.ts saslprep': row(saslprep, ...NAMES.map((pump) => ({ ...pump, largest: LINE }))),
  'protocol/sasl/scram.ts parseClientFirst': row(parseClientFirst, ...AUTH),
  'protocol/sasl/scram.ts parseServerFirst': row(parseServerFirst, ...AUTH, text(',', LINE, 'r=a,s=A,i=4096')),
  'protocol/sasl/scram.ts parseClientFinal': row(parseClientFinal, ...AUTH),
  'protocol/sasl/scram.ts encodeName': row(encodeName, text('=', LINE), text(',', LINE)),
  'protocol/srs/srs.ts srsForward': row(
    (local: string) => srsForward({ local, domain: 'a.example' }, createHash('sha256').digest(), 1),
    text('=', LINE, 'SRS1=a'),
    text('a=', LINE, 'SRS0=a'),
    text('SRS0=', LINE),
  ),
  'protocol/srs/srs.ts srsReverse': row(
    (local: string) => srsReverse(local, [createHash('sha256').digest()], 1, 1),
    text('=', LINE, 'SRS1=a=b'),
    text('a', LINE, 'SRS0=a=bb=c='),
    text('a=', LINE, 'SRS0='),
  ),
});
