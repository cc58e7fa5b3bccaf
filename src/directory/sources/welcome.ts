/** The mail that welcomes a user when a source confirms it for the first time. */
import type { Address } from '../../model/address.ts';
import { formatDate } from '../../protocol/dsn/date.ts';
import { field } from '../../protocol/dsn/field-text.ts';
import type { Letter } from '../../store/outbox.ts';

export interface WelcomeWords {
  readonly hostname: string;
  readonly text: string;
  readonly at: number;
  /** Unique. */
  readonly id: string;
}

export function welcomeLetter(to: Address, { hostname, text, at, id }: WelcomeWords): Letter {
  const head =
    field('From', `<postmaster@${to.domain}>`) +
    field('To', `<${to.text}>`) +
    field('Subject', 'Welcome') +
    field('Date', formatDate(at)) +
    field('Message-ID', `<${id}@${hostname}>`) +
    // RFC 3834 5: no vacation reply answers it.
    field('Auto-Submitted', 'auto-generated') +
    'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n';
  const body = Buffer.from(`${text.trim()}\n`.replaceAll(/\r?\n/g, '\r\n'))
    .toString('base64')
    .replaceAll(/.{76}(?=.)/g, '$&\r\n');
  const content = Buffer.from(`${head}${body}\r\n`, 'utf8');
  return { id: `welcome-${id}`, kind: 'welcome', sender: '', recipients: [to.text], content, createdAt: at };
}
