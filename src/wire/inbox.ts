/**
 * The one buffer that every accepted connection is read into.
 *
 * A socket that is left to itself gets a new buffer for each read, which costs as much as the read.
 * Here octets are lent: they hold until the callee returns, and who keeps some of them copies them.
 */
import { type Server, Socket } from 'node:net';
import { INBOX_BYTES } from './limits.ts';

const INBOX = Buffer.allocUnsafeSlow(INBOX_BYTES);

/** What the kernel accepted, as Node holds it below a socket. */
export type Accepted = object;

interface ListeningHandle {
  setNoDelay(on: boolean): number;
  setKeepAlive(on: boolean, seconds: number): number;
  onconnection(this: ListeningHandle, error: number, accepted: Accepted): void;
}

/**
 * Node reads into a given buffer where it connects, not where it accepts: so the sockets of a listening
 * server are not made by it, but by `openSocket`. Its errors are still told by it.
 */
export function takeAccepted(server: Server, accept: (accepted: Accepted) => void): void {
  const { _handle: listening } = server as unknown as { readonly _handle: ListeningHandle };
  const makeSocket = listening.onconnection;
  // What is accepted has the listener's options: asked once, and not for each connection.
  listening.setNoDelay(true);
  listening.setKeepAlive(true, 0);
  listening.onconnection = function (error, accepted) {
    if (error === 0) accept(accepted);
    else makeSocket.call(this, error, accepted);
  };
}

/** Half-open, since a client that has said all it wants to say may still wait for the replies. */
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
