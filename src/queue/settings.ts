/** Settings of the queue: when it tries again, when it gives up, and what it reports to senders. */
import { amount, choice, defineSettings, flag } from '../settings/define.ts';

export const queueSettings = defineSettings('queue', {
  firstHourRetryMinutes: amount(
    5,
    'minutes',
    { min: 1, max: 60 },
    'How long the queue waits before it tries a recipient again, while the message is younger than an hour. Most temporary refusals (greylisting among them) are over within minutes.',
  ),
  retryMinutes: amount(
    240,
    'minutes',
    { min: 5, max: 1440 },
    'How long the queue waits between tries once a message is older than an hour.',
  ),
  expiryDays: amount(
    5,
    'days',
    { min: 1, max: 30 },
    'How long the queue tries before it gives a message up and tells the sender. RFC 5321 4.5.4.1 recommends at least 4 to 5 days.',
  ),
  delayWarning: flag(true, 'Tell the sender once when a message could not be delivered for a while.'),
  delayWarningHours: amount(
    4,
    'hours',
    { min: 1, max: 72 },
    'How long a message waits before its sender is told of the delay.',
  ),
  failureNotices: choice(
    ['always', 'unless-forged', 'never'],
    'unless-forged',
    'Whether senders are told that a message could not be delivered. `unless-forged`: where the checks found that the sender address was forged, the recipient is held for an administrator instead, so that nobody is told of mail he never sent. `never` loses mail without a word; use it for tests only.',
  ),
});
