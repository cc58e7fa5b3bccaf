/** `tls-exporter` (RFC 9266). Of TLS 1.3 only: of 1.2 the runtime does not say whether the master secret is extended. */
import type { TLSSocket } from 'node:tls';

/** RFC 9266 2. */
const OCTETS = 32;
const NO_CONTEXT = Buffer.alloc(0);

export function channelBinding(socket: TLSSocket): Buffer | undefined {
  if (socket.getProtocol() !== 'TLSv1.3') return undefined;
  return socket.exportKeyingMaterial(OCTETS, 'EXPORTER-Channel-Binding', NO_CONTEXT);
}
