/** Settings of DKIM and ARC verification that other files need as well. */
import { count, defineSettings, domainsDoubt, list } from '../../../../settings/define.ts';

export const dkimSettings = defineSettings('dkim', {
  minimumKeyBits: count(
    1024,
    { min: 1024, max: 4096 },
    'RSA keys with fewer bits sign nothing: such a signature counts as `policy` (RFC 8301 3.2 asks for 1024 at least). Much honest mail is still signed with 1024 bits.',
  ),
  passCredit: count(
    0,
    { min: 0, max: 100 },
    'Taken from the score of a message that has a valid signature of its author domain.',
    { scope: 'domain' },
  ),
});

export const arcSettings = defineSettings('arc', {
  trustedSealers: list(
    [],
    'Domains whose ARC seals are believed (RFC 8617 7.2): forwarders and list servers that you know. Mail that fails DMARC is not refused when its chain holds, all its sealers are listed here, and the first of them says that DMARC passed when it took the message.',
    { scope: 'domain', maxItems: 1000, doubt: domainsDoubt(false) },
  ),
});
