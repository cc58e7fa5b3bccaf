/**
 * Events as log lines: JSON by pino, or readable text, to standard error or a file.
 *
 * Lines are written asynchronously and together, so a burst never stops the event loop. Lines that a slow destination
 * cannot take are left out beyond a bound, counted, and reported once it takes lines again (log-destination.ts).
 * Lines of events that untrusted clients can cause are bounded (log-flood.ts). `close` writes all that waits, and so
 * does the exit of the process.
 */
import type { DestinationStream } from 'pino';
import { escapeJson } from '../protocol/text/unsafe.ts';
import type { EventLevel } from './event.ts';
import type { EventDefinitions, EventName, Events } from './events.ts';
import { openLogDestination } from './log-destination.ts';
import { createLogFlood } from './log-flood.ts';

export interface LogOptions {
  readonly format: 'json' | 'readable';
  /** Events below it are left out. */
  readonly level: EventLevel;
  /** A file descriptor (2: standard error) or the path of a file. */
  readonly destination: number | string;
}

export interface LogSink {
  /** Writes all that waits, then takes no more events. */
  close(): void;
}

type WriteLine = (name: EventName, fields: Readonly<Record<string, unknown>>, at: number) => void;

const SEVERITY: Readonly<Record<EventLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 };

/** Loads pino when called: a command that logs nothing does not pay for it. Errors: those of opening a file. */
export async function attachLog(events: Events, options: LogOptions): Promise<LogSink> {
  const { pino } = await import('pino');
  const destination = openLogDestination(options.destination, (lines) => {
    if (lines > 0) events.emit('log.dropped', { lines });
  });

  const write =
    options.format === 'json'
      ? jsonLines(events.definitions, pino, destination)
      : readableLines(events.definitions, destination);
  const threshold = SEVERITY[options.level];
  const flood = createLogFlood(events.definitions);
  const bounded: WriteLine = (name, fields, at) => {
    for (const [repeated, lines] of flood.counted(at)) events.emit('log.repeated', { repeated, lines });
    if (flood.admits(name, fields, at)) write(name, fields, at);
  };
  const detach = events.attach(bounded, (name) => SEVERITY[events.definitions[name].level] >= threshold);
  process.on('exit', destination.flush);
  return {
    close() {
      for (const [repeated, lines] of flood.counted(Number.POSITIVE_INFINITY))
        events.emit('log.repeated', { repeated, lines });
      detach();
      process.off('exit', destination.flush);
      destination.close();
    },
  };
}

function jsonLines(
  definitions: EventDefinitions,
  pino: typeof import('pino').pino,
  destination: DestinationStream,
): WriteLine {
  const logger = pino(
    {
      level: 'debug',
      base: null,
      messageKey: 'text',
      // The event has its own time, that of the injected clock.
      timestamp: false,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line) => destination.write(escapeJson(line)) },
  );
  return (name, fields, at) => {
    const { level, text } = definitions[name];
    logger[level]({ time: new Date(at).toISOString(), event: name, ...fields }, text);
  };
}

function readableLines(definitions: EventDefinitions, destination: DestinationStream): WriteLine {
  return (name, fields, at) => {
    const level = definitions[name].level.toUpperCase().padEnd(5);
    destination.write(`${new Date(at).toISOString()} ${level} ${eventLine(definitions, name, fields)}\n`);
  };
}

/** An event for people: its sentence, its name and its fields, always on one line. */
export function eventLine(
  definitions: EventDefinitions,
  name: EventName,
  fields: Readonly<Record<string, unknown>>,
): string {
  let line = `${definitions[name].text} (${name})`;
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) line += ` ${key}=${readable(value)}`;
  }
  return line;
}

/** Bare where nothing in it could be taken for another field or move the cursor; else JSON. */
function readable(value: unknown): string {
  if (typeof value === 'string' && /^[\x21\x23-\x3c\x3e-\x7e]+$/.test(value)) return value;
  return escapeJson(JSON.stringify(value) ?? String(value));
}
