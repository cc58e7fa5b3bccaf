/**
 * The messages of the demo, in order. Each message shows one thing that an administrator will meet; a new feature
 * adds its own here.
 */

import type { Credentials } from './client.ts';

export interface DemoMessage {
  /** Its subject, for the table. */
  readonly title: string;
  readonly from: string;
  readonly to: readonly string[];
  /** Header and body, CRLF. */
  readonly content: string;
  /**
   * Whether the organisation's own mail server sends it (127.0.0.2), a host on the Internet, or an authenticated
   * user.
   */
  readonly sender: 'stranger' | 'organisation' | Credentials;
  /** Its table row shows the authentication results; `content` is signed first if `signed` is set. */
  readonly authentication?: { readonly signed: 'well' | 'and then changed' | 'not at all' };
}

const OUTSIDER = 'bob@elsewhere.example';

/** Alice of the sandbox, who has a password. */
export const ALICE: Credentials = { username: 'alice@example.com', password: 'down the rabbit hole' };
/** The entry of the node's block list, and a domain whose senders come from other networks (IP shielding). */
export const BLOCKED = '*@pills.example';
export const SHIELDED = { domain: 'partner.example', network: '192.0.2.0/24' } as const;

function letter(subject: string, to: string, options: { from?: string; body?: string; extra?: string } = {}): string {
  const { from = OUTSIDER, body = 'Hello,\r\n\r\nthis is the demo of Postern.\r\n', extra = '' } = options;
  const header = [
    `From: ${from}`,
    `To: ${to}`,
    `Subject: ${subject}`,
    'Date: Sun, 22 Nov 2026 12:00:00 +0000',
    `Message-ID: <${subject.replace(/\W+/g, '-')}@elsewhere.example>`,
  ];
  return `${extra}${header.join('\r\n')}\r\n\r\n${body}`;
}

/** The size limit of the domain example.org of the sandbox. */
export const SMALL_DOMAIN_BYTES = 70_000;

/** One for each authentication result; the records are in demo-zone.ts. */
const AUTHENTICATION_MESSAGES: readonly DemoMessage[] = [
  proof('SPF, DKIM and DMARC pass', 'bob@signed.example', 'well'),
  proof('signed, and changed on its way', 'bob@signed.example', 'and then changed'),
  proof('SPF soft fail', 'bob@soft.example'),
  proof('SPF hard fail', 'bob@forbids.example'),
  proof('a broken SPF record', 'bob@broken.example'),
  proof('name servers that fail', 'bob@silent.example'),
  proof('a From that DMARC asks to quarantine', OUTSIDER, 'not at all', 'bank@cautious.example'),
  proof('a From that DMARC asks to reject', 'bob@forbids-too.example', 'not at all', 'bank@strict.example'),
];

function proof(
  title: string,
  from: string,
  signed: NonNullable<DemoMessage['authentication']>['signed'] = 'not at all',
  author = from,
): DemoMessage {
  const content = letter(title, 'alice@example.com', { from: author });
  return { title, from, to: ['alice@example.com'], content, sender: 'stranger', authentication: { signed } };
}

export const DEMO_MESSAGES: readonly DemoMessage[] = [
  {
    title: 'a clean message',
    from: OUTSIDER,
    to: ['alice@example.com'],
    content: letter('Lunch on Friday', 'alice@example.com'),
    sender: 'stranger',
  },
  {
    title: 'an alias of two people',
    from: OUTSIDER,
    to: ['sales@example.com'],
    content: letter('An offer', 'sales@example.com'),
    sender: 'stranger',
  },
  {
    title: 'a sub-address',
    from: OUTSIDER,
    to: ['alice+newsletter@example.com'],
    content: letter('Your newsletter', 'alice+newsletter@example.com'),
    sender: 'stranger',
  },
  {
    title: 'an unknown recipient',
    from: OUTSIDER,
    to: ['nobody@example.com'],
    content: letter('Is anyone there', 'nobody@example.com'),
    sender: 'stranger',
  },
  {
    title: 'a relay attempt',
    from: OUTSIDER,
    to: ['victim@other.example'],
    content: letter('Cheap watches', 'victim@other.example'),
    sender: 'stranger',
  },
  {
    title: 'a relay attempt with a percent sign',
    from: OUTSIDER,
    to: ['victim%other.example@example.com'],
    content: letter('Cheaper watches', 'victim@other.example'),
    sender: 'stranger',
  },
  {
    title: 'too large for the domain',
    from: OUTSIDER,
    to: ['erin@example.org'],
    content: letter('Holiday pictures', 'erin@example.org', { body: `${'x'.repeat(70)}\r\n`.repeat(1500) }),
    sender: 'stranger',
  },
  {
    title: 'two From fields',
    from: OUTSIDER,
    to: ['alice@example.com'],
    content: letter('Who wrote this', 'alice@example.com', { extra: 'From: ceo@example.com\r\n' }),
    sender: 'stranger',
  },
  {
    title: 'a message going in circles',
    from: OUTSIDER,
    to: ['alice@example.com'],
    content: letter('Round and round', 'alice@example.com', {
      extra: 'Received: from a.example by b.example; Sun, 22 Nov 2026 12:00:00 +0000\r\n'.repeat(120),
    }),
    sender: 'stranger',
  },
  {
    title: 'a second message smuggled behind a bare line feed',
    from: OUTSIDER,
    to: ['alice@example.com'],
    content: letter('Innocent', 'alice@example.com', {
      body: 'text\n.\r\nMAIL FROM:<ceo@example.com>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\n',
    }),
    sender: 'stranger',
  },
  ...AUTHENTICATION_MESSAGES,
  {
    title: 'the mailbox is busy: a temporary failure',
    from: OUTSIDER,
    to: ['busy@example.com'],
    content: letter('Please wait', 'busy@example.com'),
    sender: 'stranger',
  },
  {
    title: 'two recipients with different fates',
    from: OUTSIDER,
    to: ['carol@example.com', 'full@example.com'],
    content: letter('To both of you', 'carol@example.com, full@example.com'),
    sender: 'stranger',
  },
  {
    title: 'to the postmaster, who has no account',
    from: OUTSIDER,
    to: ['postmaster@example.org'],
    content: letter('Your server', 'postmaster@example.org'),
    sender: 'stranger',
  },
  {
    title: 'a sender on the block list',
    from: 'offers@pills.example',
    to: ['alice@example.com'],
    content: letter('Buy now', 'alice@example.com', { from: 'offers@pills.example' }),
    sender: 'stranger',
  },
  {
    title: 'a forged sender of a shielded domain',
    from: 'boss@partner.example',
    to: ['alice@example.com'],
    content: letter('Our new bank account', 'alice@example.com', { from: 'boss@partner.example' }),
    sender: 'stranger',
  },
  {
    title: 'going out, from a user who signs in',
    from: ALICE.username,
    to: [OUTSIDER],
    content: letter('Re: Lunch on Friday, too', OUTSIDER, { from: ALICE.username }),
    sender: ALICE,
  },
  {
    title: 'a user who signs in, and writes as a colleague',
    from: 'carol@example.com',
    to: [OUTSIDER],
    content: letter('It was Carol', OUTSIDER, { from: 'carol@example.com' }),
    sender: ALICE,
  },
  {
    title: 'a password that is guessed',
    from: ALICE.username,
    to: [OUTSIDER],
    content: letter('Never sent', OUTSIDER, { from: ALICE.username }),
    sender: { ...ALICE, password: 'alice123' },
  },
  {
    title: "going out, from the organisation's server",
    from: 'alice@example.com',
    to: [OUTSIDER],
    content: letter('Re: Lunch on Friday', OUTSIDER, { from: 'alice@example.com' }),
    sender: 'organisation',
  },
  {
    title: 'a stranger under the name of a colleague',
    from: 'carol@example.com',
    to: ['alice@example.com'],
    content: letter('Please pay this today', 'alice@example.com', { from: 'carol@example.com' }),
    sender: 'stranger',
  },
  {
    title: 'a forged local sender going out',
    from: 'alice@example.com',
    to: ['victim@other.example'],
    content: letter('Trust me', 'victim@other.example', { from: 'alice@example.com' }),
    sender: 'stranger',
  },
];
