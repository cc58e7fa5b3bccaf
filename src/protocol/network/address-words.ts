/**
 * Addresses as 32-bit words, read in one pass without allocating: each sender's address is looked up in several
 * tables.
 */

/** The last address read: one word of IPv4, or four of IPv6. */
export const words = new Uint32Array(4);
const groups = new Uint16Array(8);

const [DOT, COLON, ZERO] = [0x2e, 0x3a, 0x30];

/**
 * How many words `address` has, which are in `words` until the next call; 0: it is not an address in the form of
 * sockets.
 */
export function readWords(address: string): 0 | 1 | 4 {
  if (address.includes(':')) return readSix(address) ? 4 : 0;
  const value = readFour(address, 0);
  if (value < 0) return 0;
  words[0] = value;
  return 1;
}

/** RFC 3986 3.2.2, dec-octet: four of 0 to 255, without leading zeros. -1: malformed. */
function readFour(text: string, from: number): number {
  let value = 0;
  let octet = -1;
  let dots = 0;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (octet < 0 || ++dots > 3) return -1;
      value = value * 256 + octet;
      octet = -1;
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9 || octet === 0) return -1;
    octet = octet < 0 ? digit : octet * 10 + digit;
    if (octet > 255) return -1;
  }
  return octet < 0 || dots !== 3 ? -1 : value * 256 + octet;
}

/** RFC 4291 2.2: groups of hexadecimal digits, one run of zeros left out, perhaps IPv4 at the end. */
function readSix(text: string): boolean {
  let count = 0;
  /** The group before which the zeros are inserted. */
  let gap = -1;
  let i = 0;
  if (text.charCodeAt(0) === COLON && text.charCodeAt(1) !== COLON) return false;
  while (i < text.length) {
    if (text.charCodeAt(i) === COLON && text.charCodeAt(i + 1) === COLON) {
      if (gap >= 0) return false;
      gap = count;
      i += 2;
      continue;
    }
    // Between two groups; `::` was read already.
    if (count > 0 && gap !== count) {
      if (text.charCodeAt(i) !== COLON) return false;
      i++;
    }
    if (count === 8) return false;
    const start = i;
    let value = 0;
    for (; i < text.length; i++) {
      const digit = hexadecimal(text.charCodeAt(i));
      if (digit < 0) break;
      value = value * 16 + digit;
    }
    if (text.charCodeAt(i) === DOT) {
      const four = count <= 6 ? readFour(text, start) : -1;
      if (four < 0) return false;
      groups[count++] = four >>> 16;
      groups[count++] = four & 0xffff;
      break;
    }
    if (i === start || i - start > 4) return false;
    groups[count++] = value;
  }
  if (gap < 0 ? count !== 8 : count === 8) return false;
  const zeros = 8 - count;
  for (let word = 0; word < 4; word++)
    words[word] = groupAt(2 * word, gap, zeros) * 0x10000 + groupAt(2 * word + 1, gap, zeros);
  return true;
}

function groupAt(index: number, gap: number, zeros: number): number {
  if (gap < 0 || index < gap) return groups[index]!;
  return index < gap + zeros ? 0 : groups[index - zeros]!;
}

function hexadecimal(code: number): number {
  const digit = code - ZERO;
  if (digit >= 0 && digit <= 9) return digit;
  // Small letters and capitals differ in one bit.
  const letter = (code | 0x20) - 0x61;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}
