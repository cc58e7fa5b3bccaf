/**
 * The standing of this node and its domains: runs all tests.
 *
 * Asks only the DNS; changes nothing, and stores only the results about the records of keys. A test that takes too
 * long is `cannot tell`. Never throws for what name servers do; errors of the database pass through
 * (`store.unavailable`).
 */

import type { LocalAllows } from '../directory/rules/local-allows.ts';
import type { ProxyOverlap } from '../directory/rules/proxy-overlaps.ts';
import type { SealedPasswords } from '../directory/sign-in/passwords/sealed-passwords.ts';
import { unverifiedClaims } from '../directory/sign-in/tokens/settings.ts';
import type { RecordSight } from '../directory/signing-keys/published.ts';
import type { HiddenClients } from '../screen/sender/nat.ts';
import type { Settings } from '../settings/contract.ts';
import type { Clock } from '../world/clock.ts';
import type { Resolver } from '../world/resolver.ts';
import { checkCertificate } from './certificate.ts';
import type { PostureContext } from './context.ts';
import { checkDisk, type NodeRoom } from './disk.ts';
import { checkDkim, type TestedKey } from './dkim.ts';
import { checkDmarc } from './dmarc.ts';
import { checkDnsLists } from './dns-lists.ts';
import { type AllDoubtful, checkDoubtful } from './doubtful.ts';
import { checkHelo } from './helo.ts';
import { checkHiddenClients } from './hidden-clients.ts';
import { POSTURE_LIMITS } from './limits.ts';
import { checkLists } from './lists.ts';
import { checkMx } from './mx.ts';
import { ownNode } from './own-addresses.ts';
import { checkProxies } from './proxies.ts';
import { checkPtr } from './ptr.ts';
import { checkRelay } from './relay.ts';
import { postureSettings } from './settings.ts';
import { checkSignIn } from './sign-in.ts';
import { checkSpf } from './spf.ts';
import { type About, cannotTell, type PostureResult, type PostureVerdict, verdictOf } from './types.ts';

export interface PostureServices {
  readonly resolver: Resolver;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly hostname: string;
  /** Of all interfaces. */
  localAddresses(): readonly string[];
  /** PEM, the leaf first; undefined where there is none. */
  certificate(): Promise<string | undefined>;
  signingKeys(domain: string): Promise<readonly TestedKey[]>;
  keepSights(sights: readonly RecordSight[]): Promise<void>;
  /** How many pairs of IP shielding were entered. */
  shieldPairs(): Promise<number>;
  /** At most so many by name. */
  localAllows(most: number): Promise<LocalAllows>;
  sealedPasswords(most: number): Promise<SealedPasswords>;
  /** Of settings, rules and configuration; at most so many by name. */
  doubtful(most: number): Promise<AllDoubtful>;
  signInNeedsTls(): boolean;
  /** Trusted proxies that are trusted as senders too; at most so many. */
  proxyOverlaps(most: number): Promise<readonly ProxyOverlap[]>;
  /** Empty if no node runs. */
  hiddenClients(): readonly HiddenClients[];
  room?(): NodeRoom;
}

export interface DomainPosture {
  readonly domain: string;
  readonly verdict: PostureVerdict;
  readonly results: readonly PostureResult[];
}

export interface NodePosture {
  readonly hostname: string;
  readonly verdict: PostureVerdict;
  readonly results: readonly PostureResult[];
}

export interface Posture {
  /** Names, addresses and certificate of this node, and the risks that its settings take. */
  checkNode(): Promise<NodePosture>;
  /** MX, SPF, DKIM and DMARC; `domain` in the form of the directory. */
  checkDomain(domain: string): Promise<DomainPosture>;
  /** Several, a bounded number at a time, in the order given. */
  checkDomains(domains: readonly string[]): Promise<readonly DomainPosture[]>;
  /** Whether reports may be sent in this domain's name: the records that their receivers check are good. */
  mayReport(domain: string): Promise<{ readonly verdict: PostureVerdict; readonly because: readonly PostureResult[] }>;
}

export function createPosture(services: PostureServices): Posture {
  function context(): PostureContext {
    const snapshot = services.settings.current();
    return {
      resolver: services.resolver,
      node: ownNode(snapshot, services.hostname, services.localAddresses()),
      exchangers: snapshot.get(postureSettings.exchangers).map((name) => name.toLowerCase()),
      dnsLists: snapshot.get(postureSettings.dnsLists).map((name) => name.toLowerCase()),
    };
  }

  /** A stopping node waits for the current check; name servers may take for ever. */
  function inTime(about: About, test: Promise<readonly PostureResult[]>): Promise<readonly PostureResult[]> {
    return new Promise((resolve, reject) => {
      const late = (): void => resolve([cannotTell(about, 'the DNS took too long')]);
      const timer = services.clock.after(POSTURE_LIMITS.testMs, late, { keepAlive: true });
      void test.then(resolve, reject).finally(timer.cancel);
    });
  }

  async function authentication(domain: string, within: PostureContext): Promise<readonly PostureResult[]> {
    const keys = await services.signingKeys(domain);
    const results = await Promise.all([
      inTime({ test: 'spf', subject: domain }, checkSpf(domain, within)),
      inTime({ test: 'dkim', subject: domain }, checkDkim(domain, keys, within, services.keepSights)),
      inTime({ test: 'dmarc', subject: domain }, checkDmarc(domain, within)),
    ]);
    return results.flat();
  }

  const checkPtrInTime = (within: PostureContext): Promise<readonly PostureResult[]> =>
    inTime({ test: 'ptr', subject: within.node.heloName }, checkPtr(within));

  async function checkDomain(domain: string): Promise<DomainPosture> {
    const within = context();
    const [mx, rest] = await Promise.all([
      inTime({ test: 'mx', subject: domain }, checkMx(domain, within)),
      authentication(domain, within),
    ]);
    const results = [...mx, ...rest];
    return { domain, verdict: verdictOf(results), results };
  }

  /** Settings that the guide warns of: no name server is asked. */
  async function risks(): Promise<readonly PostureResult[]> {
    const { named } = POSTURE_LIMITS;
    const snapshot = services.settings.current();
    const [pairs, allows, sealed, doubtful, overlaps] = await Promise.all([
      services.shieldPairs(),
      services.localAllows(named),
      services.sealedPasswords(named),
      services.doubtful(named),
      services.proxyOverlaps(named),
    ]);
    return [
      ...checkRelay(snapshot, pairs),
      ...checkLists(snapshot, allows),
      ...checkDoubtful(doubtful),
      ...checkSignIn(services.signInNeedsTls(), sealed, unverifiedClaims(snapshot)),
      ...checkHiddenClients(services.hiddenClients()),
      ...checkProxies(overlaps),
      ...(services.room ? checkDisk(services.room()) : []),
    ];
  }

  return {
    checkDomain,

    async checkNode() {
      const within = context();
      const [helo, ptr, lists, pem, allowed] = await Promise.all([
        inTime({ test: 'helo', subject: within.node.heloName }, checkHelo(within)),
        checkPtrInTime(within),
        inTime({ test: 'dns-list', subject: within.node.hostname }, checkDnsLists(within)),
        services.certificate().catch(() => undefined),
        risks(),
      ]);
      const results = [...helo, ...ptr, ...lists, ...checkCertificate(pem, services.clock.now(), within), ...allowed];
      return { hostname: within.node.hostname, verdict: verdictOf(results), results };
    },

    async checkDomains(domains) {
      const checked: DomainPosture[] = new Array(domains.length);
      const next = domains.entries();
      const worker = async (): Promise<void> => {
        for (const [at, domain] of next) checked[at] = await checkDomain(domain);
      };
      await Promise.all(Array.from({ length: POSTURE_LIMITS.domainsAtOnce }, worker));
      return checked;
    },

    async mayReport(domain) {
      const within = context();
      const results = [...(await authentication(domain, within)), ...(await checkPtrInTime(within))];
      return { verdict: verdictOf(results), because: results.filter(({ verdict }) => verdict !== 'good') };
    },
  };
}
