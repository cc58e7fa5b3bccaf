/** The DNS records of the demo: senders of every kind. */
import type { StrangersKey } from './signed.ts';
import type { ZoneName } from './zone.ts';

const FROM_HERE = 'v=spf1 ip4:127.0.0.1 -all';

export function demoZone(key: StrangersKey): Record<string, ZoneName> {
  return {
    'elsewhere.example': { TXT: [FROM_HERE] },
    'signed.example': { TXT: [FROM_HERE] },
    [key.name]: { TXT: [key.record.match(/.{1,200}/g) ?? []] },
    '_dmarc.signed.example': { TXT: ['v=DMARC1; p=reject'] },
    'soft.example': { TXT: ['v=spf1 ~all'] },
    'forbids.example': { TXT: ['v=spf1 -all'] },
    'broken.example': { TXT: ['v=spf1 ip4:127.0.0.999 -all'] },
    'silent.example': { fault: 'SERVFAIL' },
    '_dmarc.cautious.example': { TXT: ['v=DMARC1; p=quarantine'] },
    'forbids-too.example': { TXT: ['v=spf1 ~all'] },
    '_dmarc.strict.example': { TXT: ['v=DMARC1; p=reject'] },
  };
}
