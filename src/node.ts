/**
 * A node: assembles the rooms in order, and closes them in reverse.
 *
 * Listeners open last, so that mail is accepted only when everything it needs is there; they close first. If starting
 * fails, the parts started before are stopped again. Errors are OperationalErrors that name what must change.
 */
import { once } from 'node:events';
import type { Server } from 'node:net';
import { serveMinger } from './access/minger.ts';
import { createConsole } from './admin/console.ts';
import { createHealthServer } from './admin/health.ts';
import { watchStore } from './admin/store-watch.ts';
import { certificateSource, openCore } from './core.ts';
import { createDelivery } from './deliver/delivery.ts';
import { createSigning } from './deliver/signing/signing.ts';
import { openCorrespondents } from './directory/addresses/correspondents.ts';
import { REPORT_SINK } from './directory/addresses/report-addresses.ts';
import { createDirectoryAdmin } from './directory/admin.ts';
import { dkimRotationJob } from './jobs/dkim-rotation.ts';
import { outboxJob } from './jobs/outbox.ts';
import { forgetReportsJob, sendReportsJob } from './jobs/reports.ts';
import { startScheduler } from './jobs/scheduler.ts';
import { sweepContentJob } from './jobs/sweep-content.ts';
import { watchDiskJob } from './jobs/watch-disk.ts';
import { attachAudit } from './journal/audit-sink.ts';
import { OperationalError } from './model/errors.ts';
import { serveControl } from './operations/control-socket.ts';
import type { Operations } from './operations/execute.ts';
import { createReceiver, type Receiver } from './receive/receiver.ts';
import type { Screen } from './screen/contract.ts';
import { createScreen } from './screen/session/session.ts';
import { VERSION } from './version.ts';
import { nodeCertificate } from './world/certificate.ts';
import { systemClock } from './world/clock.ts';
import type { ListenerConfig, ListenerName, NodeConfig, SmtpListenerName } from './world/config.ts';
import { defaultGateways } from './world/default-gateways.ts';
import { diskSpace } from './world/disk-space.ts';
import type { Events } from './world/events.ts';
import { collector, giveBackWhenIdle } from './world/idle-memory.ts';
import { localAddresses } from './world/local-addresses.ts';
import { watchLoop } from './world/loop-watch.ts';
import { createMetrics } from './world/metrics-sink.ts';
import { measurePlaces } from './world/resolver/measures.ts';
import { createTlsContexts } from './world/tls.ts';

/**
 * `serve` promises to exit within 30 s: sessions in flight may finish within this, deliveries in the remaining time.
 */
const DRAIN_MS = { sessions: 20_000, all: 27_000 } as const;
/** The ports if none was configured and the system reserves the low ones. */
const UNPRIVILEGED_PORTS: Readonly<Record<SmtpListenerName, number>> = {
  mx: 2525,
  submission: 2587,
  submissions: 2465,
};

export interface Node {
  readonly operations: Operations;
  /** `address:port` of each listener that is on. */
  readonly listeners: Readonly<Record<string, string>>;
  /** Takes no more mail, lets mail in flight finish within a bound, closes everything. */
  stop(reason: string): Promise<void>;
}

export async function startNode(config: NodeConfig, events: Events): Promise<Node> {
  const begun = systemClock.monotonic();
  const storeProblems = watchStore(events);
  events.emit('node.starting', { version: VERSION, data: config.data });
  await using started = new AsyncDisposableStack();
  const listeners: Record<string, string> = {};
  const startedAt = systemClock.now();
  /** When it must be over; undefined while the node is not stopping. */
  let stopBy: number | undefined;
  let hiddenClients: Screen['hidden'] = () => [];
  const core = await openCore(
    config,
    events,
    () => ({ startedAt, listeners }),
    () => hiddenClients(),
  );
  started.defer(() => core.close());
  const { clock, random, settings, store, journal, directory, queue, resolver, dkim, srs, reports } = core;
  const tls = createTlsContexts(await nodeCertificate(certificateSource(config), clock, random));
  const metrics = createMetrics(events);
  const watch = watchLoop(clock, events);
  started.defer(() => watch.close());
  attachAudit(events, journal);

  const listening = new Map<SmtpListenerName, number>();
  const signing = createSigning({ clock, events, settings, directory, dkim, srs, hostname: config.hostname });
  const delivery = createDelivery(
    {
      clock,
      random,
      resolver,
      resolveHost: core.resolveHost,
      directory,
      settings,
      events,
      tls,
      queue,
      signing,
      logins: core.logins,
      sinks: { [REPORT_SINK]: reports.sink },
    },
    { hostname: config.hostname, localAddresses, listeningPorts: () => [...listening.values()] },
  );
  core.logins.onChange(delivery.forgetRoutes);
  queue.attach(delivery);
  started.defer(async () => {
    await queue.drain(stopBy === undefined ? DRAIN_MS.sessions : stopBy - clock.monotonic());
    delivery.close();
  });

  // Read now, so that the first message does not wait for it.
  await directory.identities();
  const correspondents = await openCorrespondents(store.database, clock);
  started.defer(() => correspondents.close());
  const { identities } = directory;
  const screen = createScreen({
    clock,
    events,
    resolver,
    directory,
    settings,
    identities,
    correspondents,
    grants: core.grants,
    senderRules: core.senderRules,
    gateways: defaultGateways(),
    hostname: config.hostname,
  });
  hiddenClients = screen.hidden;
  const receiver = createReceiver(
    {
      clock,
      random,
      events,
      settings,
      screen,
      blobs: store.blobs,
      tls,
      credentials: core.credentials,
      sessions: core.sessions,
      asksCertificates: directory.asksCertificates,
      ...reports.counting({ queue, journal }),
    },
    { hostname: config.hostname, trustedProxies: config.trustedProxies },
  );
  let stopping = false;
  started.defer(() => receiver.drain(DRAIN_MS.sessions));
  metrics.gauge('postern_smtp_connections', 'SMTP connections open now', () => receiver.connections);
  measurePlaces(metrics, core.resolver.places);
  metrics.gauge('postern_delivery_active', 'Messages in transfer now', () => delivery.active());

  for (const name of ['mx', 'submission', 'submissions'] as const) {
    const wanted = config.listen[name];
    if (!wanted) continue;
    const { address, port } = await listenSmtp(receiver, name, wanted, events);
    listening.set(name, port);
    listeners[name] = formatListener(address, port);
  }
  const disk = watchDiskJob({ folder: config.data, events });
  await disk.run();
  metrics.gauge(
    'postern_disk_free_bytes',
    'Room on the disk of the data folder',
    () => diskSpace(config.data).freeBytes,
  );
  metrics.gauge('postern_log_bytes', 'Bytes in use of log.db', () => journal.size()?.usedBytes ?? 0);
  metrics.gauge('postern_log_max_bytes', 'Bytes that log.db may use', () => journal.size()?.maxBytes ?? 0);
  const health = createHealthServer({
    unhealthy: storeProblems,
    warnings: disk.warnings,
    unready: () => (stopping ? ['stopping'] : []),
    metrics,
  });
  const servers: [ListenerName, Server][] = [
    ['https', createConsole(tls.server(), config.hostname, VERSION)],
    ['metrics', health],
  ];
  for (const [name, server] of servers) {
    const wanted = config.listen[name];
    if (!wanted) continue;
    listeners[name] = await listenHttp(server, name, wanted);
    started.defer(() => closeServer(server));
  }

  const admin = createDirectoryAdmin(store.database, directory, clock);
  if (config.minger) {
    const { resolveFor: resolve } = directory;
    const served = { settings, clock, resolve, hasAccount: admin.hasAccount, secret: core.minger.current };
    const minger = await serveMinger(config.minger, served);
    listeners['minger'] = formatListener(minger.address, minger.port);
    started.defer(() => minger.close());
  }
  const rotation = dkimRotationJob({ database: store.database, dkim, srs, admin, settings, resolver, clock, events });
  const outbox = outboxJob({ database: store.database, blobs: store.blobs, queue, directory, clock, events });
  const jobs = [
    rotation,
    outbox,
    sendReportsJob(reports, random),
    forgetReportsJob(reports),
    sweepContentJob({ blobs: store.blobs, rooms: { queue }, owners: queue.owners }),
    disk,
  ];
  const scheduler = startScheduler(jobs, { clock, events });
  reports.onLetter(() => scheduler.wake(outbox.name));
  core.onDomainAdded((name) => {
    rotation.added(name);
    scheduler.wake(rotation.name);
  });
  started.defer(() => scheduler.stop());

  started.defer(
    giveBackWhenIdle({
      clock,
      isBusy: () => receiver.connections > 0 || delivery.active() > 0,
      letGo: store.blobs.trim,
      collect: collector(),
    }),
  );

  const control = await serveControl({ folder: config.data, operations: core.operations, events });
  started.defer(() => control.close());

  const resources = started.move();
  events.emit('node.ready', { listeners, tookMs: Math.round(clock.monotonic() - begun) });
  return {
    operations: core.operations,
    listeners,
    async stop(reason) {
      if (stopping) return;
      stopping = true;
      const stoppedAt = clock.monotonic();
      stopBy = stoppedAt + DRAIN_MS.all;
      events.emit('node.stopping', { signal: reason });
      await resources.disposeAsync();
      events.emit('node.stopped', { tookMs: Math.round(clock.monotonic() - stoppedAt) });
    },
  };
}

/** Only if no port was configured and the system reports EACCES: the same service on an allowed port. */
async function listenSmtp(
  receiver: Receiver,
  name: SmtpListenerName,
  wanted: ListenerConfig,
  events: Events,
): Promise<{ address: string; port: number }> {
  const { address: host, port, proxy, configured } = wanted;
  try {
    return await receiver.listen({ profile: name, host, port, proxy });
  } catch (error) {
    if (configured || !isAccessDenied(error)) throw error;
    const other = UNPRIVILEGED_PORTS[name];
    const listener = await receiver.listen({ profile: name, host, port: other, proxy });
    events.emit('node.port-fallback', { listener: name, wanted: port, taken: other });
    return listener;
  }
}

function isAccessDenied(error: unknown): boolean {
  return error instanceof OperationalError && (error.cause as NodeJS.ErrnoException)?.code === 'EACCES';
}

async function listenHttp(server: Server, name: ListenerName, { address, port }: ListenerConfig): Promise<string> {
  try {
    server.listen(port, address);
    await once(server, 'listening');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    const why = code === 'EADDRINUSE' ? 'in use by another program' : code;
    throw new OperationalError(
      'node.listen',
      `cannot listen for ${name} on ${formatListener(address, port)}, as the address must be free and allowed: it is ${why}`,
      { cause },
    );
  }
  const bound = server.address() as { address: string; port: number };
  return formatListener(bound.address, bound.port);
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  (server as Server & { closeAllConnections?(): void }).closeAllConnections?.();
  await closed;
}

function formatListener(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
