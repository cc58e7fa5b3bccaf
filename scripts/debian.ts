/**
 * The Debian packages that tests use (scripts/debian-packages): installs missing ones if it may (root, apt-get), and
 * names them if it may not. Never starts a daemon: a policy forbids it while packages are set up. A failed
 * installation is reported, not fatal: the tests that need the package skip themselves, and are named.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onPath } from './on-path.ts';

interface Package {
  readonly name: string;
  readonly command: string;
  readonly purpose: string;
}

const NO_COMMAND = '-';

/** Asked by invoke-rc.d before it starts a service; 101 means no (Debian policy, 9.3.3.2). */
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';

export function installMissingPackages(): void {
  const missing = packages().filter((wanted) => !isThere(wanted));
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  const obstacle = installObstacle();
  if (!obstacle) {
    console.log(`installing Debian packages: ${names.join(' ')}`);
    install(names);
  }
  for (const { name, purpose } of missing.filter((wanted) => !isThere(wanted))) {
    console.log(`missing: Debian package ${name} (${purpose}): ${obstacle ?? 'apt-get failed'}`);
  }
}

/** A library has no command: dpkg knows whether it is installed. */
function isThere({ name, command }: Package): boolean {
  if (command !== NO_COMMAND) return onPath(command);
  const { stdout } = spawnSync('dpkg-query', ['-s', name], { encoding: 'utf8' });
  return /^Status: install ok installed$/m.test(stdout ?? '');
}

function packages(): readonly Package[] {
  return readFileSync(join(import.meta.dirname, 'debian-packages'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [name, command, ...purpose] = line.split(/\s+/);
      return { name: name!, command: command!, purpose: purpose.join(' ') };
    });
}

function installObstacle(): string | undefined {
  if (!onPath('apt-get')) return 'this system has no apt-get';
  if (process.getuid?.() !== 0) return 'only root may install packages';
  return undefined;
}

function install(names: readonly string[]): void {
  const policyIsOurs = !existsSync(SERVICE_POLICY);
  if (policyIsOurs) writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    spawnSync('debconf-set-selections', {
      input: 'postfix postfix/main_mailer_type select No configuration\n',
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    if (aptGet('install', ...names) !== 0) {
      aptGet('update');
      aptGet('install', ...names);
    }
  } finally {
    if (policyIsOurs) rmSync(SERVICE_POLICY, { force: true });
  }
}

function aptGet(...args: readonly string[]): number | null {
  return spawnSync('apt-get', ['-q', '-y', '-o', 'DPkg::Lock::Timeout=120', '--no-install-recommends', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'inherit'],
  }).status;
}
