/**
 * SMTP call forward: asks a mail server whether it would accept mail for a user, and sends none.
 *
 * EHLO, STARTTLS if offered, AUTH if set, MAIL, RCPT, RSET, QUIT; never DATA. A refusal counts against a user only if
 * it is about the user: a server that refuses us (relaying, sign-in, block lists) would otherwise make every user
 * disappear. Without credentials of its own a source signs in with those for delivery to the same host and port.
 */

import type { Reply } from '../../model/reply.ts';
import { replyText } from '../../model/reply.ts';
import { parseAddress } from '../../protocol/smtp/address.ts';
import { isAsciiText } from '../../protocol/smtp/domain.ts';
import { formatMail, formatRcpt } from '../../protocol/smtp/format-command.ts';
import { createSalting } from '../../wire/client/salting.ts';
import { keyDigest, type ServerProof, serverProof } from '../../world/server-proof.ts';
import {
  type Answer,
  cannotTell,
  type PasswordAnswer,
  type Question,
  type SourceServices,
  type VerificationSource,
} from './contract.ts';
import { isOwnMachine, type SmtpOptions } from './definition.ts';
import { createTalker, type Talk, type Talker, type TalkOptions } from './smtp-talk.ts';
import { unverifiedTls, verifiedTls } from './tls.ts';

export function smtpSource(
  options: SmtpOptions,
  secret: string | undefined,
  services: SourceServices,
): VerificationSource {
  const talker = createTalker(services);
  const { host, port, sender } = options;
  const parsed = sender === '' ? undefined : parseAddress(sender);
  const reversePath = parsed?.ok ? parsed.value : null;
  const own = talkOptions(options, secret, services);

  function open(question: Question): Promise<Talk> {
    const login = secret === undefined ? services.logins?.of(host.toLowerCase(), port) : undefined;
    if (!login) return talker.open(own, question);
    if (!login.connect) throw new Error('the credentials for this server cannot be opened any more');
    return talker.open({ host, port, ...login.connect }, question);
  }

  async function ask(talk: Talk, { address }: Question): Promise<Answer> {
    const smtputf8 = !isAsciiText(address.text);
    if (smtputf8 && !talk.extensions.smtputf8)
      return cannotTell('the server takes no such addresses (SMTPUTF8)', 'address');
    const mail = await talk.ask(formatMail(reversePath, { smtputf8 }));
    if (mail.code !== 250) return refusal('the server refuses our MAIL FROM', mail);
    const answer = readRcpt(await talk.ask(formatRcpt({ address }, smtputf8)));
    await talk.ask('RSET');
    return answer;
  }

  return {
    async verify(question) {
      const talk = await open(question);
      try {
        return await ask(talk, question);
      } finally {
        talk.quit();
      }
    },
    authenticate: (question, password) => smtpSignIn(talker, options, question, password, services),
    close() {},
  };
}

function talkOptions(options: SmtpOptions, secret: string | undefined, { random }: SourceServices): TalkOptions {
  const { host, port, tls, trust, user, token } = options;
  if (secret === undefined) {
    const tlsOptions = tls === 'opportunistic' ? unverifiedTls : () => verifiedTls(host, trust);
    return { host, port, tls, tlsOptions };
  }
  const credentials = { user, secret: { kind: token ? 'token' : 'password', text: secret } } as const;
  const { tlsOptions, doubt } = proofOf(options, tls === 'opportunistic' || tls === 'clear');
  return { host, port, tls, tlsOptions, signIn: { credentials, doubt, salting: createSalting(), random } };
}

/** `mayTrustItself`: to this machine a password may be sent without proof, as nobody can listen. */
function proofOf({ host, trust, pin }: Place, mayTrustItself: boolean): ServerProof {
  const proof = serverProof({ host, authority: trust, pins: pin === '' ? [] : [keyDigest(pin)!] });
  return mayTrustItself && isOwnMachine(host) ? { ...proof, doubt: () => undefined } : proof;
}

type Place = Pick<SmtpOptions, 'host' | 'port' | 'trust' | 'pin'>;

/** A guesser chooses how often: only mechanisms that cost us no more than sending the password. */
const CHEAP = ['PLAIN', 'LOGIN'] as const;

/** By the user's own name and password, and only if nobody else can listen. */
export async function smtpSignIn(
  talker: Talker,
  place: Place & { readonly tls?: SmtpOptions['tls'] },
  { address, ...question }: Question,
  password: string,
  { random }: SourceServices,
): Promise<PasswordAnswer> {
  const { host, port, trust, pin } = place;
  const encrypted = place.tls === 'implicit' ? 'implicit' : 'required';
  const isOurs = isOwnMachine(host) && encrypted === 'required';
  const { tlsOptions, doubt } = proofOf(place, isOurs && trust === '' && pin === '');
  const credentials = { user: address.text, secret: { kind: 'password', text: password } } as const;
  const signIn = { credentials, doubt, allowed: CHEAP, salting: createSalting(), random };
  const tls = isOurs ? 'opportunistic' : encrypted;
  const reached = await talker.reach({ host, port, tls, tlsOptions, signIn }, { address, ...question });
  if ('ask' in reached) {
    reached.quit();
    return { kind: 'yes' };
  }
  // RFC 4954 6: 535 is about these credentials; anything else is about us, or about now.
  if (reached.kind === 'sign-in' && reached.reply?.code === 535) return { kind: 'no' };
  return cannotTell(reached.reason.slice(0, 300));
}

/** The meaning of a reply to RCPT for a user. */
export function readRcpt(reply: Reply): Answer {
  const { code, enhanced = '' } = reply;
  if (code === 250 || code === 251) return { kind: 'yes' };
  if (code === 252) return cannotTell('the server takes the address without looking (252)', 'address');
  if (enhanced === '5.2.2' || enhanced === '4.2.2' || code === 552) return { kind: 'yes', unavailable: 'full' };
  // RFC 3463 3.3: the mailbox exists. Not 4.2.0, which greylisting uses for everybody.
  if (enhanced.startsWith('5.2.') || enhanced === '4.2.1') return { kind: 'yes', unavailable: 'disabled' };
  if (code < 500) return refusal('the server puts us off', reply, code === 421 ? 'source' : 'address');
  return isAboutTheUser(reply) ? { kind: 'no' } : refusal('the server refuses us', reply);
}

function isAboutTheUser(reply: Reply): boolean {
  const { code, enhanced = '' } = reply;
  // 5.1.7 and 5.1.8 are about the sender (RFC 3463 3.2).
  if (enhanced.startsWith('5.1.')) return enhanced !== '5.1.7' && enhanced !== '5.1.8';
  if (code !== 550 && code !== 551 && code !== 553) return false;
  if (/relay|authent|sender|block/i.test(replyText(reply))) return false;
  // Exchange Online answers 550 5.4.1 for unknown users.
  return enhanced === '' || enhanced === '5.0.0' || enhanced === '5.4.1';
}

function refusal(what: string, reply: Reply, blame: 'source' | 'address' = 'source') {
  return cannotTell(`${what}: ${reply.code} ${replyText(reply)}`.slice(0, 300), blame);
}
