/**
 * A small world for screening: a directory in memory, settings from a table, addresses by the real
 * parser, real header bytes. `example.com` has alice (active), dora (disabled), al (an alias of
 * alice), team (one of two), and the mail server 10.0.0.25; `empty.example` is local and has nowhere to go.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Correspondents } from '../../src/directory/addresses/correspondents.ts';
import type { Identities } from '../../src/directory/addresses/identities.ts';
import { createSenderGrants } from '../../src/directory/addresses/send-as.ts';
import type { Account, Directory, DomainMailServer, Resolution, ServerClaim } from '../../src/directory/contract.ts';
import { listTable } from '../../src/directory/rules/lists.ts';
import type { SenderRules } from '../../src/directory/rules/rules.ts';
import type { ListEntryRow } from '../../src/directory/rules/schema.ts';
import { shieldTable } from '../../src/directory/rules/shields.ts';
import type { Address, ReversePath } from '../../src/model/address.ts';
import type { ContentRef } from '../../src/model/content.ts';
import type { MailParameters, Recipient } from '../../src/model/envelope.ts';
import type { MaybePromise } from '../../src/model/maybe-promise.ts';
import type { ClientCertificate, SessionFacts } from '../../src/model/session.ts';
import { parsePath } from '../../src/protocol/smtp/address.ts';
import type { ScreenSession } from '../../src/screen/contract.ts';
import type { Check } from '../../src/screen/engine/check.ts';
import { CHECKS } from '../../src/screen/index.ts';
import { createScreen } from '../../src/screen/session/session.ts';
import type { Settings, SettingsSnapshot } from '../../src/settings/contract.ts';
import type { SettingDefinition } from '../../src/settings/define.ts';
import { createChangeBus } from '../../src/store/changes.ts';
import type { Database } from '../../src/store/contract.ts';
import { createResolver } from '../../src/world/resolver/stub.ts';
import type { OwnedResolver, Resolver, SharingResolver } from '../../src/world/resolver.ts';
import { type ManualClock, manualClock } from '../support/clock.ts';
import { recordedEvents } from '../support/events.ts';
import { seededRandom } from '../support/random.ts';

export const SERVER_ADDRESS = '10.0.0.25';
export const STRANGER_ADDRESS = '198.51.100.7';

const server: DomainMailServer = {
  id: 1,
  description: 'inner',
  host: SERVER_ADDRESS,
  port: 25,
  order: 0,
  isDefault: false,
  domains: ['example.com'],
};

export function address(text: string): Address {
  const path = parsePath(`<${text}>`, 0, { smtputf8: true, allowPostmaster: true });
  if (!path.ok || !path.value.path) throw new Error(`not an address: ${text}`);
  return path.value.path;
}

const account = (state: Account['state'] = 'active'): Account => ({
  address: 'x@example.com',
  domain: 'example.com',
  state,
});

const LOCAL_PARTS: Readonly<Record<string, Resolution>> = {
  alice: { kind: 'local', account: account(), targets: [address('alice@example.com')], viaAlias: false },
  dora: { kind: 'disabled' },
  al: { kind: 'local', targets: [address('alice@example.com')], viaAlias: true },
  team: { kind: 'local', targets: [address('alice@example.com'), address('out@remote.example')], viaAlias: true },
  postmaster: { kind: 'role', targets: [address('admin@example.com')], domain: 'oldest.example' },
  abuse: { kind: 'role', targets: [address('admin@example.com')] },
  full: { kind: 'unavailable', why: 'full' },
  resting: { kind: 'unavailable', why: 'disabled' },
  unsure: { kind: 'cannot-tell', reason: 'the source does not answer' },
};

const LOCAL_DOMAINS: readonly string[] = ['example.com', 'empty.example'];

/** `fault` lets every answer come late, or not at all. */
export function directory(fault?: { answer(): MaybePromise<void> }): Directory {
  const say = <T>(value: T): MaybePromise<T> => {
    const wait = fault?.answer();
    return wait ? wait.then(() => value) : value;
  };
  return {
    domain: (name) => say(LOCAL_DOMAINS.includes(name) ? { name, enabled: true } : undefined),
    resolve({ local, domain }) {
      if (domain === 'empty.example')
        return say<Resolution>({ kind: 'local', targets: [address('a@empty.example')], viaAlias: false });
      if (domain !== 'example.com' && domain !== '') return say<Resolution>({ kind: 'remote' });
      return say<Resolution>(LOCAL_PARTS[local.toLowerCase()] ?? { kind: 'unknown-user' });
    },
    mailServers: (domain) => say(domain === 'example.com' ? [server] : []),
    isMailServerOf: (domain, client) => {
      if (domain === 'unsure.example') return say('cannot-tell');
      return say(domain === 'example.com' && client === SERVER_ADDRESS ? 'yes' : 'no');
    },
    serverClaims: () => [],
    asksCertificates: () => false,
    mailServerDomains: (client) => say(client === SERVER_ADDRESS ? ['example.com'] : []),
  };
}

/** `smtp.maxHops` global, `example.com/smtp.maxMessageBytes` of a domain. */
export type SettingTable = Record<string, unknown>;

export function settings(table: SettingTable = {}): Settings & { set(key: string, value: unknown): void } {
  const snapshotOf = (values: SettingTable, version: number): SettingsSnapshot => ({
    version,
    get: <T>(setting: SettingDefinition<T>, owner?: { domain?: string }) =>
      (values[`${owner?.domain}/${setting.key}`] ?? values[setting.key] ?? setting.default) as T,
    isOverridden: ({ key }) => Object.keys(values).some((one) => one.endsWith(`/${key}`)),
  });
  let current = snapshotOf(table, 1);
  let values = table;
  return {
    current: () => current,
    onChange: () => () => {},
    set(key, value) {
      values = { ...values, [key]: value };
      current = snapshotOf(values, current.version + 1);
    },
  };
}

export interface ScreenOptions {
  readonly client?: string;
  readonly account?: string;
  readonly settings?: SettingTable;
  readonly directory?: Directory;
  /** Names of accounts, by address. */
  readonly people?: Readonly<Record<string, string>>;
  /** Domains that were written to, and how often. */
  readonly writtenTo?: Readonly<Record<string, number>>;
  readonly checks?: readonly Check[];
  readonly lists?: readonly ListedEntry[];
  /** Domain and network. */
  readonly pairs?: readonly (readonly [domain: string, network: string])[];
  readonly gateways?: readonly string[];
  /** What servers at the client's address claim, by domain. */
  readonly claims?: readonly ServerClaim[];
  readonly certificate?: ClientCertificate;
  readonly profile?: SessionFacts['profile'];
  /** Name servers that answer, and the clock that they share; by default there is none. */
  readonly dns?: { readonly resolver: SharingResolver; readonly clock: ManualClock };
  readonly helo?: string;
  /** In place of name servers that do not answer. */
  readonly resolver?: Resolver;
}

export type ListedEntry = Pick<ListEntryRow, 'list' | 'kind' | 'value'> & Partial<ListEntryRow>;

export function senderRules(lists: readonly ListedEntry[] = [], pairs: ScreenOptions['pairs'] = []): SenderRules {
  const rest = { owner: '', comment: '', expires_at: null, covers_local: 0, created_at: 0 };
  const entries = listTable(lists.map((entry) => ({ ...rest, ...entry })));
  const shields = shieldTable(
    pairs.map(([domain, network], id) => ({ id, domain, network, comment: '', created_at: 0 })),
  );
  return { lists: () => entries, shields: () => shields };
}

/** Nothing was granted beyond what the directory says. */
export function grants(of: Directory) {
  const nothingGranted = {
    dialect: 'sqlite',
    readNow: () => [],
    changes: createChangeBus(),
  } as unknown as Database;
  return createSenderGrants(nothingGranted, of);
}

/** Counted in memory, and nowhere else. */
export function correspondentsFrom(writtenTo: Readonly<Record<string, number>> = {}): Correspondents {
  const counts = new Map(Object.entries(writtenTo));
  const lists = new Map<number, readonly string[]>();
  return {
    knows: (domain, messages) => (counts.get(domain) ?? 0) >= messages,
    frequent(messages) {
      let list = lists.get(messages);
      if (!list) {
        list = [...counts].filter(([, count]) => count >= messages).map(([domain]) => domain);
        lists.set(messages, list);
      }
      return list;
    },
    count(domain) {
      counts.set(domain, (counts.get(domain) ?? 0) + 1);
      lists.clear();
    },
  };
}

export function screening(options: ScreenOptions = {}) {
  const clock = options.dns?.clock ?? manualClock();
  const events = recordedEvents();
  const table = settings(options.settings);
  const claims = options.claims ?? [];
  const known: Directory = {
    ...(options.directory ?? directory()),
    serverClaims: (_, domain) => claims.filter((claim) => domain === undefined || claim.domain === domain),
  };
  const identities: Identities = {
    domains: LOCAL_DOMAINS,
    people: Object.entries(options.people ?? {}).map(([address, name]) => ({ name, address })),
  };
  const correspondents = correspondentsFrom(options.writtenTo);
  const services = {
    clock,
    events,
    settings: table,
    hostname: 'mx.postern.example',
    directory: known,
    identities: () => identities,
    correspondents,
    senderRules: senderRules(options.lists, options.pairs),
    ...(options.gateways && { gateways: options.gateways }),
    grants: grants(known),
    resolver: options.resolver
      ? shared(options.resolver)
      : (options.dns?.resolver ??
        createResolver({ clock, events, random: seededRandom() }, { servers: [{ address: '127.0.0.1', port: 9 }] })),
  };
  const facts: SessionFacts = {
    id: 's1',
    profile: options.profile ?? (options.account === undefined ? 'mx' : 'submission'),
    client: { address: options.client ?? STRANGER_ADDRESS, port: 4711 },
    local: { address: '192.0.2.1', port: 25 },
    extended: true,
    startedAt: clock.now(),
    ...(options.helo && { helo: options.helo }),
    ...(options.account && { account: options.account }),
    ...(options.certificate && {
      tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', certificate: options.certificate },
    }),
  };
  const session = createScreen(services, options.checks ?? CHECKS).session(facts);
  return { clock, events, settings: table, facts, session, correspondents, services };
}

/** Each transaction has all that it asks for. */
function shared(resolver: Resolver): SharingResolver {
  const own: OwnedResolver = {
    source: resolver,
    resolve: (name, type) => resolver.resolve(name, type),
    questions: () => 0,
    isShort: () => false,
    part: () => own,
    ranOutOfTime() {},
    end() {},
  };
  return { ...(resolver as SharingResolver), for: () => own };
}

export const PLAIN: MailParameters = { body: '7BIT', smtputf8: false };

export function content(text: string, inMemory = true): ContentRef {
  const bytes = Buffer.from(text, 'latin1');
  return {
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    ...(inMemory && { bytes }),
    open: (range) => Readable.from([bytes.subarray(range?.start ?? 0, range?.end ?? bytes.length)]),
  };
}

export const LETTER =
  'From: Bob <bob@remote.example>\r\nSubject: hello\r\nMessage-ID: <1@remote.example>\r\n\r\nHello.\r\n';

/** One transaction, as receive drives it; returns what each step came to. */
export async function transact(
  { session, facts }: { session: ScreenSession; facts: SessionFacts },
  from: string | null,
  to: readonly string[],
  message: ContentRef = content(LETTER),
  parameters: MailParameters = PLAIN,
) {
  const reversePath: ReversePath = from === null ? null : address(from);
  const mail = await session.mail(facts, reversePath, parameters);
  const accepted: Recipient[] = [];
  const recipients = [];
  for (const text of mail.refusal ? [] : to) {
    const recipient: Recipient = { address: address(text) };
    const verdict = await session.recipient(recipient);
    recipients.push(verdict);
    if (verdict.accepted) accepted.push(recipient);
  }
  const verdict =
    accepted.length > 0
      ? await session.message({ reversePath, ...parameters, recipients: accepted }, message)
      : undefined;
  return { mail, recipients, message: verdict };
}

/** Every reply of a transaction as `code enhanced`, or what was accepted. */
export function outcome({ mail, recipients, message }: Awaited<ReturnType<typeof transact>>): string[] {
  const reply = ({ code, enhanced }: { code: number; enhanced?: string }): string => `${code} ${enhanced}`;
  if (mail.refusal) return [reply(mail.refusal)];
  const atRcpt = recipients.map((one) => (one.accepted ? one.direction : reply(one.reply)));
  if (!message) return atRcpt;
  return [
    ...atRcpt,
    message.kind === 'reply' ? reply(message.reply) : message.dispositions.map(({ kind }) => kind).join(),
  ];
}
