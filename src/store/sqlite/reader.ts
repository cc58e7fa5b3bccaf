/** Reads on the event loop: one connection of its own, which sees what is committed and waits for no writer. */
import type { Row, Statement } from '../contract.ts';
import { type Connection, connect } from './connection.ts';
import { failureOf, messageOf, storeError } from './failure.ts';

export interface Reader {
  read(statement: Statement): readonly Row[];
  close(): void;
}

export function openReader(path: string, onCorrupt: (detail: string) => void): Reader {
  const connection: Connection = connect(path, { readOnly: true });
  return {
    read(statement) {
      try {
        return connection.execute(statement) as Row[];
      } catch (error) {
        const failure = failureOf(error);
        if (failure === 'corrupt') onCorrupt(messageOf(error));
        throw storeError(failure, 'read from the database', messageOf(error), path);
      }
    },
    close: () => connection.close(),
  };
}
