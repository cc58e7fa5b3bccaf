import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { test } from 'node:test';
import { createHealthServer } from '../../src/admin/health.ts';
import { EVENTS } from '../../src/catalogue.ts';
import { createEvents } from '../../src/world/events.ts';
import { createMetrics } from '../../src/world/metrics-sink.ts';

async function startHealth(t: { after(fn: () => unknown): void }) {
  const state = { unhealthy: [] as string[], unready: [] as string[], warnings: [] as string[] };
  const events = createEvents(
    EVENTS,
    () => 0,
    (error) => assert.fail(String(error)),
  );
  const metrics = createMetrics(events);
  const server = createHealthServer({
    unhealthy: () => state.unhealthy,
    unready: () => state.unready,
    warnings: () => state.warnings,
    metrics,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
    metrics.close();
  });
  const { port } = server.address() as AddressInfo;
  const get = async (path: string, init: RequestInit = {}): Promise<[number, string]> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    return [response.status, await response.text()];
  };
  return { state, events, metrics, port, get };
}

test('a node that accepts mail is healthy and ready', async (t) => {
  const { get } = await startHealth(t);
  assert.deepEqual(await get('/healthz'), [200, '{"status":"healthy","reasons":[]}\n']);
  assert.deepEqual(await get('/readyz'), [200, '{"status":"ready","reasons":[]}\n']);
});

test('a stopping node is healthy but not ready; one that cannot write is neither, and says why', async (t) => {
  const { get, state } = await startHealth(t);
  state.unready.push('stopping');
  assert.equal((await get('/healthz'))[0], 200);
  assert.deepEqual(await get('/readyz'), [503, '{"status":"not ready","reasons":["stopping"]}\n']);
  state.unhealthy.push('store: the disk is full');
  assert.deepEqual(await get('/healthz?probe=1'), [
    503,
    '{"status":"not healthy","reasons":["store: the disk is full"]}\n',
  ]);
  assert.match((await get('/readyz'))[1], /disk is full","stopping/);
});

test('a warning stands beside the state and changes no status: a restart would not help', async (t) => {
  const { get, state } = await startHealth(t);
  state.warnings.push('the disk is nearly full');
  assert.deepEqual(await get('/healthz'), [
    200,
    '{"status":"healthy","reasons":[],"warnings":["the disk is nearly full"]}\n',
  ]);
  assert.equal((await get('/readyz'))[0], 200);
});

test('a scrape shows what happened before it, gauges as they are now, and the process', async (t) => {
  const { get, events, metrics } = await startHealth(t);
  let rows = 3;
  metrics.gauge('postern_queue_rows', 'active recipient rows', () => [{ labels: { state: 'queued' }, value: rows }]);
  metrics.gauge('postern_connections', 'open connections', async () => 7);
  events.emit('node.defect', { where: 'test', error: 'x' });
  events.emit('journal.unwritable', { reason: 'full', error: 'x' });
  const first = (await get('/metrics'))[1];
  assert.match(first, /^postern_defects_total 1$/m);
  assert.match(first, /^postern_journal_unwritable_total\{reason="full"\} 1$/m);
  assert.match(first, /^postern_journal_lost_total 0$/m);
  assert.match(first, /^postern_queue_rows\{state="queued"\} 3$/m);
  assert.match(first, /^postern_connections 7$/m);
  assert.match(first, /^process_resident_memory_bytes \d/m);
  rows = 4;
  events.emit('node.defect', { where: 'test', error: 'x' });
  const second = (await get('/metrics'))[1];
  assert.match(second, /^postern_defects_total 2$/m);
  assert.match(second, /^postern_queue_rows\{state="queued"\} 4$/m);
});

test('other paths and methods are refused by name', async (t) => {
  const { get } = await startHealth(t);
  assert.equal((await get('/'))[0], 404);
  assert.equal((await get('/healthz', { method: 'POST', body: 'x' }))[0], 405);
  assert.deepEqual(await get('/healthz', { method: 'HEAD' }), [200, '']);
});

test('a request that is no HTTP is answered 400 and leaves the listener alive', async (t) => {
  const { port, get } = await startHealth(t);
  const socket = connect(port, '127.0.0.1');
  socket.end('EHLO client.example\r\n\r\n');
  let answer = '';
  for await (const chunk of socket.setEncoding('utf8')) answer += chunk;
  assert.match(answer, /^HTTP\/1.1 400 /);
  assert.equal((await get('/healthz'))[0], 200);
});
