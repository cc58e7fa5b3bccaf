/** Settings of verification by sources. */
import { amount, choice, count, defineSettings, flag, text } from '../../settings/define.ts';

export const verificationSettings = defineSettings('verification', {
  whenUnsure: choice(
    ['defer', 'accept'],
    'defer',
    'What happens to mail for an unknown user when no source can tell whether the user exists. `defer`: 451, the sender tries again. `accept`: it goes on to the mail server, which may have to bounce it.',
    { scope: 'domain' },
  ),
  negativeMinutes: amount(
    15,
    'minutes',
    { min: 1, max: 1440 },
    'How long it is remembered that a user does not exist. Forgotten as soon as a source is changed, and void once the user is added.',
  ),
  reverify: flag(
    true,
    'Ask the sources again about users whom they once confirmed. A user who is gone is disabled, never deleted, and enabled again when a source says so.',
    { scope: 'domain' },
  ),
  reverifyHours: amount(
    120,
    'hours',
    { min: 1, max: 8760 },
    'After how long a confirmed user is asked about again, when the next mail comes.',
    { scope: 'domain' },
  ),
  signIn: flag(
    true,
    'Let users sign in with the password that a source knows (dynamic authentication), where this node has none of them. All kinds can, Minger where it has a sign-in port.',
    { scope: 'domain' },
  ),
  signInMinutes: amount(
    5,
    'minutes',
    { min: 1, max: 60 },
    'How long a password that a source confirmed is taken without asking again. It is never stored.',
  ),
  welcome: flag(
    false,
    'Send a mail to users whom a source confirmed for the first time. Once a user, and some hundred an hour.',
    {
      scope: 'domain',
    },
  ),
  welcomeText: text(
    'Your mail is now protected by this gateway. You need not do anything.',
    'What the welcome mail says.',
    { scope: 'domain', maxLength: 10_000, lines: true },
  ),
  createDomains: flag(
    false,
    'Make a domain local when mail comes for one of its users and a default source confirms the user. Only where its MX records lead here, and only by a source that denies a user made up at random.',
  ),
  createDomainsPerHour: count(10, { min: 1, max: 1000 }, 'How many domains are made so within an hour at most.'),
});
