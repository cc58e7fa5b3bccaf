import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { startSink } from '../../src/cli/demo/sink.ts';
import { decodeBase64 } from '../../src/protocol/mime/base64.ts';
import { parseTree } from '../../src/protocol/mime/tree.ts';
import { verified } from '../deliver/signing/support/verify.ts';
import { assertValidReport, skipSchema } from '../support/rua-schema.ts';
import { startZone, type Zone } from '../support/zone.ts';
import { letter, send } from './support/client.ts';
import { eventually, type RunningNode, startNode } from './support/node.ts';

/** A day passes: what was counted today was counted yesterday. */
function yesterday(data: string): void {
  const database = new DatabaseSync(join(data, 'state.db'));
  for (const table of ['dmarc_day', 'dmarc_row']) database.exec(`UPDATE ${table} SET day = day - 1`);
  database.close();
}

async function publishKeys(node: RunningNode, zone: Zone): Promise<void> {
  await node.cli(['dkim', 'rotate', '--domain', 'receiver.example']);
  const shown = JSON.parse(await node.cli(['dkim', 'show', '--domain', 'receiver.example', '--json']));
  for (const { name, strings } of shown) zone.records[name] = { TXT: [strings] };
  await node.cli(['dkim', 'rotate', '--domain', 'receiver.example']);
}

test('what one node counts of forged mail reaches another as a signed report, and is shown there', {
  skip: skipSchema,
}, async (t) => {
  const zone = await startZone(t, {
    'receiver.example': { TXT: ['v=spf1 ip4:127.0.0.0/8 -all'] },
    '_dmarc.receiver.example': { TXT: ['v=DMARC1; p=reject; rua=mailto:dmarc@receiver.example'] },
    'sender.example': { TXT: ['v=spf1 -all'] },
    '_dmarc.sender.example': { TXT: ['v=DMARC1; p=reject; rua=mailto:rua@sender.example,mailto:third@party.example'] },
    'sender.example._report._dmarc.party.example': { TXT: ['v=DMARC1'] },
    'open.example': { TXT: ['v=spf1 +all'] },
  });
  const env = { POSTERN_DNS_SERVERS: `${zone.server.address}:${zone.server.port}` };
  const mailServer = await startSink();
  // Everybody else, of whom the third party is one.
  const world = await startSink({ host: '127.0.0.4' });
  t.after(() => Promise.all([mailServer.close(), world.close()]));
  const reported = await startNode(t, {
    env,
    setup: [
      ['domain', 'add', 'sender.example'],
      ['settings', 'set', 'report.addresses', 'rua', '--domain', 'sender.example'],
    ],
  });
  const server = `${mailServer.host}:${mailServer.port}`;
  const setup = [
    ['domain', 'add', 'receiver.example', '--server', server],
    ['user', 'add', 'alice@receiver.example'],
    ['settings', 'set', 'delivery.smartHost', `${world.host}:${world.port}`],
  ];
  const first = await startNode(t, { env, setup });
  const forged = letter({ from: 'boss@sender.example', to: 'alice@receiver.example' });
  for (let i = 0; i < 3; i++)
    await send(first.port('mx'), { from: 'eve@open.example', to: ['alice@receiver.example'], content: forged });
  const listed = JSON.parse(await first.cli(['report', 'dmarc', 'list', '--json']));
  assert.deepEqual(
    listed.days.map(({ domain, messages }: { domain: string; messages: number }) => [domain, messages]),
    [['sender.example', 3]],
  );
  assert.match(listed.may.reason, /report\.contact is empty/);
  assertValidReport(await first.cli(['report', 'dmarc', 'preview', 'sender.example']));
  await first.stop();
  yesterday(first.data);

  const node = await startNode(t, { env, data: first.data });
  await node.cli(['settings', 'set', 'report.contact', 'dmarc@receiver.example']);
  await assert.rejects(node.cli(['report', 'dmarc', 'send']), /nothing is sent: .*dkim/s);
  await publishKeys(node, zone);
  assert.match(await node.cli(['report', 'dmarc', 'send']), /^1 written/);

  const sent = await world.next(({ to }) => to.includes('third@party.example'));
  const lookup = async (name: string, type: string): Promise<string[][]> => {
    const records = type === 'TXT' ? zone.records[name]?.TXT : undefined;
    if (records) return records.map((record) => [typeof record === 'string' ? record : record.join('')]);
    throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  };
  const results = await verified(sent.content, lookup as never, Date.now());
  assert.equal(results.filter((result) => / receiver\.example.*: pass$/.test(result)).length, 2, results.join());
  const part = parseTree(sent.content).root.children[1]!;
  assertValidReport(gunzipSync(decodeBase64(sent.content.subarray(part.body.start, part.body.end)).bytes));

  const own = await world.next(({ to }) => to.includes('rua@sender.example'));
  const taken = await send(reported.port('mx'), {
    from: own.from,
    to: ['rua@sender.example'],
    content: own.content.toString('latin1'),
  });
  assert.equal(taken.final.code, 250, taken.final.lines.join());
  const view = await eventually(async () => {
    const shown = JSON.parse(await reported.cli(['report', 'incoming', 'show', 'sender.example', '--json']));
    return shown.sources.length > 0 ? shown : undefined;
  }, 'the report in the view');
  assert.deepEqual(
    view.sources.map(({ source, messages, aligned, rejected }: Record<string, unknown>) => [
      source,
      messages,
      aligned,
      rejected,
    ]),
    [['127.0.0.1', 3, 0, 3]],
  );
  assert.match(await reported.cli(['report', 'incoming', 'list']), /aggregate +sender\.example +receiver\.example/);
  assert.deepEqual(JSON.parse(await reported.cli(['report', 'dmarc', 'list', '--json'])).days, []);
});

test('mail to an address for reports that holds none is taken, kept with the reason, and goes nowhere', async (t) => {
  const mailServer = await startSink();
  t.after(() => mailServer.close());
  const node = await startNode(t, {
    setup: [
      ['domain', 'add', 'example.com', '--server', `${mailServer.host}:${mailServer.port}`],
      ['settings', 'set', 'report.addresses', 'tls-reports', '--domain', 'example.com'],
    ],
  });
  const content = letter({ to: 'tls-reports@example.com', body: 'Dear postmaster,\r\n' });
  const sent = await send(node.port('mx'), { from: 'bob@elsewhere.example', to: ['tls-reports@example.com'], content });
  assert.equal(sent.final.code, 250);
  const [entry] = await eventually(async () => {
    const list = JSON.parse(await node.cli(['report', 'incoming', 'list', '--json']));
    return list.length > 0 ? list : undefined;
  }, 'the message in the list');
  assert.equal(entry.kind, 'malformed');
  assert.match(
    await node.cli(['report', 'incoming', 'show', entry.id]),
    /no part of it is a report[\s\S]*Dear postmaster/,
  );
  assert.equal(mailServer.messages.length, 0);
  assert.deepEqual(JSON.parse(await node.cli(['queue', 'list', '--json'])), []);
});
