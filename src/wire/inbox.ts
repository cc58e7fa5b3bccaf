/**
 * The one buffer that every accepted connection is read into.
 *
 * A socket that is left to itself gets a new buffer for each read, which costs as much as the read.
 * Here octets are lent: they hold until the callee returns, and who keeps some of them copies them.
 */
import { Socket } from 'node:net';
import { INBOX_BYTES } from './limits.ts';

const INBOX = Buffer.allocUnsafeSlow(INBOX_BYTES);

/**
 * Node reads into a given buffer where it connects, not where it accepts: so a second socket takes over
 * what the first has accepted, which must not have begun to read (`pauseOnConnect`).
 */
export function readIntoInbox(accepted: Socket, received: (lent: Buffer) => void): Socket {
  const shell = accepted as unknown as { _handle: object | null };
  const handle = shell._handle;
  shell._handle = null;
  accepted.destroy();
  const onread = {
    buffer: INBOX,
    callback(length: number): true {
      received(INBOX.subarray(0, length));
      return true;
    },
  };
  return new Socket({ handle, allowHalfOpen: true, onread } as ConstructorParameters<typeof Socket>[0]);
}
