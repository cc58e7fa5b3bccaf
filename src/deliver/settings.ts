/** Settings of delivery: routes, numbers of connections, time-outs of peers. */
import { isIP } from 'node:net';
import { parseAddressLiteral, parseDomain } from '../protocol/smtp/domain.ts';
import { amount, choice, count, defineSettings, list, text } from '../settings/define.ts';
import { parseHostPort } from './host-port.ts';

const hostPortCheck = (value: string): string | undefined =>
  value === '' || parseHostPort(value, 25) ? undefined : 'must be `host`, `host:port`, `[IPv6]` or `[IPv6]:port`';

const addressesCheck = (values: readonly string[]): string | undefined => {
  const wrong = values.find((value) => isIP(value) === 0);
  return wrong === undefined ? undefined : `must be a list of IP addresses, and ${wrong} is none`;
};

/** RFC 5321 4.1.1.1. */
const heloNameCheck = (value: string): string | undefined =>
  value === '' || parseDomain(value).ok || parseAddressLiteral(value).ok
    ? undefined
    : 'must be a host name or an address literal such as [192.0.2.1]';

export const deliverySettings = defineSettings('delivery', {
  smartHost: text(
    '',
    'The server that takes all mail for remote domains, as `host` or `host:port` (port 25 when left out). Empty: mail goes directly to the mail exchangers (MX) of each domain. Mail for local domains never goes here.',
    { check: hostPortCheck, maxLength: 300 },
  ),
  heloName: text(
    '',
    "The name said in EHLO to other servers. Empty: the node's hostname. It should resolve to the address that mail leaves from, and that address back to it.",
    { maxLength: 255, check: heloNameCheck },
  ),
  bindAddresses: list(
    [],
    'Local addresses that outgoing connections come from: the first of the family of the address connected to. Empty: the system chooses.',
    { check: addressesCheck, maxItems: 16 },
  ),
  addressFamily: choice(
    ['both', 'ipv4', 'ipv6'],
    'both',
    'Which addresses of remote hosts are used. With `both`, IPv6 comes first where this machine has an IPv6 address of that reach.',
  ),
  concurrencyPerDestination: count(
    20,
    { min: 1, max: 1000 },
    'The most connections to one destination at a time. A destination starts with 5, and with 1 after a failure, and gets one more with each success.',
  ),
  concurrency: count(200, { min: 1, max: 10_000 }, 'The most messages in transfer at a time, over all destinations.'),
  failureCacheMinutes: amount(
    5,
    'minutes',
    { min: 1, max: 1440 },
    'A host that could not be connected to is not tried again for this time; its mail waits, which counts as no attempt.',
  ),
  tlsFallbackMinutes: amount(
    60,
    'minutes',
    { min: 1, max: 1440 },
    'After a failed TLS handshake, connections to that address go in clear for this time, unless a policy demands TLS.',
  ),
  idleSeconds: amount(
    5,
    'seconds',
    { min: 1, max: 300 },
    'How long a connection is kept open for the next message to the same destination.',
  ),
  connectTimeoutSeconds: amount(30, 'seconds', { min: 1, max: 300 }, 'How long connecting to a host may take.'),
  commandTimeoutSeconds: amount(
    300,
    'seconds',
    { min: 5, max: 3600 },
    'How long a host may take to greet and to answer a command (RFC 5321 4.5.3.2 asks for 300).',
  ),
  dataTimeoutSeconds: amount(
    180,
    'seconds',
    { min: 5, max: 3600 },
    'How long a host may take to answer DATA and to accept a block of a message (RFC 5321 4.5.3.2 asks for 120 and 180).',
  ),
  finalTimeoutSeconds: amount(
    600,
    'seconds',
    { min: 5, max: 3600 },
    'How long a host may take to acknowledge a whole message (RFC 5321 4.5.3.2 asks for 600). Too short a time delivers twice.',
  ),
});

export const publicAddressSettings = defineSettings('smtp', {
  publicAddresses: list(
    [],
    'Addresses that this node is reached at although no interface has them, such as that of a router in front of it. A domain whose mail exchanger has one of them leads back here, and its mail is returned as looping.',
    { check: addressesCheck, maxItems: 64 },
  ),
});
