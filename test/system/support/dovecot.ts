/**
 * A private Dovecot submission server: own configuration and folders, loopback only, STARTTLS
 * required, AUTH by the mechanisms that a test names. What it takes it hands on to `relay`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { freePort } from '../../../bench/measure/free-port.ts';
import { greets } from '../../../bench/product/ready.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { selfSigned } from '../../../src/world/self-signed.ts';
import { temporaryFolder } from './node.ts';

export interface Dovecot {
  readonly port: number;
  /** PEM. */
  readonly certificate: string;
}

export interface DovecotOptions {
  /** As Dovecot writes them: `plain login`. */
  readonly mechanisms: string;
  readonly user: string;
  readonly password: string;
  readonly relayPort: number;
}

const HOST = '127.0.0.1';

export async function startDovecot(t: TestContext, options: DovecotOptions): Promise<Dovecot> {
  const folder = temporaryFolder(t);
  // Its own users look into it.
  chmodSync(folder, 0o755);
  const port = await freePort(HOST);
  const { certificate, key } = await selfSigned(HOST, systemClock);
  mkdirSync(join(folder, 'home'));
  chmodSync(join(folder, 'home'), 0o777);
  for (const [name, content] of Object.entries({
    'cert.pem': certificate,
    'key.pem': key,
    users: `${options.user}:{PLAIN}${options.password}\n`,
    'dovecot.conf': configuration(folder, port, options),
  }))
    writeFileSync(join(folder, name), content, { mode: 0o644 });
  const server = spawn('dovecot', ['-F', '-c', join(folder, 'dovecot.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaints = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-10_000);
  });
  const exited = once(server, 'exit');
  t.after(() => end(server, exited));
  const up = await Promise.race([greets({ host: HOST, port }), exited.then(() => false)]);
  if (!up) throw new Error(`Dovecot did not start: ${complaints}`);
  return { port, certificate };
}

async function end(server: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) server.kill('SIGTERM');
  await exited;
}

function configuration(folder: string, port: number, { mechanisms, relayPort }: DovecotOptions): string {
  return `
protocols = submission
base_dir = ${folder}/run
state_dir = ${folder}/state
instance_name = test-${port}
log_path = /dev/stderr
listen = ${HOST}
hostname = mail.dovecot.example
ssl = required
ssl_cert = <${folder}/cert.pem
ssl_key = <${folder}/key.pem
auth_mechanisms = ${mechanisms}
passdb {
  driver = passwd-file
  args = scheme=PLAIN ${folder}/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${folder}/home
}
mail_location = maildir:${folder}/home/mail
submission_relay_host = ${HOST}
submission_relay_port = ${relayPort}
service submission-login {
  chroot =
  inet_listener submission {
    address = ${HOST}
    port = ${port}
  }
}
`;
}
