/** Settings of the Minger server. */
import { count, defineSettings, networks } from '../settings/define.ts';

export const mingerSettings = defineSettings('minger', {
  anonymousNetworks: networks(
    [],
    'Addresses and CIDR networks that may ask the Minger server without the shared secret. Empty: nobody. Whoever may ask without a secret learns which of your users exist.',
    { maxItems: 100 },
  ),
  questionsPerMinute: count(
    600,
    { min: 1, max: 1_000_000 },
    'How many questions one network (an IPv4 address, an IPv6 /64) may ask the Minger server within a minute; further ones are not answered. Wrong secrets count ten times.',
  ),
});
