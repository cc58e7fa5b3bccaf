/**
 * Standard output, watched: a reader that has gone (`| head`) is no error and ends nothing; other write errors are
 * reported at the end.
 */
import { OperationalError } from '../model/errors.ts';
import type { Output } from './context.ts';

export interface WatchedOutput extends Output {
  /** Resolves once all was written. Errors: OperationalError `cli.output`. */
  settled(): Promise<void>;
}

export function watched(output: Output): WatchedOutput {
  let failure: Error | undefined;
  return {
    ...(output.isTTY !== undefined && { isTTY: output.isTTY }),
    write(text) {
      output.write(text, (error) => {
        if (error) failure ??= error;
      });
    },
    async settled() {
      // Node reports the result of a write in a later turn.
      await new Promise((turn) => setImmediate(turn));
      if (!failure || (failure as NodeJS.ErrnoException).code === 'EPIPE') return;
      throw new OperationalError(
        'cli.output',
        `cannot write to standard output, as it must take what is written: ${failure.message}`,
        { cause: failure },
      );
    },
  };
}
