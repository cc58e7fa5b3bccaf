/**
 * From a socket to a peer that is ready for mail: greeting, EHLO (HELO where EHLO is unknown, RFC 5321 3.2), STARTTLS
 * where offered (RFC 3207), EHLO again, AUTH where we have credentials. Ends in `ready` or in one typed failure;
 * after a failed handshake the same connection never continues in clear, and after a failed sign-in never without it.
 */

import type { Reply } from '../../model/reply.ts';
import { replyClass, replyText } from '../../model/reply.ts';
import type { ClientMechanism } from '../../protocol/sasl/client.ts';
import { type PeerExtensions, parseEhloReply } from '../../protocol/smtp/ehlo-reply.ts';
import { wireLine } from '../../protocol/text/unsafe.ts';
import { CLIENT_LIMITS } from './limits.ts';
import { signIn } from './sign-in.ts';
import type { Lost, Transport } from './transport.ts';
import type { ConnectOptions, OpeningFailure, Step } from './types.ts';

export function openSession(
  transport: Transport,
  options: ConnectOptions,
  ready: (extensions: PeerExtensions, signedIn?: ClientMechanism) => void,
  failed: (failure: OpeningFailure) => void,
): { connected(): void } {
  const { timeouts } = options;
  let step: Step = 'connect';
  /** EHLO was sent again inside TLS: what was offered before does not count (RFC 3207 4.2). */
  let secured = false;
  let saidHelo = false;

  const fail = (failure: OpeningFailure) => {
    if (failure.reply && failure.kind !== 'tls') transport.finish('QUIT\r\n', CLIENT_LIMITS.quitMs);
    else transport.close();
    failed(failure);
  };
  const say = (line: string, next: Step) => {
    step = next;
    transport.arm(timeouts.commandMs);
    transport.write(line);
  };
  const refuse = (reply: Reply) => {
    const { code } = reply;
    const reason = `the peer answered ${code} ${replyText(reply)}`;
    if (code < 400) fail({ kind: 'connection', step, reason: `the peer answered out of turn: ${code}` });
    else fail({ kind: 'refused', step, reply, reason });
  };
  const greeted = (reply: Reply) => {
    if (reply.code === 220) say(wireLine(`EHLO ${options.heloName}`), 'ehlo');
    else refuse(reply);
  };
  const introduced = (reply: Reply) => {
    if (replyClass(reply.code) === 'permanent' && !saidHelo && reply.code !== 521) {
      saidHelo = true;
      return say(wireLine(`HELO ${options.heloName}`), 'ehlo');
    }
    if (reply.code !== 250) return refuse(reply);
    const extensions = parseEhloReply(saidHelo ? { code: 250, text: replyText(reply).slice(0, 255) } : reply);
    if (secured || options.tls === 'clear') return enter(extensions);
    if (extensions.startTls) return say('STARTTLS\r\n', 'starttls');
    if (options.tls === 'opportunistic') return enter(extensions);
    fail({ kind: 'tls', step: 'starttls', reason: 'the peer does not offer STARTTLS, which is required' });
  };
  const enter = (extensions: PeerExtensions) => {
    if (!options.signIn) return ready(extensions);
    step = 'auth';
    const done = (mechanism: ClientMechanism) => ready(extensions, mechanism);
    signIn(transport, extensions, options.signIn, timeouts, { done, failed: fail });
  };
  const mayStartTls = (reply: Reply) => {
    // RFC 5321 3.8: it closes down, or is busy, and the reply is not about TLS.
    if (reply.code === 421) return refuse(reply);
    if (reply.code !== 220)
      return fail({ kind: 'tls', step, reply, reason: `the peer refused STARTTLS: ${reply.code} ${replyText(reply)}` });
    transport.received = () => fail({ kind: 'tls', step, reason: 'the peer spoke in clear behind STARTTLS' });
    transport.arm(timeouts.commandMs);
    transport.secure(() => {
      secured = true;
      saidHelo = false;
      transport.received = received;
      say(wireLine(`EHLO ${options.heloName}`), 'ehlo');
    });
  };
  const received = (reply: Reply) => {
    if (step === 'greeting') greeted(reply);
    else if (step === 'ehlo') introduced(reply);
    else mayStartTls(reply);
  };

  transport.received = received;
  transport.lost = ({ reason }: Lost) => {
    if (step === 'auth') failed({ kind: 'sign-in', step, problem: 'lost', reason: `${reason} while we signed in` });
    else failed({ kind: step === 'starttls' ? 'tls' : 'connection', step, reason });
  };
  const awaitGreeting = () => {
    step = 'greeting';
    transport.arm(timeouts.greetingMs);
  };
  return {
    connected() {
      if (options.tls !== 'implicit') return awaitGreeting();
      step = 'starttls';
      transport.arm(timeouts.commandMs);
      transport.secure(() => {
        secured = true;
        awaitGreeting();
      });
    },
  };
}
