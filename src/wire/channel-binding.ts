/**
 * `tls-exporter` (RFC 9266). Only for TLS 1.3: for 1.2 the runtime does not report whether the master secret is
 * extended.
 */
import type { TLSSocket } from 'node:tls';

/** RFC 9266 2. */
const BYTES = 32;
const NO_CONTEXT = Buffer.alloc(0);

export function channelBinding(socket: TLSSocket): Buffer | undefined {
  if (socket.getProtocol() !== 'TLSv1.3') return undefined;
  return socket.exportKeyingMaterial(BYTES, 'EXPORTER-Channel-Binding', NO_CONTEXT);
}
