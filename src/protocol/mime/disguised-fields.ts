/**
 * Lines of a header that are no fields by RFC 5322 2.2, while readers take them for one: its name has a
 * byte order mark, a control or another octet in it that many programs trim away, as in `\ufeffFrom:`.
 *
 * Looked for only where a header has lines that are no fields, which is rare. Linear; never throws.
 */
import { lineCursor, nextLine } from './lines.ts';
import { fieldValue } from './text.ts';

export interface DisguisedField {
  /** As it is seen, in lower case. */
  readonly name: string;
  /** Unfolded, a binary string. */
  readonly value: string;
}

/** The longest name that is looked for, with what may stand in it. */
const NAME_OCTETS = 64;
const COLON = 58;

/** Of the header `[0, end)`, from the top. `names`: in lower case. */
export function disguisedFields(bytes: Uint8Array, end: number, names: ReadonlySet<string>): readonly DisguisedField[] {
  const found: DisguisedField[] = [];
  const line = lineCursor(0);
  let opened: { readonly name: string; readonly valueStart: number } | undefined;
  const close = (at: number): void => {
    if (opened) found.push({ name: opened.name, value: fieldValue(bytes, { ...opened, end: at }) });
    opened = undefined;
  };
  while (nextLine(bytes, line, end)) {
    const first = bytes[line.start];
    if (first === 32 || first === 9) continue;
    close(line.start);
    const colon = bytes.subarray(line.start, Math.min(line.end, line.start + NAME_OCTETS)).indexOf(COLON);
    if (colon < 0) continue;
    const name = seenName(bytes.subarray(line.start, line.start + colon));
    if (name !== undefined && names.has(name)) opened = { name, valueStart: line.start + colon + 1 };
  }
  close(end);
  return found;
}

/** Without what nobody sees; undefined where the name is one by the grammar. */
function seenName(octets: Uint8Array): string | undefined {
  const written = Buffer.from(octets)
    .toString('latin1')
    .replace(/[ \t]+$/, '');
  const seen = written.replaceAll(/[^!-~]/g, '');
  return seen === written ? undefined : seen.toLowerCase();
}
