/** Settings that the three reverse look-ups share. */
import { defineSettings, flag } from '../../../settings/define.ts';

export const reverseSettings = defineSettings('reverseLookup', {
  warningHeader: flag(
    false,
    'Adds `X-Reverse-Lookup-Warning` to mail whose sender fails a reverse look-up (`ptr-missing`, `helo-mismatch`, ...), so that filters behind this node can use it.',
    { scope: 'domain' },
  ),
});
