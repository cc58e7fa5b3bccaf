/** What the process asks of the kernel for the event loop's sake, seen where the kernel tells. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { Worker } from 'node:worker_threads';

const WORLD = new URL('../../src/world/', import.meta.url);
const isLinux = process.platform === 'linux';
const skip = isLinux ? false : 'only Linux tells';

/** Of a thread; the first has the number of its process. */
function nicenessOf(thread: number): number {
  const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'latin1');
  // The 19th field; the second is a name in brackets.
  return Number(stat.slice(stat.lastIndexOf(') ') + 2).split(' ')[16]);
}

for (const [priority, niceness] of [
  ['log', 5],
  ['search', 10],
  ['password', 12],
] as const) {
  test(`a thread of the ${priority} goes behind mail, and takes no other thread along`, { skip }, async () => {
    const worker = new Worker(
      `import('${WORLD}background.ts').then(({ goBehindMail }) => {
        goBehindMail('${priority}');
        const stat = require('node:fs').readFileSync('/proc/thread-self/stat', 'latin1');
        require('node:worker_threads').parentPort.postMessage(Number(stat.slice(stat.lastIndexOf(') ') + 2).split(' ')[16]));
      });`,
      { eval: true },
    );
    const before = nicenessOf(process.pid);
    const [told] = await once(worker, 'message');
    await worker.terminate();
    assert.equal(told, niceness);
    assert.equal(nicenessOf(process.pid), before);
  });
}

test('the table of open files is large before there is work, and nothing stays open', { skip }, () => {
  const script = `
    import { growFileTable } from '${WORLD}file-table.ts';
    import { readdirSync, readFileSync } from 'node:fs';
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    growFileTable();
    console.log(open() - before, /FDSize:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  `;
  const told = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const [left, size] = told.trim().split(' ').map(Number);
  assert.equal(left, 0);
  assert.ok(size! >= 4096, told);
});

test('where the system allows few files, a start takes what there is', { skip }, () => {
  const script = `import('${WORLD}file-table.ts').then(({ growFileTable }) => {
    growFileTable();
    console.log(require('node:fs').openSync('/dev/null', 'r') > 0);
  })`;
  const told = execFileSync('sh', ['-c', `ulimit -n 100; exec "$0" -e "$1"`, process.execPath, script], {
    encoding: 'utf8',
  });
  assert.equal(told.trim(), 'true');
});
