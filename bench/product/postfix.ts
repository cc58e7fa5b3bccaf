/**
 * A private Postfix beside whatever the machine runs: own configuration, queue and data folder,
 * loopback only. Stock tuning, plus what the comparison needs to be fair: as many connections to the
 * sink as the load has sessions, from the first message on; no brake on the way in; no log file to write.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../measure/free-port.ts';
import { DOMAIN, type Endpoint, type Product, RECIPIENT, type RunningProduct } from './product.ts';
import { greets } from './ready.ts';

const HOST = '127.0.0.1';

export const postfix: Product = {
  name: 'Postfix',
  async start(folder, sink) {
    const port = await freePort(HOST);
    const conf = join(folder, 'conf');
    for (const name of ['conf', 'queue', 'data']) mkdirSync(join(folder, name), { recursive: true });
    spawnSync('chown', ['postfix', join(folder, 'data')]);
    writeFileSync(join(conf, 'main.cf'), mainCf(folder, sink));
    writeFileSync(join(conf, 'master.cf'), masterCf(port));
    const master = spawn('postfix', ['-c', conf, 'start-fg'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let complaints = '';
    master.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints = (complaints + text).slice(-10_000);
    });
    const up = await Promise.race([greets({ host: HOST, port }), once(master, 'exit').then(() => false)]);
    if (!up) throw new Error(`Postfix did not start: ${complaints}`);
    return running(master, conf, { host: HOST, port });
  },
};

function running(master: ChildProcess, conf: string, endpoint: Endpoint): RunningProduct {
  return {
    name: 'Postfix',
    pid: master.pid!,
    ...endpoint,
    async [Symbol.asyncDispose]() {
      const exited = once(master, 'exit');
      spawnSync('postfix', ['-c', conf, 'stop'], { stdio: 'ignore' });
      await exited;
    },
  };
}

function mainCf(folder: string, sink: Endpoint): string {
  return `
compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
myhostname = mx.postfix.example
mydestination =
inet_interfaces = ${HOST}
inet_protocols = ipv4
# Nothing is trusted: mail comes from outside, for a recipient that must exist.
mynetworks =
smtpd_relay_restrictions = reject_unauth_destination
relay_domains = ${DOMAIN}
relay_recipient_maps = inline:{${RECIPIENT}=yes}
relay_transport = relay:[${sink.host}]:${sink.port}
alias_maps =
alias_database =
local_recipient_maps =
# The load has 20 sessions; from the first message on as many deliveries may run, over kept connections.
initial_destination_concurrency = 20
default_destination_concurrency_limit = 20
smtp_connection_cache_on_demand = yes
smtp_host_lookup = native
smtp_tls_security_level = none
smtpd_tls_security_level = none
# No brake on the way in, neither for one client address nor while deliveries lag behind.
smtpd_client_connection_count_limit = 0
in_flow_delay = 0
`;
}

/** Debian's services that mail on this way can need; none in a chroot, as the queue folder is a new one. */
function masterCf(port: number): string {
  return `
${HOST}:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;
}
