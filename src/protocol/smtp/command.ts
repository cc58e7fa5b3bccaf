/** A command line (RFC 5321 4.1.1), without its CRLF, taken apart into verb and argument. */

export interface CommandLine {
  /** In upper case. */
  readonly verb: string;
  /** What follows the first space, without space at its end (RFC 5321 4.1.1 tolerates that). */
  readonly argument: string;
}

/** Undefined where the line has a control character, which no command has. */
export function splitCommand(line: string): CommandLine | undefined {
  let space = -1;
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i);
    // A tab at the end is harmless; anywhere else the arguments' own grammar refuses it.
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return undefined;
    if (code === 0x20 && space < 0) space = i;
  }
  if (space < 0) return { verb: line.trimEnd().toUpperCase(), argument: '' };
  return { verb: line.slice(0, space).toUpperCase(), argument: line.slice(space + 1).trim() };
}
