/** Newline-delimited JSON, both ways; a line has a bound. */
import type { Socket } from 'node:net';
import { CONTROL_LINE_BYTES } from './limits.ts';

export interface ControlRequest {
  readonly operation: string;
  readonly input: unknown;
  readonly actor: string;
  /** The act runs in the background; the answer is its run. */
  readonly background?: boolean;
}

export type ControlAnswer =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** Calls back with each line; `tooLong` instead when one exceeds the bound. */
export function readLines(
  socket: Socket,
  onLine: (line: string) => void,
  tooLong: () => void,
  bound = CONTROL_LINE_BYTES,
): void {
  let pieces: Buffer[] = [];
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      const line = Buffer.concat([...pieces, chunk.subarray(start, end)]).toString('utf8');
      [pieces, bytes, start] = [[], 0, end + 1];
      onLine(line);
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start));
    bytes += chunk.length - start;
    if (bytes > bound) {
      pieces = [];
      tooLong();
    }
  });
}

export function writeLine(socket: Socket, value: ControlRequest | ControlAnswer): void {
  socket.write(`${JSON.stringify(value)}\n`);
}
