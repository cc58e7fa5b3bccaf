/**
 * Exit codes, those of sysexits.h, so that scripts can tell the cause:
 *
 *   0 done | 1 a check found something wrong | 64 the command line is wrong | 65 a value is wrong
 *   66 a file cannot be read | 67 what was named is not there | 69 the node cannot do it | 70 a defect
 *   73 a file cannot be written | 74 standard output takes nothing | 75 try again | 77 not allowed
 *   78 the configuration or the data folder is wrong: somebody must act, and no new start mends it
 */
import { isOperational } from '../model/errors.ts';

export const EXIT = {
  wrong: 1,
  usage: 64,
  data: 65,
  noInput: 66,
  missing: 67,
  unavailable: 69,
  defect: 70,
  noOutput: 73,
  io: 74,
  again: 75,
  denied: 77,
  config: 78,
} as const;

const BY_CODE: Readonly<Record<string, number>> = {
  'settings.unknown': EXIT.missing,
  'settings.invalid': EXIT.data,
  'settings.doubtful': EXIT.data,
  'settings.owner': EXIT.data,
  'settings.file': EXIT.data,
  'settings.conflict': EXIT.again,
  'settings.missing': EXIT.missing,
  'settings.secret': EXIT.data,
  'directory.invalid': EXIT.data,
  'directory.doubtful': EXIT.data,
  'directory.exists': EXIT.data,
  'directory.shared': EXIT.data,
  'directory.password': EXIT.data,
  'directory.busy': EXIT.again,
  'directory.missing': EXIT.missing,
  'dkim.missing': EXIT.missing,
  'dkim.state': EXIT.data,
  'network.malformed': EXIT.data,
  'queue.missing': EXIT.missing,
  'report.busy': EXIT.again,
  'report.missing': EXIT.missing,
  'rules.doubtful': EXIT.data,
  'rules.exists': EXIT.data,
  'rules.invalid': EXIT.data,
  'rules.local': EXIT.data,
  'rules.missing': EXIT.missing,
  'log.missing': EXIT.missing,
  'log.invalid-cursor': EXIT.data,
  'log.invalid-filter': EXIT.data,
  'log.busy': EXIT.again,
  'log.timeout': EXIT.again,
  'operation.input': EXIT.data,
  'operation.unknown': EXIT.usage,
  'operation.busy': EXIT.again,
  'operation.conflict': EXIT.again,
  'operation.cancelled': EXIT.wrong,
  'operation.interrupted': EXIT.again,
  'operation.over': EXIT.data,
  'operation.denied': EXIT.denied,
  'operation.missing': EXIT.missing,
  'control.denied': EXIT.denied,
  'cli.owner': EXIT.denied,
  'cli.usage': EXIT.usage,
  'cli.unreadable': EXIT.noInput,
  'cli.unwritable': EXIT.noOutput,
  'cli.output': EXIT.io,
  'config.invalid': EXIT.config,
  'control.folder': EXIT.config,
  'secrets.key-file': EXIT.config,
  'tls.certificate': EXIT.config,
  'tls.unreadable': EXIT.config,
  'tls.unwritable': EXIT.again,
  'store.folder': EXIT.config,
  'store.corrupt': EXIT.config,
  'store.schema-newer': EXIT.config,
  'journal.schema-newer': EXIT.config,
  'store.locked': EXIT.again,
  'store.unavailable': EXIT.again,
  'store.full': EXIT.again,
  'store.expectation': EXIT.again,
};

export function exitCode(error: unknown): number {
  if (!isOperational(error)) return EXIT.defect;
  // Damage inside the database is found by the first reader of the damaged page.
  const { code } = isOperational(error.cause, 'store.corrupt') ? error.cause : error;
  return BY_CODE[code] ?? EXIT.unavailable;
}
