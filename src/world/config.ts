/**
 * A node's configuration: postern.toml and `POSTERN_*`, read once, before anything else.
 *
 * The environment overrides the file, and the file overrides the defaults. All errors are reported together, in one
 * OperationalError `config.invalid` with a sentence a line. An unknown `POSTERN_*` name is only a warning, since an
 * environment is shared, while an unknown key of the file is an error.
 */
import { readFileSync, statSync } from 'node:fs';
import { networkInterfaces, hostname as osHostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parse as parseToml, TomlError } from 'smol-toml';
import { OperationalError } from '../model/errors.ts';
import { CONFIG_KEYS, type ConfigKey, type ConfigValues, type ProxyMode } from './config/keys.ts';
import { hostName, type SocketAddress } from './config/values.ts';
import { didYouMean, nearestName } from './nearest.ts';
import { distrustOfLinks, mayOthersWrite } from './ownership.ts';

export type { ProxyMode } from './config/keys.ts';
export { formatSocketAddress, type SocketAddress } from './config/values.ts';

const PREFIX = 'POSTERN_';
/** An error repeats the value, but not a whole file that was pasted into it by mistake. */
const QUOTED_LENGTH = 200;

export type SmtpListenerName = 'mx' | 'submission' | 'submissions';
export type ListenerName = SmtpListenerName | 'https' | 'metrics';

export interface ListenerConfig extends SocketAddress {
  /** False for the default: only then may another port be taken when the process lacks the rights for this one. */
  readonly configured: boolean;
  readonly proxy: ProxyMode;
}

export interface NodeConfig {
  /** Absolute. */
  readonly data: string;
  readonly hostname: string;
  /** A demo: it sends nothing to anyone on its own initiative. */
  readonly sandbox?: boolean;
  /** POSTERN_TEST_ANSWERS: tests have the answers of operations checked. */
  readonly checkAnswers?: boolean;
  /** Undefined: turned off. */
  readonly listen: Readonly<Record<ListenerName, ListenerConfig | undefined>>;
  /** Undefined: turned off, which is the default. */
  readonly minger?: SocketAddress;
  /** Addresses and CIDR networks. */
  readonly trustedProxies: readonly string[];
  /** Undefined: those of resolv.conf. */
  readonly dnsServers: readonly SocketAddress[] | undefined;
  readonly dnsTrusted: readonly string[];
  /** Paths of PEM files; undefined: a self-signed certificate is created. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  /** Absolute. Created when it does not exist. */
  readonly secretKeyFile: string;
  readonly log: {
    readonly format: 'json' | 'readable' | undefined;
    readonly level: 'debug' | 'info' | 'warn' | 'error';
  };
}

/** What the configuration is read from; tests pass their own. */
export interface ConfigSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Errors: OperationalError `config.invalid`. */
  readonly cwd: string;
  /** Read where POSTERN_CONFIG is not set and `cwd` has no postern.toml. */
  readonly systemFile: string;
  /** The machine's own name. */
  readonly hostname: string;
  readonly hasIpv6: boolean;
}

export interface ReadConfig {
  readonly config: NodeConfig;
  /** No setting names the data folder: it is `data` in the working folder. */
  readonly isDefaultFolder: boolean;
  /** Sentences, for the log. */
  readonly warnings: readonly string[];
}

export function systemConfigSource(): ConfigSource {
  const addresses = Object.values(networkInterfaces()).flat();
  return {
    env: process.env,
    get cwd() {
      return workingFolder();
    },
    systemFile: '/etc/postern/postern.toml',
    hostname: osHostname(),
    hasIpv6: addresses.some((address) => address?.family === 'IPv6'),
  };
}

function workingFolder(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new OperationalError(
      'config.invalid',
      'cannot read the configuration, as the working folder must be there: somebody removed it',
      { cause },
    );
  }
}

/** Errors: OperationalError `config.invalid`, all problems at once. */
export function readConfig(source: ConfigSource = systemConfigSource()): ReadConfig {
  const problems: string[] = [];
  const file = readConfigFile(source, problems);
  const values: Record<string, unknown> = {};
  for (const [name, key] of Object.entries<ConfigKey<unknown>>(CONFIG_KEYS)) {
    const fromEnv = source.env[key.env];
    const said = fromEnv === undefined ? file.values.get(key.toml) : { where: key.env, text: fromEnv };
    if (said === undefined) continue;
    const value = said.text === undefined ? undefined : key.kind.parse(said.text.trim());
    if (value === undefined)
      problems.push(`cannot read ${said.where}, as it must be ${mustOf(key, said)}: current value is ${quoted(said)}`);
    else if (key.kind === CONFIG_KEYS.data.kind)
      values[name] = resolve(fromEnv === undefined ? file.folder : source.cwd, value as string);
    else values[name] = value;
  }
  if ((values['tlsCertificate'] === undefined) !== (values['tlsKey'] === undefined))
    problems.push('cannot use tls.certificate and tls.key, as both must be given or neither: one is missing');
  if (problems.length > 0) throw new OperationalError('config.invalid', problems.join('\n'));
  return {
    config: {
      ...withDefaults(values as ConfigValues, source),
      ...(source.env['POSTERN_TEST_ANSWERS'] === '1' && { checkAnswers: true }),
    },
    isDefaultFolder: values['data'] === undefined,
    warnings: unknownNames(source.env),
  };
}

function mustOf({ kind }: ConfigKey<unknown>, { text }: Said): string {
  return (text === undefined ? undefined : kind.why?.(text)) ?? kind.must;
}

interface Said {
  /** The place, for an error message: `POSTERN_DATA`, or `data in /etc/postern/postern.toml`. */
  readonly where: string;
  /** Undefined where the value in the file has a wrong type. */
  readonly text: string | undefined;
  readonly raw?: unknown;
}

function quoted({ text, raw }: Said): string {
  const value = text ?? JSON.stringify(raw) ?? String(raw);
  return value === '' ? 'empty' : value.slice(0, QUOTED_LENGTH);
}

/** The first of POSTERN_CONFIG (must exist), postern.toml here, /etc/postern/postern.toml. */
function readConfigFile(source: ConfigSource, problems: string[]): { values: Map<string, Said>; folder: string } {
  const named = source.env['POSTERN_CONFIG'];
  const paths = named ? [resolve(source.cwd, named)] : [join(source.cwd, 'postern.toml'), source.systemFile];
  const values = new Map<string, Said>();
  for (const path of paths) {
    const distrust = path === paths[0] && !named ? plantedBeside(path) : undefined;
    if (distrust !== undefined) {
      problems.push(`cannot read ${path}, as ${distrust}; name it with POSTERN_CONFIG if it is meant`);
      break;
    }
    try {
      flatten(parseToml(readFileSync(path, 'utf8')), '', path, values, problems);
      return { values, folder: dirname(path) };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT' && !named) continue;
      problems.push(`cannot read ${path}, as it must be a readable TOML file: ${unreadable(error)}`);
      break;
    }
  }
  return { values, folder: source.cwd };
}

/**
 * In a folder that everyone may write, such as /tmp, anyone may have placed a postern.toml, which would name a data
 * folder of theirs.
 */
function plantedBeside(path: string): string | undefined {
  try {
    return mayOthersWrite(statSync(dirname(path))) ? distrustOfLinks(path) : undefined;
  } catch {
    // The error of reading it will give the reason.
    return undefined;
  }
}

function unreadable(error: unknown): string {
  if (!(error instanceof TomlError)) return (error as Error).message;
  return `line ${error.line}, column ${error.column}: ${error.message.split('\n')[0]}`;
}

const TOML_KEYS = Object.values(CONFIG_KEYS).map((key) => key.toml);

function flatten(table: object, prefix: string, file: string, values: Map<string, Said>, problems: string[]): void {
  for (const [name, value] of Object.entries(table)) {
    const toml = prefix + name;
    const key = Object.values<ConfigKey<unknown>>(CONFIG_KEYS).find((known) => known.toml === toml);
    if (key) values.set(toml, { where: `${toml} in ${file}`, text: textOf(value, key.kind.list ?? false), raw: value });
    else if (isTable(value) && TOML_KEYS.some((known) => known.startsWith(`${toml}.`)))
      flatten(value, `${toml}.`, file, values, problems);
    else problems.push(unusable(toml, value, file));
  }
}

function unusable(toml: string, value: unknown, file: string): string {
  const inside = TOML_KEYS.filter((known) => known.startsWith(`${toml}.`)).map((known) => known.slice(toml.length + 1));
  if (inside.length === 0)
    return `cannot read ${file}, as ${toml} must be a key that exists${didYouMean(toml, TOML_KEYS)}`;
  const said = quoted({ where: toml, text: undefined, raw: value });
  return `cannot read ${file}, as ${toml} must be a table with ${inside.join(', ')}: current value is ${said}`;
}

function textOf(value: unknown, isList: boolean): string | undefined {
  if (typeof value === 'string') return value;
  if (isList && Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(',');
  return undefined;
}

function isTable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function unknownNames(env: ConfigSource['env']): readonly string[] {
  const known = [...Object.values(CONFIG_KEYS).map((key) => key.env), 'POSTERN_CONFIG', 'POSTERN_SUITES'];
  const behind = (name: string): string => name.slice(PREFIX.length);
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !name.startsWith(`${PREFIX}TEST_`) && !known.includes(name))
    .map((name) => {
      // The common prefix is left out of the comparison: with it, all names would be near each other.
      const nearest = nearestName(behind(name), known.map(behind));
      const meant = nearest === undefined ? '' : `, did you mean ${PREFIX}${nearest}?`;
      return `${name} is not used, as no such name exists${meant}`;
    });
}

function withDefaults(values: ConfigValues, source: ConfigSource): NodeConfig {
  const everywhere = source.hasIpv6 ? '::' : '0.0.0.0';
  const listener = (
    said: SocketAddress | 'off' | undefined,
    address: string,
    port: number,
    proxy: ProxyMode = 'off',
  ): ListenerConfig | undefined =>
    said === 'off' ? undefined : { address, port, ...said, configured: said !== undefined, proxy };
  // A PROXY header counts only from trusted proxies, and by default there are none: `optional` opens nothing.
  const { proxyMx = 'optional', proxySubmission = 'optional', proxySubmissions = 'optional' } = values;
  return {
    data: values.data ?? join(source.cwd, 'data'),
    hostname: values.hostname ?? hostName.parse(source.hostname) ?? 'localhost',
    listen: {
      mx: listener(values.listenMx, everywhere, 25, proxyMx),
      submission: listener(values.listenSubmission, everywhere, 587, proxySubmission),
      submissions: listener(values.listenSubmissions, everywhere, 465, proxySubmissions),
      https: listener(values.listenHttps, '127.0.0.1', 8443),
      metrics: listener(values.listenMetrics, '127.0.0.1', 9425),
    },
    ...mingerListener(values.listenMinger),
    trustedProxies: values.trustedProxies ?? [],
    dnsServers: values.dnsServers?.length ? values.dnsServers : undefined,
    dnsTrusted: values.dnsTrusted ?? [],
    tls:
      values.tlsCertificate !== undefined && values.tlsKey !== undefined
        ? { certificate: values.tlsCertificate, key: values.tlsKey }
        : undefined,
    secretKeyFile: values.secretKeyFile ?? join(values.data ?? join(source.cwd, 'data'), 'keys', 'secret.key'),
    log: { format: values.logFormat, level: values.logLevel ?? 'info' },
  };
}

/** It has no default address: it is off unless an address is configured. */
function mingerListener(said: SocketAddress | 'off' | undefined): Pick<NodeConfig, 'minger'> {
  return said === undefined || said === 'off' ? {} : { minger: said };
}
