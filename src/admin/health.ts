/**
 * The loopback listener for machines: `/healthz`, `/readyz`, `/metrics`.
 *
 * `/healthz` shows whether the process is alive and its store takes writes: a supervisor restarts a node that stays
 * unhealthy. `/readyz` shows whether mail is accepted now: a load balancer sends it elsewhere meanwhile. Both answer
 * 200 or 503 with a JSON body that names the reasons; warnings change no status. Nothing here changes anything, and
 * nothing here discloses addresses or domains.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { limitConnections } from '../wire/admission.ts';
import type { Metrics } from '../world/metrics-sink.ts';
import { HEALTH_CONNECTIONS, HEALTH_CONNECTIONS_OF_ONE, HEALTH_REQUEST_MS } from './limits.ts';

export interface HealthSources {
  /** Reasons why the node is unhealthy, e.g. `store: the disk is full`; none: healthy. */
  unhealthy(): readonly string[];
  /** Reasons why it accepts no mail now, e.g. `stopping`; none: ready. */
  unready(): readonly string[];
  /** Problems that an administrator should see and a restart does not fix: the status is 200 all the same. */
  warnings?(): readonly string[];
  readonly metrics: Pick<Metrics, 'scrape'>;
}

/** Returned before it listens: the caller binds it where the configuration says. */
export function createHealthServer(sources: HealthSources): Server {
  const server = createServer(
    { requestTimeout: HEALTH_REQUEST_MS, headersTimeout: HEALTH_REQUEST_MS, keepAliveTimeout: HEALTH_REQUEST_MS },
    (request, response) => {
      respond(sources, request, response).catch((error: Error) => {
        if (!response.headersSent) sendJson(response, 500, { status: 'error', reasons: [error.message] });
        else response.destroy();
      });
    },
  );
  limitConnections(server, { connections: HEALTH_CONNECTIONS, connectionsPerNetwork: HEALTH_CONNECTIONS_OF_ONE });
  return server;
}

async function respond(sources: HealthSources, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    // A body is never expected and not read.
    response.shouldKeepAlive = false;
    sendJson(response, 405, { status: 'method not allowed' });
    return;
  }
  switch (request.url?.split('?', 1)[0]) {
    case '/healthz':
      sendState(response, 'healthy', sources.unhealthy(), sources.warnings?.());
      return;
    case '/readyz':
      sendState(response, 'ready', [...sources.unhealthy(), ...sources.unready()]);
      return;
    case '/metrics': {
      const { contentType, body } = await sources.metrics.scrape();
      send(response, 200, contentType, body);
      return;
    }
    default:
      sendJson(response, 404, { status: 'not found', paths: ['/healthz', '/readyz', '/metrics'] });
  }
}

function sendState(
  response: ServerResponse,
  state: 'healthy' | 'ready',
  reasons: readonly string[],
  warnings: readonly string[] = [],
): void {
  const good = reasons.length === 0;
  const status = good ? state : `not ${state}`;
  sendJson(response, good ? 200 : 503, { status, reasons, ...(warnings.length > 0 && { warnings }) });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  send(response, status, 'application/json', `${JSON.stringify(body)}\n`);
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}
