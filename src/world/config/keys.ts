/**
 * The keys of postern.toml and their names in the environment: only what a node needs before its
 * database opens, or what differs from machine to machine. Everything else is a setting, and no key
 * is both.
 */
import { hostName, listenAddress, networks, oneOf, path, serverAddresses, type ValueKind } from './values.ts';

export interface ConfigKey<T> {
  /** In postern.toml; a dot leads into a table. */
  readonly toml: string;
  readonly env: string;
  readonly kind: ValueKind<T>;
  /** The manual's sentence. */
  readonly manual: string;
}

const PROXY_MODES = ['off', 'optional', 'required'] as const;
export type ProxyMode = (typeof PROXY_MODES)[number];

function key<T>(toml: string, env: string, kind: ValueKind<T>, manual: string): ConfigKey<T> {
  return { toml, env, kind, manual };
}

const proxyMode = oneOf(PROXY_MODES);
const PROXY_MANUAL =
  'whether trusted proxies may (`optional`), must (`required`) or may not (`off`) open a connection here with a PROXY header';

export const CONFIG_KEYS = {
  data: key('data', 'POSTERN_DATA', path, 'the data folder: queue, content, log, keys (default: `data` here)'),
  hostname: key('hostname', 'POSTERN_HOSTNAME', hostName, 'the name this node greets with (default: the machine’s)'),
  listenMx: key('listen.mx', 'POSTERN_LISTEN_MX', listenAddress, 'mail from other servers (default: port 25)'),
  listenSubmission: key(
    'listen.submission',
    'POSTERN_LISTEN_SUBMISSION',
    listenAddress,
    'mail from users, STARTTLS (default: port 587)',
  ),
  listenSubmissions: key(
    'listen.submissions',
    'POSTERN_LISTEN_SUBMISSIONS',
    listenAddress,
    'mail from users, TLS from the first byte (default: port 465)',
  ),
  listenHttps: key('listen.https', 'POSTERN_LISTEN_HTTPS', listenAddress, 'the console (default: 127.0.0.1:8443)'),
  listenMetrics: key(
    'listen.metrics',
    'POSTERN_LISTEN_METRICS',
    listenAddress,
    '`/healthz`, `/readyz`, `/metrics` (default: 127.0.0.1:9425)',
  ),
  listenMinger: key(
    'listen.minger',
    'POSTERN_LISTEN_MINGER',
    listenAddress,
    'other servers that ask whether users exist, UDP and TCP (default: off; the usual port is 4069)',
  ),
  proxyMx: key('proxy.mx', 'POSTERN_PROXY_MX', proxyMode, PROXY_MANUAL),
  proxySubmission: key('proxy.submission', 'POSTERN_PROXY_SUBMISSION', proxyMode, PROXY_MANUAL),
  proxySubmissions: key('proxy.submissions', 'POSTERN_PROXY_SUBMISSIONS', proxyMode, PROXY_MANUAL),
  trustedProxies: key(
    'trustedProxies',
    'POSTERN_TRUSTED_PROXIES',
    networks,
    'who may speak for a client with PROXY or XCLIENT (default: nobody)',
  ),
  dnsServers: key(
    'dnsServers',
    'POSTERN_DNS_SERVERS',
    serverAddresses,
    'recursive name servers (default: those of /etc/resolv.conf)',
  ),
  dnsTrusted: key(
    'dnsTrusted',
    'POSTERN_DNS_TRUSTED',
    networks,
    'name servers beyond this machine whose word on DNSSEC counts (default: none)',
  ),
  tlsCertificate: key(
    'tls.certificate',
    'POSTERN_TLS_CERTIFICATE',
    path,
    'the certificate chain, PEM (default: self-signed)',
  ),
  tlsKey: key('tls.key', 'POSTERN_TLS_KEY', path, 'its private key, PEM'),
  secretKeyFile: key(
    'secretKeyFile',
    'POSTERN_SECRET_KEY_FILE',
    path,
    'the key that seals what is secret in the database (default: `keys/secret.key` in the data folder); back it up apart',
  ),
  logFormat: key(
    'log.format',
    'POSTERN_LOG_FORMAT',
    oneOf(['json', 'readable']),
    'of standard error (default: readable on a terminal, else json)',
  ),
  logLevel: key(
    'log.level',
    'POSTERN_LOG_LEVEL',
    oneOf(['debug', 'info', 'warn', 'error']),
    'the least that is logged (default: info)',
  ),
} as const;

export type ConfigName = keyof typeof CONFIG_KEYS;
type ValueOf<K> = K extends ConfigKey<infer T> ? T : never;
/** The configured values, by key; absent where none is configured. */
export type ConfigValues = { readonly [N in ConfigName]?: ValueOf<(typeof CONFIG_KEYS)[N]> };
