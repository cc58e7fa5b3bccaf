/**
 * Delivery with everything around it in a test's hands: a queue that remembers what was settled, a
 * directory and a DNS that are tables, a clock that stands still, and real sockets.
 */
import type { TestContext } from 'node:test';
import { createDelivery, type Delivery } from '../../../src/deliver/delivery.ts';
import type { DeliveryServices } from '../../../src/deliver/types.ts';
import type { Directory, DomainMailServer } from '../../../src/directory/contract.ts';
import type { HeaderEdit, Splice } from '../../../src/model/content.ts';
import { makeAddress } from '../../../src/protocol/smtp/address.ts';
import type { AttemptResult, Claim, ClaimedRecipient } from '../../../src/queue/contract.ts';
import type { Settings, SettingsSnapshot } from '../../../src/settings/contract.ts';
import type { SettingDefinition } from '../../../src/settings/define.ts';
import type { ResolveHost } from '../../../src/world/hosts-file.ts';
import type { CachingResolver, DnsAnswer, RecordType, Resolver } from '../../../src/world/resolver.ts';
import type { TlsContexts } from '../../../src/world/tls.ts';
import { type ManualClock, manualClock } from '../../support/clock.ts';
import { type RecordedEvents, recordedEvents } from '../../support/events.ts';
import { seededRandom } from '../../support/random.ts';
import { contentOf } from './content.ts';

export interface World {
  /** `example.com MX`: records, or what DNS says in place of them. Names that are absent do not exist. */
  readonly dns: Record<string, readonly unknown[] | 'unknown' | 'none'>;
  readonly hostsFile: Record<string, readonly string[]>;
  readonly servers: Record<string, readonly Partial<DomainMailServer>[]>;
  readonly settings: Record<string, unknown>;
}

export interface Harness {
  readonly delivery: Delivery;
  readonly clock: ManualClock;
  readonly events: RecordedEvents;
  readonly world: World;
  /** Every name and type that was asked for. */
  readonly asked: readonly string[];
  readonly failedDestinations: readonly string[];
  readonly succeededDestinations: readonly string[];
  deliver(claim: Claim): Promise<readonly AttemptResult[]>;
}

export interface HarnessOptions extends Partial<World> {
  readonly exchangerPort?: number;
  readonly localAddresses?: readonly string[];
  readonly listeningPorts?: readonly number[];
  readonly local?: DeliveryServices['local'];
  readonly tlsPolicy?: DeliveryServices['tlsPolicy'];
  readonly logins?: DeliveryServices['logins'];
  readonly signing?: DeliveryServices['signing'];
  readonly seed?: number;
  /** Delivery has room again. */
  readonly onWake?: () => void;
}

const OPPORTUNISTIC: Pick<TlsContexts, 'opportunistic'> = { opportunistic: () => ({ rejectUnauthorized: false }) };

export function deliveryHarness(t: Pick<TestContext, 'after'>, options: HarnessOptions = {}): Harness {
  const world: World = {
    dns: options.dns ?? {},
    hostsFile: options.hostsFile ?? {},
    servers: options.servers ?? {},
    settings: options.settings ?? {},
  };
  const clock = manualClock();
  const events = recordedEvents();
  const asked: string[] = [];
  const failedDestinations: string[] = [];
  const succeededDestinations: string[] = [];
  const waiting = new Map<Claim, (results: readonly AttemptResult[]) => void>();
  const resolver = tableResolver(world, asked);

  const delivery = createDelivery(
    {
      clock,
      events,
      resolver,
      random: seededRandom(options.seed ?? 1),
      directory: tableDirectory(world),
      settings: tableSettings(world),
      tls: OPPORTUNISTIC,
      resolveHost: tableHosts(world, resolver),
      local: options.local,
      tlsPolicy: options.tlsPolicy,
      logins: options.logins,
      signing: options.signing,
      queue: {
        settle(claim, results) {
          waiting.get(claim)?.(results);
          return Promise.resolve('settled');
        },
        wake: () => options.onWake?.(),
        destinationFailed: (name) => void failedDestinations.push(name),
        destinationSucceeded: (name) => void succeededDestinations.push(name),
      },
    },
    {
      hostname: 'mx.postern.example',
      localAddresses: () => options.localAddresses ?? ['192.0.2.1'],
      listeningPorts: () => options.listeningPorts ?? [25],
      exchangerPort: options.exchangerPort,
    },
  );
  t.after(() => delivery.close());

  return {
    delivery,
    clock,
    events,
    world,
    asked,
    failedDestinations,
    succeededDestinations,
    deliver(claim) {
      return new Promise((resolve) => {
        waiting.set(claim, resolve);
        delivery.take(claim);
      });
    },
  };
}

/** Keeps failures until they are forgotten. */
function tableResolver(world: World, asked: string[]): CachingResolver {
  const kept = new Set<string>();
  return {
    forget: () => kept.clear(),
    resolve: async <K extends RecordType>(name: string, type: K) => {
      asked.push(`${name} ${type}`);
      const known = kept.has(`${name} ${type}`) ? 'unknown' : world.dns[`${name} ${type}`];
      if (known === 'unknown') kept.add(`${name} ${type}`);
      const nxdomain = !Object.keys(world.dns).some((key) => key.startsWith(`${name} `));
      const answer: DnsAnswer<unknown> =
        known === 'unknown'
          ? { kind: 'unknown', reason: 'timeout' }
          : known === undefined || known === 'none'
            ? { kind: 'none', nxdomain, ttlSeconds: 60, authentic: false }
            : { kind: 'found', records: known, ttlSeconds: 60, authentic: false };
      return answer as DnsAnswer<never>;
    },
  };
}

function tableHosts(world: World, resolver: Resolver): ResolveHost {
  return async (name, { hostsFile }) => {
    if (/^[\d.]+$|:/.test(name)) return { kind: 'found', addresses: [name], ttlSeconds: 60, complete: true };
    const listed = hostsFile ? world.hostsFile[name] : undefined;
    if (listed) return { kind: 'found', addresses: listed, ttlSeconds: 60, complete: true };
    const answers = await Promise.all([resolver.resolve(name, 'A'), resolver.resolve(name, 'AAAA')]);
    const addresses = answers.flatMap((answer) => (answer.kind === 'found' ? answer.records : []));
    if (addresses.length > 0) return { kind: 'found', addresses, ttlSeconds: 60, complete: true };
    const unknown = answers.find((answer) => answer.kind === 'unknown');
    return unknown ? { kind: 'unknown', reason: unknown.reason } : { kind: 'none', ttlSeconds: 60 };
  };
}

function tableDirectory(world: World): Directory {
  return {
    domain: (name) => (world.servers[name] ? { name, enabled: true } : undefined),
    mailServers: (name) =>
      (world.servers[name] ?? []).map((server, id) => ({
        id,
        description: '',
        host: '127.0.0.1',
        port: 25,
        order: id,
        isDefault: false,
        domains: [name],
        ...server,
      })),
    resolve: () => ({ kind: 'remote' }),
    isMailServerOf: () => 'no',
    mailServerDomains: () => [],
    serverClaims: () => [],
    asksCertificates: () => false,
  };
}

function tableSettings(world: World): Settings {
  const snapshot: SettingsSnapshot = {
    version: 1,
    get: <T>(setting: SettingDefinition<T>) => (world.settings[setting.key] as T | undefined) ?? setting.default,
  };
  return { current: () => snapshot, onChange: () => () => {} };
}

export interface Letter {
  readonly from?: string | null;
  readonly to?: readonly (string | Partial<ClaimedRecipient>)[];
  readonly content?: string | Buffer;
  readonly destination?: string;
  readonly body?: Claim['message']['body'];
  readonly smtputf8?: boolean;
  readonly trace?: string;
  readonly edits?: readonly HeaderEdit[];
  readonly splices?: readonly Splice[];
  /** Kept out of memory, as the store does with large messages. */
  readonly isStreamed?: boolean;
  readonly author?: string;
  readonly clientAddress?: string;
  readonly envid?: string;
  readonly ret?: 'full' | 'headers';
}

let nextRow = 1;

export function addressOf(text: string) {
  const at = text.lastIndexOf('@');
  return makeAddress(text.slice(0, at), text.slice(at + 1));
}

export const LETTER = 'From: <bob@elsewhere.example>\r\nSubject: a letter\r\n\r\nHello.\r\n.dot\r\n';

export function claimOf(letter: Letter = {}): Claim {
  const { from = 'bob@elsewhere.example', to = ['alice@example.com'], content = LETTER } = letter;
  return {
    lease: 'lease',
    message: {
      id: `m${nextRow}`,
      author: letter.author,
      clientAddress: letter.clientAddress,
      reversePath: from === null ? null : addressOf(from),
      body: letter.body ?? '7BIT',
      smtputf8: letter.smtputf8 ?? false,
      ret: letter.ret,
      envid: letter.envid,
      receivedAt: 0,
    },
    content: contentOf(Buffer.from(content), letter.isStreamed ?? false),
    trace: letter.trace ?? '',
    edits: letter.edits ?? [],
    ...(letter.splices && { splices: letter.splices }),
    destination: letter.destination ?? 'example.com',
    recipients: to.map((recipient) => {
      const given = typeof recipient === 'string' ? { address: addressOf(recipient) } : recipient;
      const address = given.address ?? addressOf('alice@example.com');
      return { row: nextRow++, address, original: address, direction: 'inbound', attempts: 0, ...given };
    }),
  };
}
