/** Settings of screening itself and of the checks that have a number of their own. */
import { amount, count, defineSettings, flag, networks } from '../settings/define.ts';

const MIB = 1024 * 1024;

export const smtpSettings = defineSettings('smtp', {
  maxMessageBytes: amount(
    50 * MIB,
    'bytes',
    { min: 64 * 1024, max: 2048 * MIB },
    'The largest message accepted, as it comes over the wire. Offered to senders in EHLO (SIZE); a larger one is refused with 552 5.3.4, at MAIL where the sender says its size, else when it has come in. A domain can set a smaller limit for its own mail; the global value bounds them all.',
    { scope: 'domain' },
  ),
  maxHops: count(
    25,
    { min: 10, max: 1000 },
    'How many Received fields a message may have. More mean that it goes round in a loop, and it is refused with 554 5.4.6. Raise it if honest mail passes through longer chains of lists and forwarders (RFC 5321 6.3 speaks of a hundred).',
  ),
});

export const screenOwnSettings = defineSettings('screen', {
  messageSeconds: amount(
    60,
    'seconds',
    { min: 5, max: 300 },
    'How long the checks of a whole message may take together. If an answer is still missing then, checks that protect make the message wait (451: the sender tries again); the others are left out.',
  ),
});

export const relaySettings = defineSettings('relay', {
  throughDomainServers: flag(
    false,
    'Domain mail servers may send on mail whose sender and recipient are both elsewhere. Consequence: whoever takes over such a server, or finds it open, spams the world through this node. Servers that forward for outside senders need either this or SRS (a sender of their own domain), which is better: without it SPF fails at the next hop.',
  ),
  onlyDomainServers: flag(
    true,
    "Mail from a local domain is taken only from that domain's mail servers, whoever it is for (550 5.7.1). Off, strangers may write to your users under your users' names.",
  ),
  exceptLocalRecipients: flag(
    false,
    'Exception to `relay.onlyDomainServers`: mail to local accounts. Consequence: a stranger may write to your users as one of them; only SPF, DKIM and DMARC of your own domain stand in the way. Turn it on where mail of your users comes back through forwarders without SRS.',
  ),
  exceptAuthenticated: flag(
    true,
    'Exception to `relay.onlyDomainServers`: sessions that signed in on 587 and 465. Off, nobody can submit mail with a mail program. The guide would have it off; `docs/guides.md` says why it is not.',
  ),
  exceptAuthenticatedOn25: flag(
    false,
    'The same on port 25. Consequence: a stolen password works where servers talk, too. Mail servers that sign in as their domain need no exception.',
  ),
  exceptAllowListed: flag(
    false,
    'Exception to `relay.onlyDomainServers`: clients whose address or host name is on an allow list (an address of a sender is not enough). Consequence: everybody behind such an address may write as any of your users, to your users.',
  ),
  exceptShielded: flag(
    true,
    'Exception to `relay.onlyDomainServers`: clients from a network that an operator paired with the domain (`postern shield add`). Consequence: every device in that network may write as everyone in the domain, to everyone. Off, printers and the like must sign in.',
  ),
  senderMustExist: flag(
    true,
    'A sender of a local domain must exist: an account, alias, sub-address, postmaster or abuse (550 5.1.8). Off, mail leaves under names that nobody can answer.',
  ),
  senderExceptAuthenticated: flag(
    false,
    'Exception to `relay.senderMustExist`: sessions that signed in. Consequence: users may write under names that do not exist.',
  ),
  senderExceptDomainServers: flag(
    false,
    "Exception to `relay.senderMustExist`: the domain's mail servers. Turn it on where they send under addresses that this node does not know (noreply@). Consequence: bounces to such senders are refused here, and a server taken over may write under any name.",
  ),
  senderExceptAllowListed: flag(
    false,
    'Exception to `relay.senderMustExist`: clients whose address or host name is on an allow list. Consequence: as for domain mail servers, with everybody behind such an address.',
  ),
});

export const listSettings = defineSettings('lists', {
  provenAddresses: flag(
    true,
    'Addresses on an allow list count only where SPF passes for their domain, or a DKIM signature of it does. Off, whoever writes such an address into MAIL or From passes every check that spares listed senders: anyone can.',
  ),
});

export const shieldSettings = defineSettings('ipShield', {
  presets: networks(
    ['10.0.0.0/8', '127.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '::1', 'fd00::/8'],
    'Networks that senders of every local domain may come from (`$LOCALDOMAIN$`). They waive SPF and DMARC, and no more: to send to recipients elsewhere a pair must be entered (`postern shield add`). They do not count where all clients seem to have one private address. Empty: only entered pairs count.',
    { maxItems: 100 },
  ),
  natAddresses: networks(
    [],
    'Addresses from which many clients come to this node, because a container, NAT or load balancer without PROXY hides theirs. No pair or preset of IP shielding counts for them, nor what is waived for this machine itself. Default gateways are known without this; a private address that all of 50 sessions of a listener came from is guessed, and then pairs count that name it.',
    { maxItems: 100 },
  ),
});
