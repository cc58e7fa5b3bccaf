/**
 * Before the greeting: who the client is (PROXY), and whether it waits for the greeting.
 *
 * A PROXY header is only read from trusted addresses. `optional`: the first bytes decide; after PROXY_SILENCE_MS of
 * silence there is no proxy. `required`: no header, no session.
 */
import { UNKNOWN_ADDRESS } from '../model/session.ts';
import { type ProxyHeader, parseProxyHeader } from '../protocol/proxy/header.ts';
import type { Clock } from '../world/clock.ts';
import type { Connection, Conversation } from './connection.ts';
import { PROXY_HEADER_MS, PROXY_SILENCE_MS } from './limits.ts';
import { canonicalAddress } from './network.ts';

export type ProxyMode = 'off' | 'optional' | 'required';

export type PrefaceResult =
  /** `rest`: bytes after the header. */
  | { readonly kind: 'client'; readonly rest: Buffer }
  | { readonly kind: 'refused'; readonly reason: 'proxy-missing' | 'proxy-malformed' };

/** Sets `connection.client`, `connection.proxy` and `connection.countedAs`; `done` is called once, unless the connection ends first. */
export function awaitProxyHeader(
  connection: Connection,
  mode: Exclude<ProxyMode, 'off'>,
  clock: Clock,
  done: (result: PrefaceResult) => void,
): void {
  let finished = false;
  // A busy event loop runs timers late and before it reads: input that came in time must be read first.
  const silent = (): void => afterOneTurn(() => connection.input.length === 0 && finish());
  const silence = mode === 'optional' ? clock.after(PROXY_SILENCE_MS, silent) : undefined;

  const finish = (refusal?: PrefaceResult): void => {
    if (finished || connection.closing) return;
    finished = true;
    silence?.cancel();
    connection.conversation = undefined;
    done(refusal ?? { kind: 'client', rest: connection.input.takeAll() });
  };

  const read = (): void => {
    const bytes = connection.input.takeAll();
    const header = parseProxyHeader(bytes);
    connection.input.giveBack(header.kind === 'header' ? bytes.subarray(header.length) : bytes);
    if (header.kind === 'malformed') {
      finish({ kind: 'refused', reason: 'proxy-malformed' });
    } else if (header.kind === 'header') {
      takeEndpoints(connection, header);
      finish();
    } else if (header.kind === 'none' || connection.inputEnded) {
      finish(mode === 'required' ? { kind: 'refused', reason: 'proxy-missing' } : undefined);
    }
  };

  connection.expectWithin(PROXY_HEADER_MS);
  connection.conversation = waiting(read, () => connection.destroy('shutdown'));
}

/**
 * A client that the proxy does not know (UNKNOWN, UNSPEC) has no address; nor has a health check of the proxy itself
 * (LOCAL): it sends no mail, and the proxy's address must not let any pass.
 */
function takeEndpoints(connection: Connection, { endpoints, local }: ProxyHeader & { kind: 'header' }): void {
  connection.proxy = connection.peer;
  connection.client = endpoints
    ? { address: canonicalAddress(endpoints.source.address), port: endpoints.source.port }
    : { address: UNKNOWN_ADDRESS, port: 0 };
  // Unknown clients must not take the places that the proxy needs for its health checks.
  connection.countedAs = local ? connection.peer.address : connection.client.address;
}

/** A conversation before the greeting. */
function waiting(read: () => void, stop: () => void): Conversation {
  return {
    begin() {},
    input: read,
    secured() {},
    timedOut: () => '',
    stop,
    cutOff: () => '',
    ended() {},
  };
}

/**
 * Whether the client sent data before the greeting: checked one whole turn of the event loop from now, so that data
 * in the socket's buffer at accept has been read.
 */
export function afterOneTurn(then: () => void): void {
  setImmediate(() => setImmediate(then));
}
