/** The trace line on top of a received message (RFC 5321 4.4, `with` types of RFC 3848 and RFC 6531 4.3). */
import { type SessionFacts, UNKNOWN_ADDRESS } from '../model/session.ts';

export interface TraceFacts {
  readonly session: SessionFacts;
  readonly hostname: string;
  readonly id: string;
  readonly smtputf8: boolean;
  readonly at: number;
  /** Only when there is exactly one: recipients must not learn of each other (RFC 5321 7.6). */
  readonly onlyRecipient?: string;
}

export function receivedLine({ session, hostname, id, smtputf8, at, onlyRecipient }: TraceFacts): string {
  const { client, helo = 'unknown', tls } = session;
  const cipher = tls ? `\r\n\t(using ${tls.protocol} with cipher ${tls.cipher})` : '';
  const recipient = onlyRecipient === undefined ? '' : `\r\n\tfor <${onlyRecipient}>`;
  return `Received: from ${safeHelo(helo)} (${tcpInfo(client.address)})${cipher}\r\n\tby ${hostname} (Postern) with ${withType(session, smtputf8)} id ${id}${recipient};\r\n\t${formatDate(at)}\r\n`;
}

/** RFC 5321 4.4; a word in brackets would be read as an address, so an unknown one is a plain comment. */
function tcpInfo(address: string): string {
  if (address === UNKNOWN_ADDRESS) return UNKNOWN_ADDRESS;
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`;
}

/** UTF8SMTPSA and similar (RFC 6531 4.3); ESMTPSA (RFC 3848). */
function withType({ extended, tls, account }: SessionFacts, smtputf8: boolean): string {
  if (!extended) return 'SMTP';
  return `${smtputf8 ? 'UTF8SMTP' : 'ESMTP'}${tls ? 'S' : ''}${account === undefined ? '' : 'A'}`;
}

/** Whatever the client sent in HELO, it stays one word of the header. */
function safeHelo(helo: string): string {
  return helo.replace(/[^A-Za-z0-9._:[\]-]/g, '?');
}

let lastSecond = Number.NaN;
let lastDate = '';

/** RFC 5322 3.3, in UTC; formatted once for all messages of a second. */
export function formatDate(at: number): string {
  const second = Math.floor(at / 1000);
  if (second !== lastSecond) {
    lastDate = new Date(at).toUTCString().replace('GMT', '+0000');
    lastSecond = second;
  }
  return lastDate;
}
