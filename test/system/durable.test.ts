import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { letter, send } from './support/client.ts';
import { missing } from './support/missing.ts';
import { eventually, logged, startNode, temporaryFolder } from './support/node.ts';

const SETUP = [
  ['domain', 'add', 'example.com', '--server', '127.0.0.2:9'],
  ['user', 'add', 'alice@example.com'],
];

/** Of a trace by `strace -f -y`: the completed calls in order of completion. */
function completedCalls(trace: string): string[] {
  const begun = new Map<string, string>();
  const calls: string[] = [];
  for (const line of trace.split('\n')) {
    const [, thread, rest] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (!thread || !rest) continue;
    if (rest.endsWith('<unfinished ...>')) begun.set(thread, rest.slice(0, -'<unfinished ...>'.length));
    else if (rest.startsWith('<... '))
      calls.push(`${begun.get(thread) ?? ''}${rest.replace(/^<\.\.\. \w+ resumed>/, '')}`);
    else calls.push(rest);
  }
  return calls;
}

for (const [what, bodyLines] of [
  ['a small message', 10],
  ['a larger message that stays in memory', 2000],
  ['a large message', 20_000],
] as const) {
  test(`the fsyncs of ${what} precede the write of its 250`, { skip: missing('strace') }, async (t) => {
    const folder = temporaryFolder(t);
    const trace = join(folder, 'trace');
    const node = await startNode(t, {
      setup: SETUP,
      under: [
        'strace',
        '-D',
        '-f',
        '-y',
        '-s',
        '60',
        '-e',
        'trace=fsync,fdatasync,write,writev,sendto,sendmsg',
        '-o',
        trace,
      ],
    });
    const content = letter({ body: `${'x'.repeat(60)}\r\n`.repeat(bodyLines) });
    const sent = await send(node.port('mx'), { from: 'bob@elsewhere.example', to: ['alice@example.com'], content });
    assert.equal(sent.final.code, 250);
    await node.stop();
    const calls = completedCalls(readFileSync(trace, 'utf8'));
    const go = calls.findIndex((call) => /write|send/.test(call) && call.includes('"354 '));
    const acknowledged = calls.findIndex(
      (call, at) => at > go && /write|send/.test(call) && call.includes('queued as'),
    );
    assert.ok(go >= 0 && acknowledged > go, 'the trace has 354 and the final reply');
    const syncs = calls.slice(go, acknowledged).filter((call) => /^f(data)?sync\(/.test(call) && / = 0$/.test(call));
    assert.ok(
      syncs.some((call) => call.includes('/ledger/')),
      `the ledger is synced between:\n${calls.slice(go, acknowledged + 1).join('\n')}`,
    );
    if (bodyLines > 5000) {
      const firstNote = syncs.findIndex((call) => call.endsWith('.ledger>) = 0'));
      const contentSyncs = syncs.map((call, at) => (call.includes('/content/') ? at : -1)).filter((at) => at >= 0);
      assert.ok(contentSyncs.length >= 2, 'the file and its folder are synced');
      assert.ok(
        contentSyncs.every((at) => at < firstNote || syncs.slice(at).some((call) => call.includes('/ledger/'))),
        'before the ledger says that it was accepted',
      );
    }
  });
}

/** The disk as strace makes it: the system calls of `inject` fail on one file of the node. */
function failingDisk(path: string, calls: string, error: string): readonly string[] {
  return [
    'strace',
    '-D',
    '-f',
    '-o',
    '/dev/null',
    '-P',
    path,
    '-e',
    `trace=${calls}`,
    '-e',
    `inject=${calls}:${error}`,
  ];
}

test('while fsync fails, mail is answered 451 and the log says so; nothing unacknowledged is kept', {
  skip: missing('strace'),
}, async (t) => {
  const data = temporaryFolder(t);
  const node = await startNode(t, {
    data,
    setup: SETUP,
    under: failingDisk(join(data, 'ledger', '1.ledger'), 'fsync,fdatasync', 'error=EIO:when=1..3'),
  });
  const attempt = async (): Promise<string> => {
    const mail = { from: 'bob@elsewhere.example', to: ['alice@example.com'], content: letter() };
    return (await send(node.port('mx'), mail)).final.lines.join();
  };
  assert.match(await attempt(), /^451 4\.3\.0 /);
  await eventually(async () => (await attempt()).startsWith('250 ') || undefined, 'service to resume by itself');
  await logged(node, /store\./);
  const rows = JSON.parse(await node.cli(['queue', 'list', '--json'])) as unknown[];
  assert.equal(rows.length, 1, 'only the acknowledged one');
});

test('a full disk is answered 452 or 451, told by an event, and service resumes when there is room again', {
  skip: missing('strace'),
}, async (t) => {
  const data = temporaryFolder(t);
  const node = await startNode(t, {
    data,
    setup: SETUP,
    under: failingDisk(join(data, 'ledger', '1.ledger'), 'write,writev,pwrite64,pwritev', 'error=ENOSPC:when=1..6'),
  });
  let last = await send(node.port('mx'), {
    from: 'bob@elsewhere.example',
    to: ['alice@example.com'],
    content: letter(),
  });
  assert.match(last.final.lines[0]!, /^45[12] 4\.3\.[01] /);
  await logged(node, /full/i);
  await eventually(async () => {
    last = await send(node.port('mx'), { from: 'bob@elsewhere.example', to: ['alice@example.com'], content: letter() });
    return last.final.code === 250 || undefined;
  }, 'service to resume by itself');
});
