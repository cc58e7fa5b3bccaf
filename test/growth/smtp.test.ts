/** The SMTP conversation, both sides: no line, reply or content costs more time an octet for being longer. */

import { looksLikeRelay, makeAddress, parseAddress, parsePath } from '../../src/protocol/smtp/address.ts';
import { readCommand } from '../../src/protocol/smtp/command.ts';
import { createContentGuard } from '../../src/protocol/smtp/content-guard.ts';
import { createDataDecoder } from '../../src/protocol/smtp/data-decoder.ts';
import {
  endsInNumber,
  heloIdentity,
  isAsciiText,
  literalAddress,
  parseAddressLiteral,
  parseDomain,
} from '../../src/protocol/smtp/domain.ts';
import { createDotStuffer } from '../../src/protocol/smtp/dot-stuffing.ts';
import { parseEhloReply } from '../../src/protocol/smtp/ehlo-reply.ts';
import { LOCAL_PART_BYTES } from '../../src/protocol/smtp/limits.ts';
import { hasOnlyCrlf } from '../../src/protocol/smtp/line-scan.ts';
import { parseBdat, parseMail, parseRcpt } from '../../src/protocol/smtp/mail-command.ts';
import { createNewlineGuard } from '../../src/protocol/smtp/newlines.ts';
import { parseMailParameters, parseRcptParameters, parseSize } from '../../src/protocol/smtp/parameters.ts';
import { createReplyParser, formatReply } from '../../src/protocol/smtp/reply.ts';
import { parseXclient } from '../../src/protocol/smtp/xclient.ts';
import { decodeUtf8Address, decodeXtext, encodeUtf8Address, encodeXtext } from '../../src/protocol/smtp/xtext.ts';
import { octets, of, row, testGrowth, text } from '../support/growth-table.ts';
import { CHUNK, LINE, REPLY } from './limits.ts';

const DOMAINS = [
  text('a', LINE),
  text('a.', LINE, '', 'a'),
  text('.', LINE),
  text('-', LINE),
  text('1.', LINE),
  text('xn--a.', LINE),
  text('xn--', LINE),
  text('\u00fc', LINE),
  text('\u00fc.', LINE),
  text('\u00fca', LINE),
  text('\u3002', LINE),
  text('\u0301\u0323', LINE, 'a'),
  text('\ufdfa', LINE),
  text('\u4e00\u4e8c\u{20000}', LINE),
];
const ADDRESSES = [
  text('a', LINE, '', '@b.example'),
  text('a.', LINE, '', 'a@b.example'),
  text('\\"', LINE, '"', '"@b.example'),
  text('\\', LINE, '"'),
  text('"', LINE),
  text('@', LINE),
  text(':', LINE, '[', ']'),
  text('[IPv6:', LINE, 'a@'),
  text('1.', LINE, 'a@[', ']'),
  ...DOMAINS.map((pump) => of(pump, (domain) => `a@${domain}`)),
];
const PATHS = [
  ...ADDRESSES,
  ...ADDRESSES.map((pump) => of(pump, (address) => `<${address}>`)),
  text('<', LINE),
  text('@a,', LINE, '<', '@b:c@d>'),
  text(',', LINE, '<@a', ':c@d>'),
  text('"\\', LINE, '<'),
  text('>', LINE, '<"', '"@a>'),
];
const PARAMETERS = [
  text(' ', LINE),
  text(' a=b', LINE),
  text(' SIZE=1', LINE),
  text('=', LINE, ' ENVID'),
  text('+41', LINE, ' ENVID='),
  text('9', LINE, ' SIZE='),
  text('0', LINE, ' SIZE='),
  text('NEVER,', LINE, ' NOTIFY='),
  text('SUCCESS,FAILURE,', LINE, ' NOTIFY='),
  text('a', LINE, ' ORCPT=', ';x'),
  text('-', LINE, ' ORCPT=a', ';x'),
  text('\\x{41}', LINE, ' ORCPT=utf-8;'),
];
const CONTENT = [
  octets('\r\n.', CHUNK),
  octets('\r\n..', CHUNK),
  octets('.', CHUNK),
  octets('\r', CHUNK),
  octets('\n', CHUNK),
  octets('\n.', CHUNK),
  octets('\r.', CHUNK),
  octets('\r\n', CHUNK),
  octets('\r\n.\r', CHUNK),
  octets('\r\n.x', CHUNK),
  octets('\r\n', CHUNK, '\n'),
];
const REPLIES = [
  octets('250-x\r\n', REPLY),
  octets('250-\n', REPLY),
  octets('x', REPLY, '250 '),
  octets('\xff', REPLY, '250 '),
  octets('\x01', REPLY, '250 '),
  octets('\n', REPLY),
  octets('250 2.0.0\r\n', REPLY),
  octets('250 2.9999.0\r\n', REPLY),
];
const XTEXT = [text('+41', LINE), text('+', LINE), text('+4', LINE), text('a', LINE, '', '='), text('+0D', LINE)];

function chunks(content: Buffer, size: number): readonly Buffer[] {
  const all: Buffer[] = [];
  for (let at = 0; at < content.length; at += size) all.push(content.subarray(at, at + size));
  return all;
}

const reply = (lines: string) => ({ code: 250, text: ['peer', ...lines.split('\n')] });

testGrowth({
  'protocol/smtp/address.ts parseAddress': row((address: string) => parseAddress(address), ...ADDRESSES),
  'protocol/smtp/address.ts makeAddress': row(
    (local: string) => makeAddress(local, 'b.example'),
    text('"', LOCAL_PART_BYTES),
    text('a.', LINE),
    text('\\', LINE),
  ),
  'protocol/smtp/address.ts parsePath': row(
    (path: string) => parsePath(path, 0, { smtputf8: true, allowNull: true }),
    ...PATHS,
  ),
  'protocol/smtp/address.ts looksLikeRelay': row(
    (local: string) => looksLikeRelay({ local, domain: 'b.example', text: '' }),
    text('a', LINE),
    text('%', LINE),
  ),
  'protocol/smtp/command.ts readCommand': row(
    readCommand,
    octets(' ', LINE, 'MAIL'),
    octets('\t', LINE, 'MAIL '),
    octets('\xc3\xbc', LINE),
    octets('\xff', LINE),
    octets('a', LINE),
  ),
  'protocol/smtp/content-guard.ts createContentGuard': row(
    (content: Buffer) => {
      for (const isBinary of [false, true]) {
        const guard = createContentGuard({ newlines: 'normalise', nul: 'accept', isBinary });
        guard.push(content, () => {});
        for (const chunk of chunks(content.subarray(0, content.length / 8), 3)) guard.push(chunk, () => {});
        guard.finish(() => {});
      }
    },
    octets('\0', CHUNK),
    octets('\r\n', CHUNK),
    octets('\n', CHUNK),
    octets('\r', CHUNK),
    octets('A: b\n', CHUNK),
  ),
  'protocol/smtp/data-decoder.ts createDataDecoder': row(
    (content: Buffer) => {
      const whole = createDataDecoder();
      whole.push(content, 0, () => {});
      const cut = createDataDecoder();
      for (const chunk of chunks(content.subarray(0, content.length / 8), 3)) cut.push(chunk, 0, () => {});
    },
    ...CONTENT,
  ),
  'protocol/smtp/domain.ts isAsciiText': row(isAsciiText, text('a', LINE, '', '\u00fc')),
  'protocol/smtp/domain.ts parseDomain': row(parseDomain, ...DOMAINS),
  'protocol/smtp/domain.ts heloIdentity': row(heloIdentity, text('.', LINE, '', 'a'), text('\u0130', LINE)),
  'protocol/smtp/domain.ts endsInNumber': row(
    endsInNumber,
    text('1', LINE, '', 'a'),
    text('.1', LINE, '', 'a'),
    text('.', LINE),
  ),
  'protocol/smtp/domain.ts parseAddressLiteral': row(
    parseAddressLiteral,
    text(':', LINE, '[IPv6:', ']'),
    text('1.', LINE, '[', ']'),
    text('0:', LINE, '[IPv6:', ']'),
    text('%', LINE, '[IPv6:fe80::1', ']'),
  ),
  'protocol/smtp/domain.ts literalAddress': row(literalAddress, text('[', LINE)),
  'protocol/smtp/dot-stuffing.ts createDotStuffer': row(
    (content: Buffer) => {
      const stuffer = createDotStuffer();
      const out: Buffer[] = [];
      stuffer.push(content, out);
      for (const chunk of chunks(content.subarray(0, content.length / 8), 3)) stuffer.push(chunk, out);
      return stuffer.end();
    },
    ...CONTENT,
  ),
  'protocol/smtp/ehlo-reply.ts parseEhloReply': row(
    (lines: string) => parseEhloReply(reply(lines)),
    text('AUTH PLAIN\n', REPLY / 8),
    text('AUTH=\n', REPLY / 8),
    text(' ', REPLY, 'SIZE', '1'),
    text('A', REPLY),
    text('LIMITS A=1\n', REPLY / 8),
    text('A=1 ', REPLY, 'LIMITS '),
    text('9', REPLY, 'SIZE '),
  ),
  'protocol/smtp/line-scan.ts hasOnlyCrlf': row(hasOnlyCrlf, ...CONTENT),
  'protocol/smtp/mail-command.ts parseMail': row(
    parseMail,
    text(' ', LINE, 'FROM:'),
    text(' ', LINE, 'FROM:<a@b>', 'x'),
    ...PATHS.map((pump) => of(pump, (path) => `FROM:${path}`)),
    ...PARAMETERS.map((pump) => of(pump, (parameters) => `FROM:<>${parameters}`)),
  ),
  'protocol/smtp/mail-command.ts parseRcpt': row(
    (argument: string) => parseRcpt(argument, true),
    ...PATHS.map((pump) => of(pump, (path) => `TO:${path}`)),
    ...PARAMETERS.map((pump) => of(pump, (parameters) => `TO:<a@b>${parameters}`)),
  ),
  'protocol/smtp/mail-command.ts parseBdat': row(
    parseBdat,
    text(' ', LINE, '1', 'x'),
    text('1 ', LINE),
    text('0', LINE),
  ),
  'protocol/smtp/newlines.ts createNewlineGuard': row(
    (content: Buffer) => {
      for (const mode of ['refuse', 'normalise'] as const) {
        const guard = createNewlineGuard(mode);
        guard.push(content, () => {});
        for (const chunk of chunks(content.subarray(0, content.length / 8), 3)) guard.push(chunk, () => {});
        guard.finish(() => {});
      }
    },
    ...CONTENT,
  ),
  'protocol/smtp/parameters.ts parseMailParameters': row(parseMailParameters, ...PARAMETERS),
  'protocol/smtp/parameters.ts parseRcptParameters': row(
    (words: string) => parseRcptParameters(words, true),
    ...PARAMETERS,
  ),
  'protocol/smtp/parameters.ts parseSize': row(parseSize, text('0', LINE), text('9', LINE, '', 'x')),
  'protocol/smtp/reply.ts createReplyParser': row(
    (content: Buffer) => {
      for (const size of [16 * 1024, 7]) {
        const parser = createReplyParser();
        const some = size === 7 ? content.subarray(0, content.length / 64) : content;
        for (const chunk of chunks(some, size)) parser.push(chunk, chunk.length, () => {});
      }
    },
    ...REPLIES,
  ),
  'protocol/smtp/reply.ts formatReply': row(
    (lines: string) => formatReply({ code: 250, enhanced: '2.0.0', text: lines.split(' ') }),
    text('a ', LINE),
  ),
  'protocol/smtp/xclient.ts parseXclient': row(
    parseXclient,
    text(' ', LINE, 'NAME=a', '='),
    text('NAME=a ', LINE),
    text('+41', LINE, 'NAME='),
    text(':', LINE, 'ADDR=IPV6:'),
    text('9', LINE, 'PORT='),
  ),
  'protocol/smtp/xtext.ts encodeXtext': row(encodeXtext, text('+', LINE), text('\u00fc', LINE)),
  'protocol/smtp/xtext.ts decodeXtext': row(decodeXtext, ...XTEXT),
  'protocol/smtp/xtext.ts encodeUtf8Address': row(
    (address: string) => encodeUtf8Address(address, 'xtext'),
    text('\u00fc', LINE),
  ),
  'protocol/smtp/xtext.ts decodeUtf8Address': row(
    decodeUtf8Address,
    text('\\x{41}', LINE),
    text('\\x{', LINE),
    text('\\', LINE),
    text('\u00fc', LINE, '', '\\'),
  ),
});
