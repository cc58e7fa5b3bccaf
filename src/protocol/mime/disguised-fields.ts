/**
 * Lines of a header that are not fields by RFC 5322 2.2, but that some readers take for one: the name contains a byte
 * order mark, a control or another byte that many programs trim away, as in `\ufeffFrom:`.
 *
 * Searched only if a header has lines that are not fields, which is rare. Linear; never throws.
 */
import { lineCursor, nextLine } from './lines.ts';
import { fieldValue } from './text.ts';

export interface DisguisedField {
  /** The name as a reader sees it, in lower case. */
  readonly name: string;
  /** Unfolded, a binary string. */
  readonly value: string;
}

/** The longest name that is searched, with the bytes that may be in it. */
const NAME_BYTES = 64;
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
    const colon = bytes.subarray(line.start, Math.min(line.end, line.start + NAME_BYTES)).indexOf(COLON);
    if (colon < 0) continue;
    const name = seenName(bytes.subarray(line.start, line.start + colon));
    if (name !== undefined && names.has(name)) opened = { name, valueStart: line.start + colon + 1 };
  }
  close(end);
  return found;
}

/** Without invisible bytes; undefined if the name is valid by the grammar. */
function seenName(bytes: Uint8Array): string | undefined {
  const written = Buffer.from(bytes)
    .toString('latin1')
    .replace(/[ \t]+$/, '');
  const seen = written.replaceAll(/[^!-~]/g, '');
  return seen === written ? undefined : seen.toLowerCase();
}
