import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isOperational } from '../../src/model/errors.ts';
import { type ConfigSource, readConfig } from '../../src/world/config.ts';

function source(t: TestContext, env: Record<string, string> = {}, toml?: string): ConfigSource {
  const cwd = mkdtempSync(join(tmpdir(), 'postern-config-'));
  t.after(() => rmSync(cwd, { recursive: true }));
  if (toml !== undefined) writeFileSync(join(cwd, 'postern.toml'), toml);
  return { env, cwd, systemFile: join(cwd, 'system.toml'), hostname: 'Mail.Example.org', hasIpv6: false };
}

function problemsOf(from: ConfigSource): string[] {
  try {
    readConfig(from);
  } catch (error) {
    assert.ok(isOperational(error, 'config.invalid'));
    return error.message.split('\n');
  }
  return assert.fail('nothing was refused');
}

test('without configuration the standard ports stand, marked as not configured, console and metrics on loopback', (t) => {
  const from = source(t);
  const { config, warnings } = readConfig(from);
  assert.deepEqual(config, {
    data: join(from.cwd, 'data'),
    hostname: 'mail.example.org',
    listen: {
      mx: { address: '0.0.0.0', port: 25, configured: false, proxy: 'optional' },
      submission: { address: '0.0.0.0', port: 587, configured: false, proxy: 'optional' },
      submissions: { address: '0.0.0.0', port: 465, configured: false, proxy: 'optional' },
      https: { address: '127.0.0.1', port: 8443, configured: false, proxy: 'off' },
      metrics: { address: '127.0.0.1', port: 9425, configured: false, proxy: 'off' },
    },
    trustedProxies: [],
    dnsServers: undefined,
    dnsTrusted: [],
    tls: undefined,
    secretKeyFile: join(from.cwd, 'data', 'keys', 'secret.key'),
    log: { format: undefined, level: 'info' },
  });
  assert.deepEqual(warnings, []);
});

test('a machine with IPv6 listens on it too', (t) => {
  assert.equal(readConfig({ ...source(t), hasIpv6: true }).config.listen.mx?.address, '::');
});

test('the environment goes before postern.toml, and an empty listener is turned off', (t) => {
  const toml = `
    hostname = "file.example.com"
    data = "mail"
    dnsServers = ["127.0.0.1:53", "[::1]:5353"]
    [listen]
    mx = "127.0.0.1:2525"
    submission = ""
    [proxy]
    mx = "required"
  `;
  const from = source(t, { POSTERN_HOSTNAME: 'env.example.com', POSTERN_LISTEN_SUBMISSIONS: '' }, toml);
  const { config } = readConfig(from);
  assert.equal(config.hostname, 'env.example.com');
  assert.equal(config.data, join(from.cwd, 'mail'));
  assert.deepEqual(config.listen.mx, { address: '127.0.0.1', port: 2525, configured: true, proxy: 'required' });
  assert.equal(config.listen.submission, undefined);
  assert.equal(config.listen.submissions, undefined);
  assert.deepEqual(config.dnsServers, [
    { address: '127.0.0.1', port: 53 },
    { address: '::1', port: 5353 },
  ]);
});

test('everything that is wrong is told at once, each with its place, its rule and its value', (t) => {
  const from = source(
    t,
    {
      POSTERN_LISTEN_MX: 'localhost',
      POSTERN_DNS_SERVERS: '127.0.0.1:53, one.one.one.one',
      POSTERN_TRUSTED_PROXIES: '10.0.0.0/99',
      POSTERN_HOSTNAME: 'not a name',
      POSTERN_TLS_KEY: '/key.pem',
    },
    'hostnam = "x"\n[listen]\nmetrics = 9090\n[proxy]\nmx = "always"\n',
  );
  const file = join(from.cwd, 'postern.toml');
  assert.deepEqual(problemsOf(from), [
    `cannot read ${file}, as hostnam must be a key that exists, did you mean hostname?`,
    'cannot read POSTERN_HOSTNAME, as it must be a host name (for example mx.example.com): current value is not a name',
    'cannot read POSTERN_LISTEN_MX, as it must be address:port (for example 0.0.0.0:25 or [::]:25), or empty to turn it off: current value is localhost',
    `cannot read listen.metrics in ${file}, as it must be address:port (for example 0.0.0.0:25 or [::]:25), or empty to turn it off: current value is 9090`,
    `cannot read proxy.mx in ${file}, as it must be one of off, optional, required: current value is always`,
    'cannot read POSTERN_TRUSTED_PROXIES, as it must be a list of addresses or networks (for example 192.0.2.7, 10.0.0.0/8): current value is 10.0.0.0/99',
    'cannot read POSTERN_DNS_SERVERS, as it must be a list of address:port (for example 127.0.0.1:53): current value is 127.0.0.1:53, one.one.one.one',
    'cannot use tls.certificate and tls.key, as both must be given or neither: one is missing',
  ]);
});

test('a value where a table must be is told with what belongs into it', (t) => {
  const from = source(t, {}, 'tls = "cert.pem"\n');
  assert.deepEqual(problemsOf(from), [
    `cannot read ${join(from.cwd, 'postern.toml')}, as tls must be a table with certificate, key: current value is "cert.pem"`,
  ]);
});

test('a mistyped name of the environment is a warning with the nearest one; names of tests are not ours to judge', (t) => {
  const env = {
    POSTERN_LISTEN_MAX: '1',
    POSTERN_SUITES: '/suites',
    POSTERN_TEST_SLOW: '1',
    POSTERN_QWERTYUIOP: '1',
    POSTERN_FOO: '1',
  };
  assert.deepEqual(readConfig(source(t, env)).warnings, [
    'POSTERN_LISTEN_MAX is not used, as no such name exists, did you mean POSTERN_LISTEN_MX?',
    'POSTERN_QWERTYUIOP is not used, as no such name exists',
    'POSTERN_FOO is not used, as no such name exists',
  ]);
});

test('a file that is no TOML is refused with line and column, a named file that is missing too', (t) => {
  assert.match(problemsOf(source(t, {}, 'hostname = \n'))[0]!, /postern\.toml.*TOML file: line 1, column \d+: /);
  assert.match(problemsOf(source(t, { POSTERN_CONFIG: 'elsewhere.toml' }))[0]!, /elsewhere\.toml.*ENOENT/);
});

for (const [text, expected] of [
  ['127.0.0.1:0', { address: '127.0.0.1', port: 0 }],
  ['[2001:db8::1]:25', { address: '2001:db8::1', port: 25 }],
  ['2001:db8::1:25', undefined],
  ['127.0.0.1:99999', undefined],
  [':25', undefined],
  ['[127.0.0.1]:25', undefined],
] as const) {
  test(`a listener at ${text} is ${expected ? 'read' : 'refused'}`, (t) => {
    const from = source(t, { POSTERN_LISTEN_MX: text });
    if (expected)
      assert.deepEqual(readConfig(from).config.listen.mx, { ...expected, configured: true, proxy: 'optional' });
    else assert.equal(problemsOf(from).length, 1);
  });
}

test('the attacker speaks for anybody through a slip: proxies and name servers that can hardly be meant are refused', (t) => {
  for (const name of ['POSTERN_TRUSTED_PROXIES', 'POSTERN_DNS_TRUSTED'])
    for (const network of [
      '0.0.0.0/0',
      '10.0.0.0/4',
      '::/0',
      '::ffff:0.0.0.0/96',
      '64:ff9b::/96',
      '192.0.2.7/24',
      '2002::/16',
    ])
      assert.match(
        problemsOf(source(t, { [name]: `192.0.2.1, ${network}` }))[0]!,
        /force: before it takes it/,
        network,
      );
  const toml = 'trustedProxies = ["10.0.0.0/8", "force:0.0.0.0/0"]';
  assert.deepEqual(readConfig(source(t, {}, toml)).config.trustedProxies, ['10.0.0.0/8', '0.0.0.0/0']);
  assert.match(problemsOf(source(t, {}, 'trustedProxies = ["force:x"]'))[0]!, /must be a list of addresses/);
});
