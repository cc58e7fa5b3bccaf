import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { runCli } from '../../src/cli/run.ts';
import { checkOperations } from '../../src/operations/acts/check.ts';
import { fullAdministrator } from '../../src/operations/roles.ts';
import { NO_PROGRESS } from '../../src/operations/runs.ts';
import type { OperationServices } from '../../src/operations/services.ts';
import { systemClock } from '../../src/world/clock.ts';
import { DOMAIN, KEY_NAME, LIST, world } from '../posture/support.ts';
import type { ZoneName } from '../support/zone.ts';

/** `postern check ...` over a real zone; the folder and the database are left out, as they have no part in it. */
async function commandLine(t: TestContext, changes: Readonly<Record<string, ZoneName>> = {}) {
  const { posture } = await world(t, changes);
  const admin = {
    listDomains: async ({ after = '' }: { after?: string }) => (after === '' ? [{ name: DOMAIN }] : []),
  };
  const services = { posture, admin } as unknown as OperationServices;
  const cwd = mkdtempSync(join(tmpdir(), 'postern-check-'));
  t.after(() => rmSync(cwd, { recursive: true }));
  // As if a node had run here: a question to a new folder is told as one.
  mkdirSync(join(cwd, 'data'));
  writeFileSync(join(cwd, 'data', 'state.db'), '');
  return async (args: readonly string[], terminal: { isTTY?: boolean; env?: Record<string, string> } = {}) => {
    const said = { stdout: '', stderr: '' };
    const to = (name: keyof typeof said) => ({
      write: (text: string) => {
        said[name] += text;
      },
      isTTY: terminal.isTTY,
    });
    const code = await runCli(['check', ...args], {
      openOffline: async () => ({
        executeUnknown: async (name, input) => {
          const operation = checkOperations[name as keyof typeof checkOperations];
          return (await operation.run(services, input as never, fullAdministrator('cli:test'), NO_PROGRESS)).output;
        },
        close: async () => {},
      }),
      startNode: () => assert.fail('no command here starts a node'),
      source: {
        env: terminal.env ?? {},
        cwd,
        systemFile: join(cwd, 'none'),
        hostname: 'mx.example.com',
        hasIpv6: true,
      },
      version: '1.2.3',
      stdin: Readable.from([]),
      stdout: to('stdout'),
      stderr: to('stderr'),
      clock: systemClock,
    });
    return { code, ...said };
  };
}

test('where all is good, check exits 0 and says of each test what it saw', async (t) => {
  const check = await commandLine(t);
  for (const args of [[], ['domain', DOMAIN], ['node']]) {
    const { code, stdout, stderr } = await check(args);
    assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`);
    assert.match(stdout, /^this node, mx\.example\.com\n {2}good {9}helo /);
    assert.equal(stdout.includes('\nexample.com\n  good         mx '), args[0] !== 'node');
  }
});

test('what is wrong exits 1 and comes with the line to publish', async (t) => {
  const check = await commandLine(t, { [DOMAIN]: {}, [`2.0.0.127.${LIST}`]: { fault: 'SERVFAIL' } });
  const { code, stdout } = await check(['domain', DOMAIN]);
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^ {2}wrong {8}mx .*no MX record\n.*important: .*\n +publish {2}example\.com\. 3600 IN MX 10 mx\.example\.com\.$/m,
  );
});

test('what cannot be told exits 75, as it may be good when asked again', async (t) => {
  const check = await commandLine(t, { [KEY_NAME]: { fault: 'SERVFAIL' } });
  const { code, stdout } = await check(['domain', DOMAIN]);
  assert.equal(code, 75);
  assert.match(stdout, /^ {2}cannot tell {2}dkim /m);
});

test('as JSON it has the same for programs', async (t) => {
  const check = await commandLine(t, { [DOMAIN]: {} });
  const { code, stdout } = await check(['--json']);
  assert.equal(code, 1);
  const { node, domains } = JSON.parse(stdout);
  assert.equal(node.verdict, 'good');
  assert.equal(domains[0].domain, DOMAIN);
  const [mx] = domains[0].results;
  assert.deepEqual(Object.keys(mx), ['test', 'subject', 'verdict', 'severity', 'code', 'seen', 'why', 'publish']);
  assert.deepEqual([mx.verdict, mx.severity, mx.code], ['wrong', 'important', 'missing']);
});

test('--json behind domain or node is theirs, and makes one document', async (t) => {
  const check = await commandLine(t);
  for (const args of [
    ['domain', DOMAIN, '--json'],
    ['node', '--json'],
  ]) {
    const { code, stdout } = await check(args);
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout).domains.length, args.length - 2);
  }
});

test('colours are for terminals, and not for whoever set NO_COLOR', async (t) => {
  const check = await commandLine(t);
  const hasColour = async (terminal: { isTTY?: boolean; env?: Record<string, string> }): Promise<boolean> =>
    (await check(['node'], terminal)).stdout.includes('\u001b[32mgood');
  assert.equal(await hasColour({ isTTY: true }), true);
  assert.equal(await hasColour({}), false);
  assert.equal(await hasColour({ isTTY: true, env: { NO_COLOR: '1' } }), false);
});

test('what a stranger publishes cannot write to the terminal as a command', async (t) => {
  const check = await commandLine(t, {
    [`_dmarc.${DOMAIN}`]: { TXT: ['v=DMARC1; p=reject; rua=mailto:a@example.com; x=\u001b]0;owned\u0007'] },
  });
  const { stdout } = await check(['domain', DOMAIN], { isTTY: true });
  assert.ok(!stdout.includes('\u001b]') && !stdout.includes('\u0007'));
});

test('a name that is no domain is refused with one sentence', async (t) => {
  const check = await commandLine(t);
  const { code, stderr } = await check(['domain', 'exa mple']);
  assert.equal(code, 65);
  assert.match(stderr, /^postern: cannot use the domain, as it must be a domain name/);
});
