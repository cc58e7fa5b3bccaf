/**
 * XCLIENT (Postfix's XCLIENT_README): a trusted proxy says who its client is, and the session begins
 * anew with that client, as if it had just connected. The facts stand until the proxy says others.
 */
import { andThen } from '../../model/maybe-promise.ts';
import type { Reply } from '../../model/reply.ts';
import { parseXclient } from '../../protocol/smtp/xclient.ts';
import { canonicalAddress } from '../../wire/network.ts';
import { greeting } from '../greeting.ts';
import { problemReply } from '../replies.ts';
import type { Verb } from '../session.ts';

const NOT_TRUSTED: Reply = { code: 550, enhanced: '5.7.0', text: 'not authorised to say that' };
const WITHIN_MESSAGE: Reply = { code: 503, enhanced: '5.5.1', text: 'a message is being sent' };

export const xclient: Verb = (session, argument) => {
  if (!session.trustedProxy) return NOT_TRUSTED;
  if (session.transaction) return WITHIN_MESSAGE;
  const told = parseXclient(argument);
  if (!told.ok) return problemReply(told.problem, 'sender');
  const { address, port, proto, helo, localAddress, localPort } = told.value;
  const { facts } = session;
  const { helo: _, account: __, ...before } = facts;
  session.facts = {
    ...before,
    client: { address: address ? canonicalAddress(address) : facts.client.address, port: port ?? facts.client.port },
    proxy: facts.proxy ?? session.connection.peer,
    local: { address: localAddress ?? facts.local.address, port: localPort ?? facts.local.port },
    // A proxy that passes HELO on need not say it again itself.
    ...(helo === undefined ? {} : { helo }),
    extended: proto === 'ESMTP',
  };
  session.screen = session.services.screen.session(session.facts);
  return andThen(session.screen.connect(), ({ refusal }) => refusal ?? greeting(session));
};
