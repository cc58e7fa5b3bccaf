/**
 * Events as log lines: JSON by pino, or readable text, to standard error or a file.
 *
 * Lines are written asynchronously and together, so a burst never stops the event loop; what a slow
 * destination cannot take is left out beyond a bound, counted, and told once it takes lines again.
 * `close` writes all that waits, and so does the exit of the process.
 */
import type { DestinationStream } from 'pino';
import type { EventLevel } from './event.ts';
import { EVENTS, type EventName, type Events } from './events.ts';
import { LOG_WAITING_BYTES } from './limits.ts';

export interface LogOptions {
  readonly format: 'json' | 'readable';
  /** Events below it are left out. */
  readonly level: EventLevel;
  /** A file descriptor (2: standard error) or the path of a file. */
  readonly destination: number | string;
}

export interface LogSink {
  /** Writes what waits, then takes no more events. */
  close(): void;
}

type WriteLine = (name: EventName, fields: Readonly<Record<string, unknown>>, at: number) => void;

const SEVERITY: Readonly<Record<EventLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 };

/** Loads pino when called: a command that logs nothing does not pay for it. */
export async function attachLog(events: Events, options: LogOptions): Promise<LogSink> {
  const { pino } = await import('pino');
  const destination = pino.destination({
    dest: options.destination,
    sync: false,
    mkdir: true,
    maxLength: LOG_WAITING_BYTES,
  });
  let dropped = 0;
  destination.on('drop', () => {
    dropped++;
  });
  // A closed pipe or a full disk must not end the node; what it costs is counted by `drop`.
  destination.on('error', () => {});
  destination.on('drain', () => {
    if (dropped === 0) return;
    const lines = dropped;
    dropped = 0;
    events.emit('log.dropped', { lines });
  });

  const write = options.format === 'json' ? jsonLines(pino, destination) : readableLines(destination);
  const threshold = SEVERITY[options.level];
  const detach = events.attach(write, (name) => SEVERITY[EVENTS[name].level] >= threshold);
  const flush = (): void => {
    try {
      destination.flushSync();
    } catch {
      // The destination is gone, or was never opened: there is nobody left to tell.
    }
  };
  process.on('exit', flush);
  return {
    close() {
      detach();
      process.off('exit', flush);
      flush();
      destination.end();
    },
  };
}

function jsonLines(pino: typeof import('pino').pino, destination: DestinationStream): WriteLine {
  const logger = pino(
    {
      level: 'debug',
      base: null,
      messageKey: 'text',
      // The event has its own time, that of the injected clock.
      timestamp: false,
      formatters: { level: (level) => ({ level }) },
    },
    destination,
  );
  return (name, fields, at) => {
    const { level, text } = EVENTS[name];
    logger[level]({ time: new Date(at).toISOString(), event: name, ...fields }, text);
  };
}

function readableLines(destination: DestinationStream): WriteLine {
  return (name, fields, at) => {
    const { level, text } = EVENTS[name];
    let line = `${new Date(at).toISOString()} ${level.toUpperCase().padEnd(5)} ${text} (${name})`;
    for (const [key, value] of Object.entries(fields)) {
      if (value !== undefined) line += ` ${key}=${readable(value)}`;
    }
    destination.write(`${line}\n`);
  };
}

/** Bare where nothing in it could be taken for another field or move the cursor; else JSON. */
function readable(value: unknown): string {
  if (typeof value === 'string' && /^[\x21\x23-\x3c\x3e-\x7e]+$/.test(value)) return value;
  const json = JSON.stringify(value) ?? String(value);
  return json.replace(/[\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
