/**
 * The parts that a node and an offline command share: store, settings, journal, directory, queue, and the operations
 * over them. If opening one fails, those opened before it are closed again.
 */

import { join } from 'node:path';
import { MIGRATIONS, SETTINGS } from './catalogue.ts';
import { publicAddressSettings } from './deliver/settings.ts';
import { openCorrespondents } from './directory/addresses/correspondents.ts';
import { createSenderGrants, type SenderGrants } from './directory/addresses/send-as.ts';
import { createDirectoryAdmin } from './directory/admin.ts';
import { createDirectory, type OpenDirectory } from './directory/directory.ts';
import { createRuleAdmin } from './directory/rules/admin.ts';
import { findDoubtfulRules } from './directory/rules/doubts.ts';
import { findLocalAllows } from './directory/rules/local-allows.ts';
import { findProxyOverlaps } from './directory/rules/proxy-overlaps.ts';
import { createSenderRules, type SenderRules } from './directory/rules/rules.ts';
import { openServerLogins, type ServerLogins } from './directory/servers/logins.ts';
import { createCredentialAdmin } from './directory/sign-in/admin.ts';
import { type Credentials, openCredentials } from './directory/sign-in/credentials.ts';
import { type MingerSecret, openMingerSecret } from './directory/sign-in/minger-secret.ts';
import { createHashing } from './directory/sign-in/passwords/hashing.ts';
import { findSealedPasswords } from './directory/sign-in/passwords/sealed-passwords.ts';
import { createTokens } from './directory/sign-in/tokens/tokens.ts';
import { createDkimKeys, type DkimKeys } from './directory/signing-keys/dkim-keys.ts';
import { keepSights } from './directory/signing-keys/published.ts';
import { openSrsKeys, type SrsKeys } from './directory/signing-keys/srs-keys.ts';
import { createSourceAdmin } from './directory/sources/admin.ts';
import { createPointsHere } from './directory/sources/points-here.ts';
import { openSourceTable } from './directory/sources/table.ts';
import { createVerification } from './directory/sources/verification.ts';
import { createSessionGuard, type SessionGuard } from './guard/sessions.ts';
import { copyLogBeforeMigration } from './journal/copy.ts';
import type { Retention } from './journal/expire.ts';
import { type OpenJournal, openJournal } from './journal/journal.ts';
import { createLogReader, type LogReader } from './journal/reader.ts';
import { journalSettings } from './journal/settings.ts';
import { checkAnswer } from './operations/answers.ts';
import { createOperations, type Operations } from './operations/execute.ts';
import type { NodeStatus } from './operations/services.ts';
import { doubtfulConfig, doubtfulSettings, joined } from './posture/doubtful.ts';
import { createPosture } from './posture/posture.ts';
import { type OpenQueue, openQueue } from './queue/open.ts';
import { smtpSettings } from './receive/settings.ts';
import { mayReportAfter } from './report/dmarc/reporter.ts';
import { openReports, type Reports } from './report/open.ts';
import { authenticationSettings } from './screen/checks/origin/settings.ts';
import { recheck } from './screen/replay/recheck.ts';
import { createReplayRunner } from './screen/replay/runner.ts';
import type { HiddenClients } from './screen/sender/nat.ts';
import type { SettingsSnapshot } from './settings/contract.ts';
import { createSettingsHistory } from './settings/history.ts';
import { createSettings, type SettingsRegistry } from './settings/registry.ts';
import { openStore, type Store } from './store/open.ts';
import { openKeyFile, type Secrets } from './store/secrets.ts';
import { VERSION } from './version.ts';
import { type CertificateSource, nodeCertificate } from './world/certificate.ts';
import { type Clock, systemClock } from './world/clock.ts';
import type { NodeConfig } from './world/config.ts';
import { diskSpace } from './world/disk-space.ts';
import type { Events } from './world/events.ts';
import { createHostResolver, type ResolveHost } from './world/hosts-file.ts';
import { localAddresses } from './world/local-addresses.ts';
import { type Random, systemRandom } from './world/random.ts';
import { createResolver, type StubResolver } from './world/resolver/stub.ts';

export interface Core {
  readonly config: NodeConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
  readonly resolver: StubResolver;
  readonly resolveHost: ResolveHost;
  readonly store: Store;
  readonly settings: SettingsRegistry;
  readonly journal: OpenJournal;
  readonly log: LogReader;
  readonly directory: OpenDirectory;
  readonly senderRules: SenderRules;
  readonly credentials: Credentials;
  readonly sessions: SessionGuard;
  readonly grants: SenderGrants;
  readonly secrets: Secrets;
  readonly dkim: DkimKeys;
  readonly srs: SrsKeys;
  readonly minger: MingerSecret;
  readonly logins: ServerLogins;
  readonly queue: OpenQueue;
  readonly reports: Reports;
  /** Sets the function to call for new domains; there is only one. */
  onDomainAdded(tell: (name: string) => void): void;
  readonly operations: Operations;
  close(): Promise<void>;
}

/**
 * `running`: the facts of a running node; a command has none, and its transactions run in no thread of their own.
 * `hiddenClients`: the findings of its screening.
 */
export async function openCore(
  config: NodeConfig,
  events: Events,
  running?: () => Pick<NodeStatus, 'startedAt' | 'listeners'>,
  hiddenClients: () => readonly HiddenClients[] = () => [],
): Promise<Core> {
  const clock = systemClock;
  const random = systemRandom;
  await using opened = new AsyncDisposableStack();
  const logPath = join(config.data, 'log.db');
  const store = await openStore(config.data, {
    clock,
    random,
    events,
    migrations: MIGRATIONS,
    writer: running ? 'thread' : 'loop',
    beforeChanges: () => copyLogBeforeMigration(logPath, events),
  });
  opened.defer(() => store.close());
  const settings = await createSettings(store.database, SETTINGS, { clock, events });
  const journal = await openJournal({ path: logPath, clock, events, retention: retentionOf(settings.current()) });
  opened.defer(() => journal.close());
  settings.onChange((snapshot) => journal.setRetention(retentionOf(snapshot)));
  const log = createLogReader({ path: logPath, clock });
  opened.defer(() => log.close());
  const replays = createReplayRunner({ path: logPath, clock });
  opened.defer(() => replays.close());
  const resolver = createResolver(
    { clock, random, events },
    { servers: config.dnsServers, trusted: config.dnsTrusted },
  );
  const resolveHost = createHostResolver({ resolver, clock });
  const secrets = await openKeyFile(config.secretKeyFile, random);
  const dkim = createDkimKeys(store.database, { secrets, clock });
  const srs = await openSrsKeys(store.database, { secrets, clock, events, random });
  const { hostname } = config;
  const ownAddresses = (): readonly string[] => [
    ...localAddresses(),
    ...settings.current().get(publicAddressSettings.publicAddresses),
  ];
  const ownHost = { hostname, addresses: ownAddresses };
  const known = createDirectory(store.database, { settings, resolveHost, clock, srs, ownHost });
  const logins = await openServerLogins(store.database, { secrets, clock, random });
  const sources = await openSourceTable(store.database, {
    secrets,
    events,
    clock,
    random,
    resolveHost,
    hostname,
    logins,
  });
  opened.defer(() => sources.close());
  const verification = createVerification({
    database: store.database,
    directory: known,
    table: sources,
    settings,
    clock,
    random,
    events,
    hostname,
    pointsHere: createPointsHere({
      resolver,
      resolveHost,
      random,
      hostname,
      addresses: ownAddresses,
    }),
    async addDomain(name) {
      const { statements, committed } = await admin.addDomain({ name });
      await store.database.write(statements);
      committed();
    },
  });
  const { directory } = verification;
  const minger = await openMingerSecret(store.database, secrets);
  let domainAdded = (_name: string): void => {};
  const admin = createDirectoryAdmin(store.database, directory, clock, (name) => domainAdded(name));
  const hashing = createHashing(clock, { events });
  opened.defer(() => hashing.close());
  const credentials = await openCredentials(store.database, {
    secrets,
    settings,
    clock,
    random,
    hashing,
    events,
    askSources: verification.askSources,
    resolve: known.resolve,
    tokens: createTokens({ settings, clock, events, resolveHost }),
  });
  const sessions = createSessionGuard(credentials.stands);
  store.database.changes.subscribe(['domain', 'account', 'login', 'app_password', 'client_certificate'], (changes) => {
    // A new account, or one without sessions, is no reason to check all the others.
    if (changes.some(({ key }) => key === undefined || sessions.count(key) > 0)) sessions.recheck();
  });
  const grants = createSenderGrants(store.database, directory);
  const credentialAdmin = createCredentialAdmin(store.database, {
    secrets,
    settings,
    clock,
    random,
    hashing,
  });
  const senderRules = createSenderRules(store.database);
  const queue = await openQueue({
    database: store.database,
    blobs: store.blobs,
    ledger: store.ledger,
    directory,
    settings,
    journal,
    events,
    clock,
    random,
    hostname: config.hostname,
  });
  opened.defer(() => queue.close());
  const posture = createPosture({
    resolver: resolver.fresh,
    settings,
    clock,
    hostname: config.hostname,
    localAddresses,
    certificate: () =>
      nodeCertificate(certificateSource(config), clock, random).then(
        ({ certificate }) => certificate,
        () => undefined,
      ),
    signingKeys: dkim.ofDomain,
    keepSights: (sights) => keepSights({ database: store.database, dkim, clock, events }, sights),
    shieldPairs: async () => (await senderRules.shields()).pairs.length,
    localAllows: (most) => findLocalAllows(store.database, most),
    sealedPasswords: (most) => findSealedPasswords(store.database, most),
    doubtful: async (most) => {
      const others = [...doubtfulSettings(settings.definitions, settings.stored()), ...doubtfulConfig(config)];
      return joined(most, others, await findDoubtfulRules(store.database, most));
    },
    signInNeedsTls: () => settings.current().get(smtpSettings.authRequiresTls),
    proxyOverlaps: async (most) =>
      findProxyOverlaps(
        config.trustedProxies,
        {
          database: store.database,
          resolveHost,
          servers: (await known.servers()).all,
          shieldPairs: (await senderRules.shields()).pairs,
          trustedRelays: settings.current().get(authenticationSettings.trustedRelays),
        },
        most,
      ),
    hiddenClients,
    room: () => ({ folder: config.data, disk: diskSpace(config.data), log: journal.size() }),
  });
  const reports = openReports({
    database: store.database,
    settings,
    resolver,
    directory,
    clock,
    random,
    events,
    hostname: config.hostname,
    checkDomain: async (domain) => mayReportAfter(await posture.mayReport(domain)),
    sandbox: config.sandbox === true,
  });
  opened.defer(() => reports.close());
  const operations = createOperations({
    database: store.database,
    settings,
    settingsHistory: createSettingsHistory(store.database, settings),
    directory,
    dkim,
    resolver: resolver.fresh,
    admin,
    rules: createRuleAdmin(store.database, directory, clock),
    minger,
    logins,
    sources: createSourceAdmin({ database: store.database, directory, table: sources, secrets, clock, random }),
    credentials: credentialAdmin,
    explainToken: credentials.explainToken,
    queue: queue.admin,
    posture,
    reports: reports.admin,
    log,
    replays,
    async recheck(mail) {
      const { identities } = directory;
      const correspondents = await openCorrespondents(store.database, clock);
      try {
        await identities();
        const known = { identities, correspondents, grants, senderRules, directory };
        return await recheck({ ...known, clock, events, resolver, settings, hostname: config.hostname }, mail);
      } finally {
        await correspondents.close();
      }
    },
    journal,
    clock,
    random,
    events,
    nodeName: config.hostname,
    ...(config.checkAnswers && { checkAnswer }),
    status: () => ({
      version: VERSION,
      hostname: config.hostname,
      data: config.data,
      running: running !== undefined,
      listeners: {},
      ...running?.(),
    }),
  });
  opened.defer(() => operations.close());
  const resources = opened.move();
  return {
    config,
    clock,
    random,
    events,
    resolver,
    resolveHost,
    store,
    settings,
    journal,
    log,
    directory,
    credentials,
    sessions,
    grants,
    senderRules,
    secrets,
    dkim,
    srs,
    minger,
    logins,
    queue,
    reports,
    onDomainAdded(tell) {
      domainAdded = tell;
    },
    operations,
    close: () => resources.disposeAsync(),
  };
}

export function certificateSource({ data, hostname, tls: files }: NodeConfig): CertificateSource {
  return { data, hostname, files };
}

function retentionOf(snapshot: SettingsSnapshot): Retention {
  const maxBytes = snapshot.get(journalSettings.maxBytes);
  return {
    days: snapshot.get(journalSettings.retentionDays),
    auditDays: snapshot.get(journalSettings.auditRetentionDays),
    ...(maxBytes !== journalSettings.maxBytes.default && { maxBytes }),
  };
}
