/**
 * The one buffer that every accepted connection is read into.
 *
 * By default Node allocates a buffer for each read, which costs as much as the read. Here bytes are lent: they are
 * valid until the callee returns, and a callee that keeps some of them copies them.
 */
import { type Server, Socket } from 'node:net';
import { INBOX_BYTES } from './limits.ts';

const INBOX = Buffer.allocUnsafeSlow(INBOX_BYTES);

/** An accepted connection, as Node represents it below a socket. */
export type Accepted = object;

interface ListeningHandle {
  setNoDelay(on: boolean): number;
  setKeepAlive(on: boolean, seconds: number): number;
  onconnection(this: ListeningHandle, error: number, accepted: Accepted): void;
}

/**
 * Node reads into a given buffer where it connects, but not where it accepts: so `openSocket`, not the listening
 * server, creates the sockets. The server still reports its errors.
 */
export function takeAccepted(server: Server, accept: (accepted: Accepted) => void): void {
  const { _handle: listening } = server as unknown as { readonly _handle: ListeningHandle };
  const makeSocket = listening.onconnection;
  // Accepted sockets inherit the listener's option: set once, and not for each connection.
  listening.setNoDelay(true);
  listening.setKeepAlive(true, 0);
  listening.onconnection = function (error, accepted) {
    if (error === 0) accept(accepted);
    else makeSocket.call(this, error, accepted);
  };
}

/** Half-open: a client that ended its input may still wait for the replies. */
export function openSocket(handle: Accepted, received: (lent: Buffer) => void): Socket {
  const onread = {
    buffer: INBOX,
    callback(length: number): true {
      received(INBOX.subarray(0, length));
      return true;
    },
  };
  return new Socket({ handle, allowHalfOpen: true, onread } as ConstructorParameters<typeof Socket>[0]);
}
