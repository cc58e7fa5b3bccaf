/**
 * AUTH as a client (RFC 4954): signs in by the strongest mechanism that both sides know.
 *
 * No secret is sent before the server has proven its identity (`SignIn.doubt`), and none twice. Ends in `done` or in
 * one typed failure, whose text contains nothing of the secret, even if the server repeats it.
 */
import type { Reply } from '../../model/reply.ts';
import { replyText } from '../../model/reply.ts';
import {
  beginExchange,
  type ClientExchange,
  type ClientMechanism,
  chooseMechanism,
} from '../../protocol/sasl/client.ts';
import type { PeerExtensions } from '../../protocol/smtp/ehlo-reply.ts';
import { wireLine } from '../../protocol/text/unsafe.ts';
import { channelBinding } from '../channel-binding.ts';
import { CLIENT_LIMITS } from './limits.ts';
import type { Transport } from './transport.ts';
import type { ClientTimeouts, OpeningFailure, SignIn, SignInProblem } from './types.ts';

export interface SignInEnds {
  done(mechanism: ClientMechanism): void;
  failed(failure: OpeningFailure): void;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Handles the transport's replies until it ends. */
export function signIn(
  transport: Transport,
  extensions: PeerExtensions,
  { credentials, doubt, allowed, salting, random, notes }: SignIn,
  { commandMs }: ClientTimeouts,
  { done, failed }: SignInEnds,
) {
  let exchange: ClientExchange;
  /** An initial response that is too long for the command line: sent as the answer to the first challenge. */
  let held: Uint8Array | undefined;
  let isSalting = false;
  /** Every form that was sent, as a server might repeat it. */
  const sent: string[] = [];

  const fail = (problem: SignInProblem, reason: string, reply?: Reply): void => {
    const bounded = reason.slice(0, CLIENT_LIMITS.reasonCharacters);
    failed({ kind: 'sign-in', step: 'auth', problem, reason: bounded, ...(reply && { reply }) });
  };
  const say = (line: string, shown: string) => {
    notes?.sent(shown);
    transport.arm(commandMs);
    transport.write(wireLine(line));
  };
  const answer = (bytes: Uint8Array) => {
    const text = encoded(bytes);
    sent.push(text);
    say(text, '(hidden)');
  };
  const unproven = (why: string): void => fail('unproven', `the server is not to be believed: ${why}`);

  const unsafe = doubt(transport.secured);
  if (unsafe !== undefined) return fail('insecure', unsafe);
  const binding = transport.secured && channelBinding(transport.secured);
  const mechanism = chooseMechanism(extensions.auth, credentials, binding !== undefined, allowed);
  if (!mechanism) {
    const offered = extensions.auth.slice(0, CLIENT_LIMITS.mechanismsNamed).join(' ') || 'none at all';
    return fail('not-offered', `the server offers no way to sign in that we know: ${offered}`);
  }
  const nonce = Buffer.from(random.bytes(CLIENT_LIMITS.nonceBytes)).toString('base64');

  function begin(chosen: ClientMechanism) {
    exchange = beginExchange(chosen, credentials, { binding, nonce });
    const command = `AUTH ${chosen}`;
    if (!exchange.initial) return say(command, command);
    const initial = encoded(exchange.initial);
    const line = `${command} ${initial}`;
    if (line.length > CLIENT_LIMITS.commandCharacters) {
      held = exchange.initial;
      return say(command, command);
    }
    sent.push(initial);
    say(line, `${command} (hidden)`);
  }

  function challenged({ text }: Reply) {
    if (typeof text !== 'string' || !BASE64.test(text)) return unproven('its challenge is not base64');
    if (held) {
      answer(held);
      held = undefined;
      return;
    }
    const step = exchange.challenged(Buffer.from(text, 'base64'));
    if (step.kind === 'doubt') return unproven(step.reason);
    if (step.kind === 'answer') return answer(step.data);
    isSalting = true;
    transport.arm(commandMs);
    salting(step.password, step.salt, step.iterations).then(
      (salted) => {
        isSalting = false;
        if (transport.isOpen()) answer(step.finish(salted));
      },
      (error: Error) => transport.isOpen() && fail('lost', `the password could not be prepared: ${error.message}`),
    );
  }

  function refused(chosen: ClientMechanism, reply: Reply) {
    const safe = withoutSecret(reply, credentials.secret.text, sent);
    fail(
      reply.code < 500 ? 'put-off' : 'refused',
      `the server refused to let ${credentials.user} sign in by ${chosen}: ${lineOf(safe)}`,
      safe,
    );
  }

  transport.received = (reply) => {
    const { code } = reply;
    notes?.received(code === 334 ? '334 (hidden)' : lineOf(withoutSecret(reply, credentials.secret.text, sent)));
    if (isSalting) unproven(`it said ${code} before it was answered`);
    else if (code === 334) challenged(reply);
    else if (code >= 400) refused(mechanism, reply);
    else if (code !== 235) unproven(`it answered ${code} to AUTH`);
    else {
      const why = held ? 'it asked for nothing' : exchange.accepted();
      if (why === undefined) done(mechanism);
      else unproven(why);
    }
  };
  begin(mechanism);
}

function encoded(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function lineOf(reply: Reply): string {
  return `${reply.code} ${reply.enhanced === undefined ? '' : `${reply.enhanced} `}${replyText(reply)}`;
}

/** A server may repeat the secret, in clear or as it was sent. */
function withoutSecret(reply: Reply, secret: string, sent: readonly string[]): Reply {
  const forms = [...sent, Buffer.from(secret).toString('base64'), secret].filter((form) => form !== '');
  return { ...reply, text: forms.reduce((text, form) => text.replaceAll(form, '(hidden)'), replyText(reply)) };
}
