/**
 * Chunks of a message in order. Those who send octet by octet shall not have an object kept for each:
 * once there are many chunks, small ones are gathered.
 */
import { GATHERED_FROM_PIECES, GATHERED_PIECE_BYTES } from '../limits.ts';

export interface Pieces {
  push(chunk: Uint8Array): void;
  readonly sizeBytes: number;
  /** What was pushed and not taken. */
  all(): readonly Uint8Array[];
  take(): readonly Uint8Array[];
}

export function createPieces(): Pieces {
  let list: Uint8Array[] = [];
  let sizeBytes = 0;
  let gathered: Buffer | undefined;
  let gatheredBytes = 0;

  const seal = (): void => {
    if (gathered) list.push(gathered.subarray(0, gatheredBytes));
    gathered = undefined;
    gatheredBytes = 0;
  };

  return {
    get sizeBytes() {
      return sizeBytes;
    },
    push(chunk) {
      sizeBytes += chunk.length;
      if (list.length < GATHERED_FROM_PIECES || chunk.length > GATHERED_PIECE_BYTES / 2) {
        seal();
        list.push(chunk);
        return;
      }
      if (gatheredBytes + chunk.length > GATHERED_PIECE_BYTES) seal();
      gathered ??= Buffer.allocUnsafeSlow(GATHERED_PIECE_BYTES);
      gathered.set(chunk, gatheredBytes);
      gatheredBytes += chunk.length;
    },
    all() {
      seal();
      return list;
    },
    take() {
      seal();
      const taken = list;
      list = [];
      sizeBytes = 0;
      return taken;
    },
  };
}
