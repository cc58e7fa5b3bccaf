/**
 * A node at 192.0.2.1 and 2001:db8::1 that greets as mx.example.com, and a world in which all of it
 * is right; each test changes what it is about. Real DNS over loopback.
 */
import { generateKeyPairSync } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { LocalAllows } from '../../src/directory/rules/local-allows.ts';
import type { ProxyOverlap } from '../../src/directory/rules/proxy-overlaps.ts';
import type { SealedPasswords } from '../../src/directory/sign-in/passwords/sealed-passwords.ts';
import type { RecordSight } from '../../src/directory/signing-keys/published.ts';
import type { TestedKey } from '../../src/posture/dkim.ts';
import type { AllDoubtful } from '../../src/posture/doubtful.ts';
import { createPosture, type Posture } from '../../src/posture/posture.ts';
import type { PostureResult, TestName } from '../../src/posture/types.ts';
import { formatKeyRecord } from '../../src/protocol/dkim/record.ts';
import type { HiddenClients } from '../../src/screen/sender/nat.ts';
import type { Settings } from '../../src/settings/contract.ts';
import { systemClock } from '../../src/world/clock.ts';
import { systemRandom } from '../../src/world/random.ts';
import { createResolver } from '../../src/world/resolver/stub.ts';
import { selfSigned } from '../../src/world/self-signed.ts';
import { recordedEvents } from '../support/events.ts';
import { startZone, type Zone, type ZoneName } from '../support/zone.ts';

export const DOMAIN = 'example.com';
export const HELO = 'mx.example.com';
export const IPV4 = '192.0.2.1';
export const IPV6 = '2001:db8::1';
export const PTR4 = '1.2.0.192.in-addr.arpa';
export const PTR6 = '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa';
export const LIST = 'list.test';

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PUBLIC_KEY = pair.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');

export const KEY: TestedKey = {
  domain: DOMAIN,
  selector: 's1',
  algorithm: 'rsa-sha256',
  public_key: PUBLIC_KEY,
  state: 'active',
  checked_at: null,
  check_result: null,
};
export const KEY_NAME = 's1._domainkey.example.com';
export const KEY_RECORD = formatKeyRecord('rsa-sha256', PUBLIC_KEY);

export const ALL_GOOD: Readonly<Record<string, ZoneName>> = {
  [DOMAIN]: { MX: [[10, HELO]], TXT: ['v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all'], A: ['192.0.2.80'] },
  [`_dmarc.${DOMAIN}`]: { TXT: ['v=DMARC1; p=reject; rua=mailto:dmarc@example.com'] },
  [KEY_NAME]: { TXT: [[KEY_RECORD.slice(0, 255), KEY_RECORD.slice(255)]] },
  [HELO]: { A: [IPV4], AAAA: [IPV6], TXT: ['v=spf1 a -all'] },
  [PTR4]: { PTR: [HELO] },
  [PTR6]: { PTR: [HELO] },
  [`2.0.0.127.${LIST}`]: { A: ['127.0.0.2'] },
};

/** What an operator allowed; nothing, until a test says so. */
export interface Risks {
  pairs: number;
  allows: LocalAllows;
  sealed: SealedPasswords;
  needsTls: boolean;
  overlaps: readonly ProxyOverlap[];
  hidden: readonly HiddenClients[];
  doubtful: AllDoubtful;
}

export interface World {
  readonly zone: Zone;
  readonly posture: Posture;
  /** Settings by key. */
  readonly settings: Record<string, unknown>;
  keys: readonly TestedKey[];
  /** What was seen of the keys' records, in order. */
  readonly sights: RecordSight[];
  certificate: string | undefined;
  readonly risks: Risks;
  /** What one test says, of the domain or of the node. */
  results(test: TestName): Promise<readonly PostureResult[]>;
}

const certificate = selfSigned(HELO, systemClock, systemRandom);

export async function world(t: TestContext, changes: Readonly<Record<string, ZoneName>> = {}): Promise<World> {
  const zone = await startZone(t, { ...ALL_GOOD, ...changes });
  const values: Record<string, unknown> = {
    'smtp.publicAddresses': [IPV4, IPV6],
    'posture.dnsLists': [LIST],
  };
  const settings: Settings = {
    current: () => ({ version: 1, get: (setting) => (values[setting.key] ?? setting.default) as never }),
    onChange: () => () => {},
  };
  const resolver = createResolver(
    { clock: systemClock, random: systemRandom, events: recordedEvents() },
    { servers: [zone.server], trusted: [] },
  );
  const made: World = {
    zone,
    settings: values,
    keys: [KEY],
    sights: [],
    certificate: (await certificate).certificate,
    risks: noRisks(),
    posture: createPosture({
      resolver,
      settings,
      clock: systemClock,
      hostname: HELO,
      localAddresses: () => ['127.0.0.1', '10.0.0.5', 'fe80::1%eth0', '::1'],
      certificate: async () => made.certificate,
      signingKeys: async () => made.keys,
      keepSights: async (sights) => void made.sights.push(...sights),
      shieldPairs: async () => made.risks.pairs,
      localAllows: async () => made.risks.allows,
      sealedPasswords: async () => made.risks.sealed,
      doubtful: async () => made.risks.doubtful,
      signInNeedsTls: () => made.risks.needsTls,
      proxyOverlaps: async () => made.risks.overlaps,
      hiddenClients: () => made.risks.hidden,
    }),
    async results(test) {
      const ofDomain = ['mx', 'spf', 'dkim', 'dmarc'].includes(test);
      const { results } = await (ofDomain ? made.posture.checkDomain(DOMAIN) : made.posture.checkNode());
      return results.filter((result) => result.test === test);
    },
  };
  return made;
}

export function noRisks(): Risks {
  return {
    pairs: 0,
    allows: { entries: [], count: 0, addresses: 0 },
    sealed: { logins: [], count: 0 },
    needsTls: true,
    overlaps: [],
    hidden: [],
    doubtful: { values: [], count: 0 },
  };
}

/** `verdict code` of each, and the severity of what is no plain good. */
export function said(results: readonly PostureResult[]): readonly string[] {
  return results.map(({ verdict, code, severity }) =>
    severity ? `${verdict} ${code} ${severity}` : `${verdict} ${code}`,
  );
}
