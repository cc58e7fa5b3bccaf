/**
 * Where log lines go: a descriptor or a file that takes them one write at a time, beside the event loop.
 *
 * Nothing here fails once it is open. Lines beyond a bound are left out, and so are lines that cannot be written at
 * the first try: a full disk or a closed pipe costs lines, but never stops the node or delays its end. A write that
 * fails with EAGAIN is tried again, at the end within a bound.
 */
import { closeSync, mkdirSync, openSync, write, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { LOG_WAITING_BYTES, LOG_WRITE } from './limits.ts';

export interface LogDestination {
  /** A line with its end. */
  write(line: string): void;
  /** Bytes that are neither written nor left out yet. */
  waitingBytes(): number;
  /** Writes all that waits, now; for the last moments of the process. A write under way may end up behind it. */
  flush(): void;
  /** Flushes, and takes nothing more. */
  close(): void;
}

/** Lines that are written together. */
interface Batch {
  text: string;
  lines: number;
  /** What is left of it, once a write was begun. */
  rest?: Buffer;
}

/** `onTaken`: all that waited was written; `dropped` is the number of lines left out since the last call. */
export function openLogDestination(to: number | string, onTaken: (dropped: number) => void): LogDestination {
  const fd = typeof to === 'number' ? to : openFile(to);
  const batches: Batch[] = [];
  let waitingBytes = 0;
  let dropped = 0;
  /** A buffer is in the thread pool. */
  let isWriting = false;
  let isClosed = false;
  let patience: NodeJS.Timeout | undefined;
  let isDue = false;

  /** Whether anything is left of it. */
  const took = (batch: Batch, bytes: Buffer, written: number): boolean => {
    waitingBytes -= written;
    batch.rest = bytes.subarray(written);
    return batch.rest.length > 0;
  };
  const leave = (batch: Batch, bytes: Buffer): void => {
    waitingBytes -= bytes.length;
    dropped += batch.lines;
  };

  function put(batch: Batch): void {
    const bytes = bytesOf(batch);
    isWriting = true;
    write(fd, bytes, (error, written) => {
      isWriting = false;
      const waits = error !== null && isBusy(error);
      if (waits || (!error && took(batch, bytes, written))) batches.unshift(batch);
      else if (error) leave(batch, bytes);
      if (isClosed) end();
      else if (waits) patience = setTimeout(() => next(), LOG_WRITE.patienceMs).unref();
      else next(error === null);
    });
  }

  function next(isTaken = false): void {
    patience = undefined;
    isDue = false;
    const batch = batches.shift();
    if (batch) put(batch);
    else if (isTaken) {
      const lines = dropped;
      dropped = 0;
      onTaken(lines);
    }
  }

  function flush(): void {
    clearTimeout(patience);
    patience = undefined;
    let tries: number = LOG_WRITE.lastTries;
    for (let batch = batches.shift(); batch; batch = batches.shift()) {
      const bytes = bytesOf(batch);
      try {
        if (took(batch, bytes, writeSync(fd, bytes))) batches.unshift(batch);
      } catch (error) {
        if (isBusy(error) && tries-- > 0) {
          batches.unshift(batch);
          pause(LOG_WRITE.lastPauseMs);
        } else leave(batch, bytes);
      }
    }
  }

  function end(): void {
    flush();
    if (typeof to === 'string' && !isWriting) closeSync(fd);
  }

  return {
    write(line) {
      const bytes = Buffer.byteLength(line);
      if (isClosed || waitingBytes + bytes > LOG_WAITING_BYTES) {
        dropped++;
        return;
      }
      waitingBytes += bytes;
      const last = batches.at(-1);
      if (last && !last.rest && last.text.length < LOG_WRITE.batchCharacters) {
        last.text += line;
        last.lines++;
      } else batches.push({ text: line, lines: 1 });
      if (isWriting || isDue || patience !== undefined) return;
      // Lines logged in the rest of this turn of the loop join this write.
      isDue = true;
      setImmediate(next);
    },
    waitingBytes: () => waitingBytes,
    flush,
    close() {
      if (isClosed) return;
      isClosed = true;
      end();
    },
  };
}

function bytesOf({ text, rest }: Batch): Buffer {
  return rest ?? Buffer.from(text);
}

function openFile(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return openSync(path, 'a', 0o600);
}

function isBusy(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EAGAIN' || code === 'EBUSY';
}

/** Blocks the thread: nothing else is left to do at the end of the process. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
