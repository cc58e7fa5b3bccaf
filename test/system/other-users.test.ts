/** What another user of the machine can do to a node, or have root's commands do. Played by `nobody`. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  AS_NOBODY,
  cannotGive,
  cannotRunAs,
  give,
  NOBODY,
  plantFile,
  plantLink,
  STRANGER,
} from '../support/other-user.ts';
import { nodeEnvironment, POSTERN, postern, startNode, temporaryFolder } from './support/node.ts';

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(command: readonly string[], env: NodeJS.ProcessEnv, cwd?: string, input = ''): Promise<Ran> {
  const child = spawn(command[0]!, command.slice(1), { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** A stopped node of `nobody`, in a folder that only nobody and root enter. */
async function nodeOfNobody(t: TestContext, uid = NOBODY): Promise<string> {
  const data = temporaryFolder(t);
  give(data, uid);
  const env = nodeEnvironment(data);
  const { code, stderr } = await postern(['domain', 'add', 'example.com'], env);
  assert.equal(code, 0, stderr);
  return data;
}

function ownersIn(data: string): readonly number[] {
  return [
    ...new Set(readdirSync(data, { recursive: true, encoding: 'utf8' }).map((name) => lstatSync(join(data, name)).uid)),
  ];
}

test('a user who links state.db to a file of root, in a folder that all may write in, has root touch nothing', {
  skip: cannotGive,
}, async (t) => {
  for (const mode of [0o777, 0o1777]) {
    const data = temporaryFolder(t);
    const precious = join(temporaryFolder(t), 'precious');
    writeFileSync(precious, 'precious', { mode: 0o600 });
    chmodSync(data, mode);
    plantLink(join(data, 'state.db'), precious);
    for (const command of mode === 0o777 ? ['serve', 'status'] : ['serve']) {
      const { code, stderr } = await postern([command], nodeEnvironment(data));
      assert.equal(code, 78, stderr);
      assert.match(
        stderr,
        /^postern: cannot (use|reach) .*nobody but its owner may write in .*: its mode is 1?0?777$/m,
      );
    }
    // Closed by an administrator, the link is still another user's.
    chmodSync(data, 0o700);
    const { code, stderr } = await postern(['serve'], nodeEnvironment(data));
    assert.equal(code, 78, stderr);
    assert.match(stderr, /state\.db, a link, and what it leads to must belong to this user \(id 0\) or root/);
    assert.equal(readFileSync(precious, 'utf8'), 'precious');
    assert.deepEqual(readdirSync(data), ['state.db']);
  }
});

test('a user who makes the folder in /tmp that an older version had its socket in hears no password', async (t) => {
  const data = join(temporaryFolder(t), 'x'.repeat(100));
  const node = await startNode(t, { data, setup: [['domain', 'add', 'example.com']] });
  await node.cli(['user', 'add', 'alice@example.com', '--password-stdin'], 'correct horse battery\n');
  assert.ok(statSync(join(data, 'control.sock')).isSocket());
  assert.match(await node.cli(['status']), /running/);
  assert.equal(await node.stop(), 0);
  assert.equal(existsSync(join(data, 'control.sock')), false);
});

test('a user who makes the default folder, or a postern.toml, where root stands in a shared folder, hears no password', {
  skip: cannotGive,
}, async (t) => {
  const shared = temporaryFolder(t);
  chmodSync(shared, 0o1777);
  mkdirSync(join(shared, 'data'));
  const heard: string[] = [];
  const thief = createServer((socket) => socket.on('data', (said) => heard.push(String(said))));
  thief.listen(join(shared, 'data', 'control.sock'));
  await once(thief, 'listening');
  t.after(() => thief.close());
  give(join(shared, 'data', 'control.sock'));
  give(join(shared, 'data'));
  const { POSTERN_DATA: _, ...env } = nodeEnvironment('');
  const add = [POSTERN, 'user', 'add', 'alice@example.com', '--password-stdin'];
  const inDefault = await run(add, env, shared, 'correct horse battery\n');
  assert.equal(inDefault.code, 77, inDefault.stderr);
  assert.match(inDefault.stderr, /cannot take .*data for the data folder/);

  plantFile(join(shared, 'postern.toml'), `data = ${JSON.stringify(join(shared, 'data'))}\n`);
  const byFile = await run(add, env, shared, 'correct horse battery\n');
  assert.equal(byFile.code, 78, byFile.stderr);
  assert.match(byFile.stderr, /postern\.toml must belong to this user/);
  assert.deepEqual(heard, []);
});

test("root's commands on the stopped node of another user work as that user, and leave nothing of root's", {
  skip: cannotRunAs,
}, async (t) => {
  const input = 'correct horse battery\n';
  const data = await nodeOfNobody(t);
  const env = nodeEnvironment(data);
  const added = await postern(['user', 'add', 'alice@example.com', '--password-stdin'], env, input);
  assert.equal(added.code, 0, added.stderr);
  const searched = await postern(['log', 'search'], env);
  assert.equal(searched.code, 0, searched.stderr);
  assert.deepEqual(ownersIn(data), [NOBODY]);
  assert.deepEqual(
    ownersIn(await nodeOfNobody(t, STRANGER)),
    [STRANGER],
    'an id without an account, as in a container',
  );
});

test("a user who links state.db to a file of root's has root's offline commands refuse it, as that user may not open it", {
  skip: cannotRunAs,
}, async (t) => {
  const data = await nodeOfNobody(t);
  const precious = join(temporaryFolder(t), 'precious');
  writeFileSync(precious, '');
  rmSync(join(data, 'log.db'));
  plantLink(join(data, 'log.db'), precious);
  const { code, stderr } = await postern(['domain', 'list'], nodeEnvironment(data));
  assert.notEqual(code, 0);
  assert.doesNotMatch(stderr, /\n\s+at /);
  assert.equal(statSync(precious).size, 0);
});

test('a node of another user answers root over its socket, and nobody else; root serves no folder of theirs', {
  skip: cannotRunAs,
}, async (t) => {
  const data = await nodeOfNobody(t);
  const node = await startNode(t, { data, under: AS_NOBODY });
  assert.match(await node.cli(['status']), /running/);
  const asStranger = ['setpriv', `--reuid=${STRANGER}`, `--regid=${STRANGER}`, '--clear-groups', POSTERN];
  const { code, stderr } = await run([...asStranger, 'status'], node.env);
  assert.equal(code, 77, stderr);
  assert.equal(await node.stop(), 0);
  const asRoot = await postern(['serve'], node.env);
  assert.equal(asRoot.code, 78, asRoot.stderr);
  assert.match(asRoot.stderr, /must belong to this user \(id 0\) or root: its owner is user id 65534/);
});

test('a folder made under umask 002 is served, also as nobody', { skip: cannotRunAs }, async (t) => {
  const parent = temporaryFolder(t);
  give(parent);
  const data = join(parent, 'data');
  mkdirSync(data);
  give(data);
  chmodSync(data, 0o775);
  const node = await startNode(t, { data, under: AS_NOBODY });
  assert.equal(await node.stop(), 0);
  const own = temporaryFolder(t);
  chmodSync(own, 0o775);
  assert.equal(await (await startNode(t, { data: own })).stop(), 0);
});

test("an export goes neither into another user's file nor through their link", { skip: cannotGive }, async (t) => {
  const data = temporaryFolder(t);
  const shared = temporaryFolder(t);
  const precious = join(temporaryFolder(t), 'precious');
  writeFileSync(precious, 'precious');
  plantFile(join(shared, 'theirs.yaml'), 'theirs');
  plantLink(join(shared, 'link.yaml'), precious);
  for (const name of ['theirs.yaml', 'link.yaml']) {
    const { code, stderr } = await postern(['settings', 'export', join(shared, name)], nodeEnvironment(data));
    assert.equal(code, 73, stderr);
    assert.match(stderr, /cannot write .* must belong to this user/);
  }
  assert.equal(readFileSync(precious, 'utf8'), 'precious');
  assert.equal(readFileSync(join(shared, 'theirs.yaml'), 'utf8'), 'theirs');
  writeFileSync(join(shared, 'ours.yaml'), 'a long text that was there before '.repeat(1000));
  const { code, stderr } = await postern(['settings', 'export', join(shared, 'ours.yaml')], nodeEnvironment(data));
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(readFileSync(join(shared, 'ours.yaml'), 'utf8'), /there before/);
});
