/** A dialogue in the form of the journal: `C:` and `S:` lines, bounded, without credentials. */
import type { Reply } from '../model/reply.ts';
import { DIALOGUE_CHARACTERS, DIALOGUE_IDLE_LINE_CHARACTERS, DIALOGUE_LINE_CHARACTERS } from './limits.ts';

export interface Dialogue {
  text: string;
}

/** Of AUTH (RFC 4954 4): with the client's answer to it, a password can be guessed offline. */
const CHALLENGE = 334;

/** Lines that are useful whatever their length: a sender, a recipient, a client. */
const TELLING = /^(?:MAIL|RCPT|BDAT|EHLO|HELO|XCLIENT|AUTH)\b/i;

export function addClientLine(dialogue: Dialogue, line: string): void {
  add(dialogue, 'C: ', line, TELLING.test(line) ? DIALOGUE_LINE_CHARACTERS : DIALOGUE_IDLE_LINE_CHARACTERS);
}

export function addReply(dialogue: Dialogue, reply: Reply): void {
  if (reply.code === CHALLENGE) {
    add(dialogue, 'S: ', '334 (a challenge)');
    return;
  }
  const text = typeof reply.text === 'string' ? reply.text : (reply.text[0] ?? '');
  add(dialogue, 'S: ', `${reply.code} ${reply.enhanced === undefined ? '' : `${reply.enhanced} `}${text}`);
}

/** A line that is neither command nor reply: `-- TLS`. */
export function addNote(dialogue: Dialogue, note: string): void {
  add(dialogue, '-- ', note);
}

/** Adds the lines of a transaction without result. */
export function addDialogue(dialogue: Dialogue, part: Dialogue): void {
  if (dialogue.text.length <= DIALOGUE_CHARACTERS) dialogue.text += part.text;
}

function add(dialogue: Dialogue, mark: string, line: string, most: number = DIALOGUE_LINE_CHARACTERS): void {
  if (dialogue.text.length > DIALOGUE_CHARACTERS) return;
  const shown = line.length > most ? `${line.slice(0, most)}...` : line;
  dialogue.text += `${mark}${shown}\n`;
  if (dialogue.text.length > DIALOGUE_CHARACTERS) dialogue.text += '-- the rest is left out\n';
}
