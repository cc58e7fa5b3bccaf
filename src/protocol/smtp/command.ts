/** A command line (RFC 5321 4.1.1), without its CRLF, split into verb and argument. */
import { isUtf8 } from 'node:buffer';

export interface CommandLine {
  readonly text: string;
  /** In upper case. */
  readonly verb: string;
  /** The text after the first space, without space at its end (RFC 5321 4.1.1 tolerates that). */
  readonly argument: string;
}

/** Undefined if the line is not valid text, or has a control character, which no command has. */
export function readCommand(line: Buffer): CommandLine | undefined {
  let isAscii = true;
  for (let i = 0; i < line.length; i++) {
    const octet = line[i]!;
    // A tab at the end is harmless; anywhere else the arguments' own grammar refuses it.
    if ((octet < 0x20 && octet !== 0x09) || octet === 0x7f) return undefined;
    if (octet > 0x7f) isAscii = false;
  }
  if (!isAscii && !isUtf8(line)) return undefined;
  const text = line.toString(isAscii ? 'latin1' : 'utf8');
  const space = text.indexOf(' ');
  if (space < 0) return { text, verb: inUpperCase(text.trimEnd()), argument: '' };
  return { text, verb: inUpperCase(text.slice(0, space)), argument: text.slice(space + 1).trim() };
}

/** Most clients send upper case; checking is cheaper than converting. */
function inUpperCase(word: string): string {
  for (let i = 0; i < word.length; i++) {
    const code = word.charCodeAt(i);
    if (code < 0x41 || code > 0x5a) return word.toUpperCase();
  }
  return word;
}
