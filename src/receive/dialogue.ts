/** A dialogue as the journal keeps it: `C:` and `S:` lines, bounded, credentials left out. */
import type { Reply } from '../model/reply.ts';
import { DIALOGUE_CHARACTERS, DIALOGUE_IDLE_LINE_CHARACTERS, DIALOGUE_LINE_CHARACTERS } from './limits.ts';

export interface Dialogue {
  text: string;
}

/** Of AUTH (RFC 4954 4): with what the client answers it is as good as a password to guess at. */
const CHALLENGE = 334;

/** What a line of any length may be worth reading for: a sender, a recipient, a client. */
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

/** What is no command and no reply: `-- TLS`. */
export function addNote(dialogue: Dialogue, note: string): void {
  add(dialogue, '-- ', note);
}

/** What was said in a transaction that came to nothing. */
export function addDialogue(dialogue: Dialogue, part: Dialogue): void {
  if (dialogue.text.length <= DIALOGUE_CHARACTERS) dialogue.text += part.text;
}

function add(dialogue: Dialogue, mark: string, line: string, most: number = DIALOGUE_LINE_CHARACTERS): void {
  if (dialogue.text.length > DIALOGUE_CHARACTERS) return;
  const shown = line.length > most ? `${line.slice(0, most)}...` : line;
  dialogue.text += `${mark}${shown}\n`;
  if (dialogue.text.length > DIALOGUE_CHARACTERS) dialogue.text += '-- the rest is left out\n';
}
