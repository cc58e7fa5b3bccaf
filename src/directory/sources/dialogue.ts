/** The lines sent to a source and received from it, for `postern verify --explain`. Callers leave credentials out. */
import { DIALOGUE } from './limits.ts';

export interface Dialogue {
  sent(text: string): void;
  received(text: string): void;
  note(text: string): void;
  readonly lines: readonly string[];
}

/** Records nothing: the usual case, at RCPT. */
export const SILENT: Dialogue = { sent() {}, received() {}, note() {}, lines: [] };

export function createDialogue(): Dialogue {
  const lines: string[] = [];
  const add = (mark: string, text: string): void => {
    if (lines.length < DIALOGUE.lines) lines.push(`${mark} ${text.slice(0, DIALOGUE.characters)}`);
  };
  return {
    sent: (text) => add('>', text),
    received: (text) => add('<', text),
    note: (text) => add('-', text),
    lines,
  };
}
