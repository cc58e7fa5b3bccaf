/**
 * The WebAssembly module behind line-scan.ts, instruction by instruction (WebAssembly Core 2.0, binary
 * format 5). It exports two pages of memory, and `next(at, end)`:
 *
 *   found = ((here == LF) xor (before == CR)) or ((here == '.') and (before == LF))
 *
 * for sixteen bytes `here` from `at` on, and the byte `before` each. It returns the position of the first match, or
 * `end` or more.
 */
const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const STEP = 16;

/** Parameters, then variables. */
const [AT, END, HERE, BEFORE, FOUND, CRS, LFS, DOTS] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const I32 = 0x7f;
const V128 = 0x7b;

const get = (variable: number): number[] => [0x20, variable];
const set = (variable: number): number[] => [0x21, variable];
const constant = (value: number): number[] => [0x41, value];
/** Sixteen bytes from an address, plus this offset. */
const load = (offset: number): number[] => [0xfd, 0x00, 0x00, offset];
const LOOP = [0x03, 0x40];
const IF = [0x04, 0x40];
const FI = [0x0b];
const AGAIN = [0x0c, 0x00];
const RETURN = [0x0f];
const UNREACHABLE = [0x00];
const AT_LEAST = [0x4f];
const ADD = [0x6a];
const TRAILING_ZEROS = [0x68];
const TO_EACH = [0xfd, 0x0f];
const EQUAL = [0xfd, 0x23];
const AND = [0xfd, 0x4e];
const OR = [0xfd, 0x50];
const XOR = [0xfd, 0x51];
const ANY = [0xfd, 0x53];
const BIT_OF_EACH = [0xfd, 0x64];

const sixteen = (octet: number, variable: number): number[] => [...constant(octet), ...TO_EACH, ...set(variable)];
const equal = (one: number, other: number): number[] => [...get(one), ...get(other), ...EQUAL];

const NEXT = [
  ...[...sixteen(CR, CRS), ...sixteen(LF, LFS), ...sixteen(DOT, DOTS)],
  ...LOOP,
  ...[...get(AT), ...get(END), ...AT_LEAST, ...IF, ...get(END), ...RETURN, ...FI],
  ...[...get(AT), ...load(STEP), ...set(HERE)],
  ...[...get(AT), ...load(STEP - 1), ...set(BEFORE)],
  ...[...equal(HERE, LFS), ...equal(BEFORE, CRS), ...XOR],
  ...[...equal(HERE, DOTS), ...equal(BEFORE, LFS), ...AND],
  ...[...OR, ...set(FOUND)],
  ...[...get(FOUND), ...ANY, ...IF],
  ...[...get(AT), ...get(FOUND), ...BIT_OF_EACH, ...TRAILING_ZEROS, ...ADD, ...RETURN],
  ...FI,
  ...[...get(AT), ...constant(STEP), ...ADD, ...set(AT), ...AGAIN],
  ...FI,
  ...UNREACHABLE,
];

/** Lengths below 128 are one byte. */
const sized = (content: readonly number[]): number[] => [content.length, ...content];
const section = (id: number, content: readonly number[]): number[] => [id, ...sized(content)];
const exported = (name: string, kind: number): number[] => [...sized([...Buffer.from(name)]), kind, 0];
const VARIABLES = [1, 6, V128];
const END_OF_CODE = 0x0b;

export const LINE_SCAN_MODULE: Uint8Array<ArrayBuffer> = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [1, 0x60, 2, I32, I32, 1, I32]),
  ...section(3, [1, 0]),
  ...section(5, [1, 0, 2]),
  ...section(7, [2, ...exported('memory', 2), ...exported('next', 0)]),
  ...section(10, [1, ...sized([...VARIABLES, ...NEXT, END_OF_CODE])]),
);
