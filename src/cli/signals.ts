/**
 * Signals: which stop a node in order, and which it logs and ignores.
 *
 * SIGQUIT stops in order too: its default, a core file, contains every password and key in memory. SIGHUP and SIGUSR2
 * would end the process by default, and log rotation and closing terminals send SIGHUP. SIGUSR1 opens Node's
 * debugger; bin/postern disables that, and the listener here replaces it if the runtime was started another way. The
 * runtime itself ignores SIGPIPE.
 */
import type { Events } from '../world/events.ts';

const STOPPING = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;
const IGNORED = ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/** The first of the signals that stop, and of `further` ones. The same signal again ends the process at once. */
export function nextSignal(further: readonly NodeJS.Signals[] = []): Promise<string> {
  return new Promise((resolve) => {
    for (const name of [...STOPPING, ...further]) process.once(name, () => resolve(name));
  });
}

export function ignoreSignals(events: Events): void {
  for (const signal of IGNORED) process.on(signal, () => events.emit('node.signal-ignored', { signal }));
}
