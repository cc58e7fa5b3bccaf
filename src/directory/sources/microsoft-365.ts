/**
 * Microsoft 365: asks Graph for the user or group that has an address, with an application's own token (client
 * credentials; permissions User.Read.All and Group.Read.All).
 *
 * An expired secret, missing permissions, throttling (429) and outages are `cannot tell`; while Graph throttles, it
 * is not asked. Passwords are checked by the resource owner grant, which has no second factor: an account that needs
 * one cannot sign in here.
 */

import { proxyAddresses } from './active-directory.ts';
import {
  type Answer,
  cannotTell,
  type PasswordAnswer,
  type Question,
  type SourceServices,
  type VerificationSource,
} from './contract.ts';
import type { MicrosoftOptions } from './definition.ts';
import { ALIASES_OF_ONE, GRAPH_BYTES } from './limits.ts';

const CLOUDS: Readonly<Record<MicrosoftOptions['cloud'], { readonly login: string; readonly graph: string }>> = {
  global: { login: 'https://login.microsoftonline.com', graph: 'https://graph.microsoft.com' },
  'us-gov': { login: 'https://login.microsoftonline.us', graph: 'https://graph.microsoft.us' },
  'us-dod': { login: 'https://login.microsoftonline.us', graph: 'https://dod-graph.microsoft.us' },
  china: { login: 'https://login.chinacloudapi.cn', graph: 'https://microsoftgraph.chinacloudapi.cn' },
};

/** A token is renewed a little before its end. */
const TOKEN_MARGIN_MS = 60_000;
/** The longest pause that Graph may ask for; more would be an outage caused by us. */
const PATIENCE_SECONDS = { usual: 10, most: 300 } as const;

interface Said {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

export function microsoftSource(
  options: MicrosoftOptions,
  secret: string | undefined,
  services: SourceServices,
): VerificationSource {
  const { clock } = services;
  const cloud = CLOUDS[options.cloud];
  const { microsoft: placeOf = (origin: string): string => origin } = services;
  const graph = placeOf(cloud.graph);
  const tokenUrl = `${placeOf(cloud.login)}/${options.tenant}/oauth2/v2.0/token`;
  const credentials = { client_id: options.clientId, client_secret: secret ?? '', scope: `${cloud.graph}/.default` };
  let token: { readonly text: string; readonly until: number } | undefined;
  let patientUntil = 0;

  async function renew(question: Question): Promise<string> {
    question.dialogue.sent(`POST ${tokenUrl} (client credentials, secret hidden)`);
    const { status, body } = await post(
      tokenUrl,
      { ...credentials, grant_type: 'client_credentials' },
      question.signal,
    );
    const { access_token: text, expires_in: seconds, error_description: problem } = body;
    question.dialogue.received(`${status} ${typeof problem === 'string' ? problem : ''}`);
    if (status !== 200 || typeof text !== 'string') throw new Error(`no token: ${firstLine(problem) ?? status}`);
    token = { text, until: clock.monotonic() + Number(seconds ?? 0) * 1000 - TOKEN_MARGIN_MS };
    return text;
  }

  async function get(path: string, question: Question): Promise<Said> {
    for (let renewed = false; ; renewed = true) {
      const fresh = token && !renewed && token.until > clock.monotonic() ? token.text : await renew(question);
      question.dialogue.sent(`GET ${graph}${decodeURIComponent(path)}`);
      const said = await talk(`${graph}${path}`, {
        headers: { authorization: `Bearer ${fresh}` },
        signal: question.signal,
      });
      question.dialogue.received(String(said.status));
      // A token may be withdrawn before its end.
      if (said.status !== 401 || renewed) return said;
    }
  }

  /** The first that has the address; undefined: no match of that kind. */
  async function find(kind: 'users' | 'groups', question: Question): Promise<Answer | undefined> {
    const said = await get(queryFor(kind, question.address.text), question);
    if (said.status === 429 || said.status === 503) {
      const asked = Number(said.retryAfter ?? PATIENCE_SECONDS.usual) || PATIENCE_SECONDS.usual;
      patientUntil = clock.monotonic() + Math.min(Math.max(asked, 1), PATIENCE_SECONDS.most) * 1000;
    }
    const { value } = said.body;
    if (said.status !== 200 || !Array.isArray(value)) return cannotTell(`Graph answers ${said.status}`);
    const [entry] = value as Readonly<Record<string, unknown>>[];
    return entry && readEntry(entry);
  }

  return {
    async verify(question) {
      if (clock.monotonic() < patientUntil) return cannotTell('Graph asked for patience (429)');
      return (await find('users', question)) ?? (await find('groups', question)) ?? { kind: 'no' };
    },
    async authenticate(question, password): Promise<PasswordAnswer> {
      if (password === '') return { kind: 'no' };
      question.dialogue.sent(`POST ${tokenUrl} (password hidden)`);
      const form = { ...credentials, grant_type: 'password', username: question.address.text, password };
      const { status, body } = await post(tokenUrl, form, question.signal);
      question.dialogue.received(`${status} ${firstLine(body['error_description']) ?? ''}`);
      if (status !== 200 || typeof body['access_token'] !== 'string') return readSignIn(status, body);
      // The token endpoint accepts several names of a user, and does not return the user.
      const found = await find('users', question);
      if (found?.kind === 'cannot-tell') return found;
      return { kind: 'yes', primary: found?.kind === 'yes' ? found.primary : undefined };
    },
    close() {},
  };
}

/** OData: a quote in a literal is doubled. */
function queryFor(kind: 'users' | 'groups', address: string): string {
  const literal = `'${address.replaceAll("'", "''")}'`;
  const byMail = `mail eq ${literal} or proxyAddresses/any(p:p eq 'smtp:${literal.slice(1)})`;
  const filter = kind === 'users' ? `${byMail} or userPrincipalName eq ${literal}` : byMail;
  const select = `id,displayName,mail,proxyAddresses${kind === 'users' ? ',userPrincipalName' : ''}`;
  return `/v1.0/${kind}?$filter=${encodeURIComponent(filter)}&$select=${encodeURIComponent(select)}&$top=2`;
}

function readEntry({
  mail,
  userPrincipalName,
  displayName,
  proxyAddresses: all,
}: Readonly<Record<string, unknown>>): Answer {
  const texts = Array.isArray(all) ? all.filter((one) => typeof one === 'string') : [];
  const { primary, aliases } = proxyAddresses(texts);
  const main = [primary, mail, userPrincipalName].find((text) => typeof text === 'string' && text !== '');
  return {
    kind: 'yes',
    primary: main as string | undefined,
    aliases: aliases.slice(0, ALIASES_OF_ONE),
    ...(typeof displayName === 'string' && { displayName }),
  };
}

/** Codes of the token endpoint about the user: no such user, wrong password, expired, disabled. */
const WRONG = new Set([50034, 50126, 50055, 50056, 50057]);
/** A second factor, a locked account: the password alone decides nothing. */
const MORE_IS_NEEDED = new Set([50053, 50072, 50074, 50076, 50079, 50158, 53003, 65001]);

function readSignIn(status: number, body: Said['body']): PasswordAnswer {
  const codes = (Array.isArray(body['error_codes']) ? body['error_codes'] : []).map(Number);
  if (codes.some((code) => WRONG.has(code))) return { kind: 'no' };
  const reason = `Microsoft refuses the sign-in: ${firstLine(body['error_description']) ?? status}`;
  return cannotTell(reason, codes.some((code) => MORE_IS_NEEDED.has(code)) ? 'address' : 'source');
}

function post(url: string, form: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Said> {
  return talk(url, { method: 'POST', body: new URLSearchParams(form), signal });
}

async function talk(url: string, init: RequestInit): Promise<Said> {
  const response = await fetch(url, { ...init, redirect: 'error' });
  const chunks: Uint8Array[] = [];
  let octets = 0;
  for await (const chunk of response.body ?? []) {
    octets += chunk.length;
    if (octets > GRAPH_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: objectOf(Buffer.concat(chunks).toString('utf8')),
  };
}

function objectOf(json: string): Said['body'] {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Said['body']) : {};
  } catch {
    return {};
  }
}

function firstLine(text: unknown): string | undefined {
  return typeof text === 'string' ? text.split(/\r?\n/, 1)[0]!.slice(0, 200) : undefined;
}
