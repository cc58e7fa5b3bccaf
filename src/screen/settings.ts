/** Settings of screening itself and of the checks that have a number of their own. */
import { amount, count, defineSettings } from '../settings/define.ts';

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
