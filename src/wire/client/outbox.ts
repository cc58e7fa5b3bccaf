/**
 * The pieces of a message in one write, joined in memory that is reused for the next: a socket has nearly always
 * passed all to the system when `write` returns. A socket that has not keeps the memory, and the next message gets
 * new memory. TLS sockets never have, and join the pieces themselves.
 */
import type { Writable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { CLIENT_LIMITS } from './limits.ts';

let spare: Buffer | undefined;

/** False when the socket buffers. */
export function writeTogether(socket: Writable, pieces: readonly Buffer[]): boolean {
  if (pieces.length === 1) return socket.write(pieces[0]!);
  let sizeBytes = 0;
  for (const piece of pieces) sizeBytes += piece.length;
  if (sizeBytes <= CLIENT_LIMITS.copiedBytes && !(socket instanceof TLSSocket)) return writeCopied(socket, pieces);
  if (pieces.length > CLIENT_LIMITS.piecesInOneWrite) return socket.write(Buffer.concat(pieces, sizeBytes));
  let takesMore = true;
  socket.cork();
  for (const piece of pieces) takesMore = socket.write(piece);
  socket.uncork();
  return takesMore;
}

function writeCopied(socket: Writable, pieces: readonly Buffer[]): boolean {
  const memory = spare ?? Buffer.allocUnsafeSlow(CLIENT_LIMITS.copiedBytes);
  spare = undefined;
  let at = 0;
  for (const piece of pieces) {
    memory.set(piece, at);
    at += piece.length;
  }
  const takesMore = socket.write(memory.subarray(0, at));
  if (socket.writableLength === 0) spare = memory;
  return takesMore;
}
