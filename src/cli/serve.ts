/**
 * `postern serve`: runs a node until it is stopped.
 *
 * Prints one line on standard output when it accepts mail, `ready mx=address:port ...`; everything else is log, on
 * standard error. Resolves to 0 after a signal that stops it, and to 70 after an uncaught defect; other signals are
 * logged (signals.ts). Rejects with the error that prevented the start.
 */
import { EVENTS } from '../catalogue.ts';
import { isOperational } from '../model/errors.ts';
import type { Operations } from '../operations/execute.ts';
import { systemClock } from '../world/clock.ts';
import type { NodeConfig, ReadConfig } from '../world/config.ts';
import { createEvents, type Events } from '../world/events.ts';
import { growFileTable } from '../world/file-table.ts';
import { attachLog, type LogSink } from '../world/log-sink.ts';
import { EXIT } from './exit-codes.ts';
import { ignoreSignals, nextSignal } from './signals.ts';

export interface ServedNode {
  /** `address:port` of each listener that is on. */
  readonly listeners: Readonly<Record<string, string>>;
  readonly operations: Operations;
  stop(reason: string): Promise<void>;
}

export type StartNode = (config: NodeConfig, events: Events) => Promise<ServedNode>;

export async function serve({ config, warnings }: ReadConfig, startNode: StartNode): Promise<number> {
  const events = createEvents(EVENTS, systemClock.now, (error) =>
    process.stderr.write(`a log sink failed: ${error}\n`),
  );
  const format = config.log.format ?? (process.stderr.isTTY ? 'readable' : 'json');
  const log = await attachLog(events, { format, level: config.log.level, destination: 2 });
  for (const warning of warnings) events.emit('node.config-warning', { warning });
  const signal = nextSignal();
  ignoreSignals(events);
  const defect = nextDefect(events);
  growFileTable();
  let node: ServedNode;
  try {
    node = await startNode(config, events);
  } catch (error) {
    log.close();
    throw error;
  }
  process.stdout.write(`${readyLine(node)}\n`);
  const reason = await Promise.race([signal, defect]);
  await stop(node, reason, log);
  return reason === 'defect' ? EXIT.defect : 0;
}

async function stop(node: ServedNode, reason: string, log: LogSink): Promise<void> {
  try {
    await node.stop(reason);
  } finally {
    log.close();
  }
}

function readyLine({ listeners }: ServedNode): string {
  return ['ready', ...Object.entries(listeners).map(([name, address]) => `${name}=${address}`)].join(' ');
}

/**
 * An error that no session and no job caught. State on disk is consistent at every moment, so a restart is the cure.
 */
function nextDefect(events: Events): Promise<string> {
  return new Promise((resolve) => {
    const tell = (where: string, error: unknown): void => {
      const { message, stack } = error instanceof Error ? error : new Error(String(error));
      events.emit('node.defect', { where, error: isOperational(error) ? `${error.code}: ${message}` : message, stack });
      resolve('defect');
    };
    process.on('uncaughtException', (error) => tell('an exception nobody caught', error));
    process.on('unhandledRejection', (error) => tell('a rejection nobody caught', error));
  });
}
