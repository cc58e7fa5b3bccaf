/**
 * The listener of the console: HTTPS, loopback unless configured otherwise.
 *
 * It serves one page that shows what runs here and how to administer it; every other path is 404 and every other
 * method 405. It takes no input, so there is no sign-in.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import { createServer, type ServerOptions } from 'node:https';
import { limitConnections } from '../wire/admission.ts';
import { CONSOLE_CONNECTIONS, CONSOLE_CONNECTIONS_OF_ONE } from './limits.ts';

/** A request here has no body and a short header: a slower one is a slow-loris attack. */
const CONSOLE_REQUEST_MS = 10_000;

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
} as const;

export function createConsole(tls: ServerOptions, hostname: string, version: string): Server {
  const page = render(hostname, version);
  const server = createServer(
    { ...tls, requestTimeout: CONSOLE_REQUEST_MS, headersTimeout: CONSOLE_REQUEST_MS },
    (request, response) => answer(request, response, page),
  );
  limitConnections(server, { connections: CONSOLE_CONNECTIONS, connectionsPerNetwork: CONSOLE_CONNECTIONS_OF_ONE });
  return server;
}

function answer(request: IncomingMessage, response: ServerResponse, page: string): void {
  // A body is never expected and not read: the connection ends with the answer.
  response.shouldKeepAlive = false;
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { ...HEADERS, allow: 'GET, HEAD' }).end();
    return;
  }
  const found = request.url === '/';
  response.writeHead(found ? 200 : 404, HEADERS);
  response.end(
    request.method === 'HEAD' ? undefined : found ? page : '<!doctype html><title>Not found</title>Not found',
  );
}

function render(hostname: string, version: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Postern on ${hostname}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:4em auto;padding:0 1em}code{background:#8882;padding:.1em .3em;border-radius:.2em}</style>
<h1>Postern</h1>
<p>This node is <strong>${hostname}</strong>, version ${version}, and it is running.</p>
<p>It is administered from its own machine:</p>
<ul>
<li><code>postern status</code> — listeners, queue, store</li>
<li><code>postern log search</code> — what became of a message</li>
<li><code>postern queue list</code> — what waits, and why</li>
<li><code>postern settings list</code> — everything that can be changed</li>
</ul>
</html>
`;
}
