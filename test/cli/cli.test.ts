import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { exitCode } from '../../src/cli/exit-codes.ts';
import { runCli } from '../../src/cli/run.ts';
import type { OfflineNode } from '../../src/cli/session.ts';
import { table, visible } from '../../src/cli/table.ts';
import { createDirectoryAdmin } from '../../src/directory/admin.ts';
import { createDirectory } from '../../src/directory/directory.ts';
import { directoryMigrations } from '../../src/directory/schema.ts';
import { openServerLogins } from '../../src/directory/servers/logins.ts';
import { directorySettings } from '../../src/directory/settings.ts';
import { passwordSettings } from '../../src/directory/sign-in/settings.ts';
import { OperationalError } from '../../src/model/errors.ts';
import { serveControl } from '../../src/operations/control-socket.ts';
import { createOperations } from '../../src/operations/execute.ts';
import { operationMigrations } from '../../src/operations/schema.ts';
import type { OperationServices } from '../../src/operations/services.ts';
import { createSettings } from '../../src/settings/registry.ts';
import { settingsMigrations } from '../../src/settings/schema.ts';
import { openStore } from '../../src/store/open.ts';
import { systemClock } from '../../src/world/clock.ts';
import { systemRandom } from '../../src/world/random.ts';
import { credentialsOver } from '../support/credentials.ts';
import { recordedEvents } from '../support/events.ts';
import { OPEN_SECRETS } from '../support/secrets.ts';

/** A node without mail: a real folder, its lock and database, settings and directory. */
async function openNode(data: string): Promise<OfflineNode & { serve(): Promise<void> }> {
  const [clock, random, events] = [systemClock, systemRandom, recordedEvents()];
  const migrations = [...settingsMigrations, ...directoryMigrations, ...operationMigrations];
  const store = await openStore(data, { clock, random, events, migrations, writer: 'loop' });
  const { database } = store;
  const definitions = [...Object.values(directorySettings), ...Object.values(passwordSettings)];
  const settings = await createSettings(database, definitions, { clock, events });
  const resolveHost = async () => ({ kind: 'none', ttlSeconds: 60 }) as const;
  const directory = createDirectory(database, { settings, clock, resolveHost });
  const admin = createDirectoryAdmin(database, directory, clock);
  const { admin: credentials, close } = await credentialsOver(database, { settings });
  const journal = { audit: () => {}, flush: async () => {} };
  const logins = await openServerLogins(database, { secrets: OPEN_SECRETS, clock, random });
  const parts = { database, clock, events, settings, directory, admin, credentials, logins, journal, random };
  const operations = createOperations(parts as unknown as OperationServices);
  let control: Awaited<ReturnType<typeof serveControl>> | undefined;
  return {
    executeUnknown: operations.executeUnknown,
    async serve() {
      control = await serveControl({ folder: data, operations, events });
    },
    async close() {
      await control?.close();
      await close();
      await store.close();
    },
  };
}

function commandLine(t: TestContext) {
  const cwd = mkdtempSync(join(tmpdir(), 'postern-cli-'));
  t.after(() => rmSync(cwd, { recursive: true }));
  const data = join(cwd, 'data');
  const run = async (
    args: readonly string[],
    input = '',
    env: Record<string, string | undefined> = {},
    /** What writes to standard output fail with. */
    broken?: Error,
  ) => {
    const said = { stdout: '', stderr: '' };
    const to = (name: keyof typeof said) => ({
      write: (text: string, done?: (error?: Error) => void) => {
        said[name] += text;
        if (broken && name === 'stdout') process.nextTick(() => done?.(broken));
      },
    });
    const code = await runCli(args, {
      openOffline: (config) => openNode(config.data),
      startNode: () => assert.fail('no command here starts a node'),
      source: {
        env: { POSTERN_DATA: data, ...env },
        cwd,
        systemFile: join(cwd, 'none'),
        hostname: 'mx.example.com',
        hasIpv6: false,
      },
      version: '1.2.3',
      stdin: Readable.from([input]),
      stdout: to('stdout'),
      stderr: to('stderr'),
      clock: systemClock,
    });
    return { code, ...said };
  };
  const succeed = async (args: readonly string[], input?: string) => {
    const { code, stdout, stderr } = await run(args, input);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  return { data, run, succeed };
}

test('the same commands work on a stopped node and on a running one, which sees them at once', async (t) => {
  const { data, succeed } = commandLine(t);
  await succeed(['domain', 'add', 'example.com', '--server', '127.0.0.2:2626']);
  const node = await openNode(data);
  t.after(() => node.close());
  await node.serve();
  assert.equal(
    await succeed(['user', 'add', 'alice@example.com', '--password-stdin'], 'correct horse battery\n'),
    'added the account alice@example.com\n',
  );
  await succeed(['alias', 'add', 'info@example.com', 'alice@example.com', 'bob@elsewhere.example']);
  assert.deepEqual(JSON.parse(await succeed(['domain', 'list', '--json'])), [
    { name: 'example.com', enabled: true, servers: ['127.0.0.2:2626'] },
  ]);
  assert.equal(
    await succeed(['alias', 'list']),
    'ADDRESS           TARGETS\ninfo@example.com  alice@example.com, bob@elsewhere.example\n',
  );
  assert.equal(JSON.parse(await succeed(['user', 'list', '--json']))[0].hasPassword, true);
});

test('a server at a provider is said to be trusted by nothing until something that its neighbours cannot show', async (t) => {
  const { succeed } = commandLine(t);
  await succeed(['domain', 'add', 'example.com']);
  const host = 'example-com.mail.protection.outlook.com';
  const add = ['server', 'add', host, '--domain', 'example.com'];
  assert.match(await succeed(add), /^added the server 1\nMail goes there, and none is trusted/);
  assert.match(await succeed(['server', 'list']), / nothing +example\.com/);
  assert.equal(await succeed([...add, '--tenant-marker', 'X-OriginatorOrg: example.com']), 'added the server 1\n');
  assert.match(await succeed(['server', 'list']), / marker +example\.com/);
});

test('accounts leave as CSV and come back the same; what cannot come in is told by its row, and nothing comes in', async (t) => {
  const { run, succeed } = commandLine(t);
  await succeed(['domain', 'add', 'example.com']);
  const csv =
    'address,name,state\na@example.com,"Comma, ""Quote""",active\nb@example.com,\'=formula,frozen\nc@example.com,,disabled\n';
  assert.equal(await succeed(['user', 'import'], csv.replaceAll('\n', '\r\n')), 'added 3 accounts\n');
  assert.equal(JSON.parse(await succeed(['user', 'list', '--json']))[1].name, '=formula');
  assert.equal(await succeed(['user', 'export']), csv);

  const refusals = [
    ['address\nd@example.com\nD@Example.com\n', /account 2: cannot add d@example\.com.* account 1 is it/],
    ['address\nd@example.com\na@example.com\n', /account 2: cannot add/],
    ['address,password\nd@example.com,short\n', /account 1: cannot set the password, as it must be at least 10/],
    ['address;name\nd@example.com;D\n', /the first row must name columns/],
  ] as const;
  for (const [rows, why] of refusals) {
    const { code, stderr } = await run(['user', 'import'], rows);
    assert.notEqual(code, 0);
    assert.match(stderr, why);
  }
  assert.equal(await succeed(['user', 'export']), csv);
});

test('settings are set for a domain, shown, compared, taken out and in again', async (t) => {
  const { succeed } = commandLine(t);
  await succeed(['domain', 'add', 'example.com']);
  const key = 'directory.subaddressSeparator';
  assert.equal(await succeed(['settings', 'set', key, '-', '--domain', 'example.com']), `${key} = -\n`);
  assert.equal(JSON.parse(await succeed(['settings', 'get', key, '--json'])).value, '+');
  const yaml = await succeed(['settings', 'export']);
  assert.equal(yaml, `domains:\n  example.com:\n    ${key}: "-"\n`);
  assert.match(await succeed(['settings', 'get', key, '--domain', 'example.com']), /\. Set for example\.com\.\n$/);
  assert.match(await succeed(['settings', 'get', key]), /\. This is the default\.\n$/);
  await succeed(['settings', 'reset', key, '--domain', 'example.com']);
  assert.equal(await succeed(['settings', 'export']), '{}\n');
  assert.deepEqual(JSON.parse(await succeed(['settings', 'diff', '-', '--json'], yaml)), [
    { key, owner: { domain: 'example.com' }, other: '-', otherText: '-' },
  ]);
  await succeed(['settings', 'import', '-'], yaml);
  assert.match(
    await succeed(['settings', 'list', '--changed', '--domain', 'example.com']),
    /subaddressSeparator {2}- {6}set/,
  );
});

for (const [what, args, code, sentence] of [
  [
    'a value that cannot be',
    ['settings', 'set', 'directory.subaddressSeparator', '-1'],
    65,
    /^postern: cannot set directory\.subaddressSeparator, as it must be .*: current value is -1\n$/,
  ],
  [
    'a setting that does not exist',
    ['settings', 'get', 'directory.administrator'],
    67,
    /did you mean directory\.administrators\?\n$/,
  ],
  [
    'a user of a foreign domain',
    ['user', 'add', 'a@elsewhere.example'],
    67,
    /^postern: cannot find the domain elsewhere\.example/,
  ],
  ['a mistyped command', ['domian', 'list'], 64, /domain/],
  ['a mistyped option', ['domain', 'list', '--jsno'], 64, /--json/],
  ['a missing argument', ['domain', 'add'], 64, /name.*\n\(postern domain add --help tells what it takes\)\n$/],
  ['a domain that is an address', ['domain', 'add', '1.2.3.4'], 65, /not an address: current value is 1\.2\.3\.4\n$/],
  [
    'an account of another domain than the one that is named',
    ['settings', 'get', 'directory.subaddressSeparator', '--domain', 'nope.example', '--account', 'a@example.com'],
    65,
    /must be an account of the domain that is named: current value is nope\.example\n$/,
  ],
  [
    'a file that cannot be written',
    ['settings', 'export', '/nowhere/x'],
    73,
    /^postern: cannot write \/nowhere\/x, as /,
  ],
  ['a file that is none', ['list', 'import', '/tmp'], 66, /^postern: cannot read \/tmp, as it must be a readable file/],
  ['a file that is not there', ['settings', 'import', '/nowhere/x'], 66, /^postern: cannot read \/nowhere\/x, as /],
  ['a server that is no number', ['server', 'remove', 'abc'], 64, /'abc'.* argument 'id'.* whole number/],
  ['a source that is no number', ['source', 'remove', 'abc'], 64, /'abc'.* argument 'id'.* whole number/],
  ['a pair that is no number', ['shield', 'remove', 'abc'], 64, /'abc'.* argument 'id'.* whole number/],
  ['one of several that is no number', ['source', 'assign', 'example.com', '1', 'x'], 64, /'x'.* 'ids'.* whole number/],
  ['an unknown kind of source', ['source', 'add', 'foo'], 64, /'foo'.* 'kind'.* active-directory/],
  ['an option without a value', ['source', 'add', 'smtp', '--option', 'x'], 64, /--option.* 'x'.* name=value/],
  ['a port that is no number', ['source', 'add', 'smtp', '--option', 'port=x'], 64, /'port=x'.* whole number/],
  ['an unknown list', ['list', 'add', 'foo', 'bar'], 64, /'foo'.* 'allow\|block'.* allow or block/],
] as const) {
  test(`${what} ends with ${code} and one clear line, without a stack trace`, async (t) => {
    const { run, succeed } = commandLine(t);
    await succeed(['domain', 'add', 'example.com']);
    const result = await run(args);
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, sentence);
    assert.doesNotMatch(result.stderr, /\n\s+at /);
    assert.equal(result.stdout, '');
  });
}

test('a wrong configuration ends with 78, a line for each problem; a mistyped name of it is a warning', async (t) => {
  const { run, succeed } = commandLine(t);
  await succeed(['domain', 'add', 'example.com']);
  const wrong = await run(['domain', 'list'], '', { POSTERN_LISTEN_MX: 'x', POSTERN_HOSTNAME: 'a b' });
  assert.equal(wrong.code, 78);
  assert.deepEqual(
    wrong.stderr
      .trim()
      .split('\n')
      .map((line) => line.slice(0, 22)),
    ['postern: cannot read P', 'postern: cannot read P'],
  );
  const warned = await run(['alias', 'list', '--json'], '', { POSTERN_DATTA: 'x' });
  assert.equal(warned.code, 0);
  assert.equal(warned.stdout, '[]\n');
  assert.match(warned.stderr, /^postern: warning: POSTERN_DATTA .*POSTERN_DATA\?\n$/);
});

test('whose fault it was can be told from the exit code', () => {
  for (const [code, expected] of [
    ['rules.invalid', 65],
    ['rules.missing', 67],
    ['dkim.missing', 67],
    ['report.missing', 67],
    ['store.full', 75],
    ['tls.certificate', 78],
    ['secrets.key-file', 78],
    ['node.listen', 69],
  ] as const)
    assert.equal(exitCode(new OperationalError(code, '')), expected, code);
  const cause = new OperationalError('store.corrupt', '');
  assert.equal(exitCode(new OperationalError('store.unavailable', '', { cause })), 78);
  assert.equal(exitCode(new Error('a defect')), 70);
});

test('a reader that has read enough is no mistake; a full disk behind standard output is, and is told', async (t) => {
  const { run, succeed } = commandLine(t);
  await succeed(['domain', 'add', 'example.com']);
  const failing = (code: string) => Object.assign(new Error(`${code}: write`), { code });
  for (const args of [['domain', 'list'], ['--help'], ['version']]) {
    const gone = await run(args, '', {}, failing('EPIPE'));
    assert.deepEqual([gone.code, gone.stderr], [0, '']);
    const full = await run(args, '', {}, failing('ENOSPC'));
    assert.equal(full.code, 74);
    assert.match(full.stderr, /^postern: cannot write to standard output, as .*: ENOSPC: write\n$/);
  }
});

test('a question to a folder in which no node ever ran is answered, told, and makes nothing', async (t) => {
  const { data, run } = commandLine(t);
  const asked = await run(['domain', 'list', '--json']);
  assert.deepEqual([asked.code, asked.stdout], [0, '[]\n']);
  assert.match(asked.stderr, /^postern: warning: no node ever ran in \S+\/data, .*POSTERN_DATA/);
  assert.equal(existsSync(data), false);
});

test('an act makes the folder that was named without a word, and says where the one is that nobody named', async (t) => {
  const { data, run, succeed } = commandLine(t);
  assert.equal((await run(['domain', 'add', 'example.com'])).stderr, '');
  rmSync(data, { recursive: true });
  const unnamed = await run(['domain', 'add', 'example.com'], '', { POSTERN_DATA: undefined });
  assert.equal(unnamed.code, 0);
  assert.match(unnamed.stderr, /^postern: warning: the data folder \S+\/data is made now, .*POSTERN_DATA/);
  assert.match(await succeed(['domain', 'list']), /example\.com/);
  assert.equal((await run(['user', 'list'], '', { POSTERN_DATA: undefined })).stderr, '');
});

test('the help lists every command, and the version is told', async (t) => {
  const { succeed } = commandLine(t);
  const help = await succeed(['--help']);
  for (const name of ['domain', 'user', 'alias', 'server', 'settings', 'queue', 'log', 'status', 'version'])
    assert.match(help, new RegExp(`^ {2}${name}\\b`, 'm'));
  assert.match(await succeed(['queue', '--help']), /retry/);
  assert.equal(await succeed(['version']), '1.2.3\n');
});

test('what a stranger sent cannot write to the terminal as a command', () => {
  assert.equal(visible('a\u001b[2Jb\u202e'), 'a\ufffd[2Jb\ufffd');
  assert.ok(!table(['A'], [['\u001b]0;x\u0007\n']]).includes('\u001b'));
});
