/**
 * XCLIENT (Postfix's XCLIENT_README): a trusted proxy names its client, and the session begins anew with that client,
 * as if it had just connected. A client is named once: a proxy that forwards its client's commands must not let it
 * name another. Further facts may follow (a line is bounded). From the first XCLIENT on the proxy acts for a client:
 * if its address is unknown, or not sent yet, the client has none, and is never taken for the proxy.
 */
import { andThen } from '../../model/maybe-promise.ts';
import type { Reply } from '../../model/reply.ts';
import { type TlsFacts, UNKNOWN_ADDRESS } from '../../model/session.ts';
import { parseXclient } from '../../protocol/smtp/xclient.ts';
import { canonicalAddress } from '../../wire/network.ts';
import { greeting } from '../greeting.ts';
import { problemReply, TOO_MANY_FROM_NETWORK } from '../replies.ts';
import type { SmtpSession, Verb } from '../session.ts';

const NOT_TRUSTED: Reply = { code: 550, enhanced: '5.7.0', text: 'not authorised to say that' };
const NAMED_ALREADY: Reply = { code: 550, enhanced: '5.7.0', text: 'the client of this session is known already' };
const WITHIN_MESSAGE: Reply = { code: 503, enhanced: '5.5.1', text: 'a message is being sent' };

export const xclient: Verb = (session, argument) => {
  session.idleCommands++;
  if (!session.trustedProxy) return NOT_TRUSTED;
  if (session.transaction) return WITHIN_MESSAGE;
  const parsed = parseXclient(argument);
  if (!parsed.ok) return problemReply(parsed.problem, 'sender');
  const { address, port, proto, helo, localAddress, localPort } = parsed.value;
  const { facts } = session;
  const client = clientAfter(session, address);
  if (client !== facts.client.address) {
    if (session.isClientNamed) return NAMED_ALREADY;
    if (!session.connection.nameClient(client)) return TOO_MANY_FROM_NETWORK;
  }
  session.isClientNamed ||= address !== undefined;
  const { helo: _, account: __, tls, ...before } = facts;
  session.facts = {
    ...before,
    client: { address: client, port: port ?? facts.client.port },
    proxy: facts.proxy ?? session.connection.peer,
    ...(tls && { tls: withoutCertificate(tls) }),
    local: { address: localAddress ?? facts.local.address, port: localPort ?? facts.local.port },
    // A proxy that forwards HELO need not send it itself.
    ...(helo === undefined ? {} : { helo }),
    extended: proto === 'ESMTP',
  };
  session.screen.reset?.();
  session.screen = session.services.screen.session(session.facts);
  return andThen(session.screen.connect(), ({ refusal }) => refusal ?? greeting(session));
};

function clientAfter({ isClientNamed, facts }: SmtpSession, address: string | null | undefined): string {
  if (address) return canonicalAddress(address);
  return address === undefined && isClientNamed ? facts.client.address : UNKNOWN_ADDRESS;
}

/** The certificate is the proxy's: its client has proven none. */
function withoutCertificate({ certificate: _, ...tls }: TlsFacts): TlsFacts {
  return tls;
}
