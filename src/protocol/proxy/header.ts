/**
 * The PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt): a proxy names its client.
 *
 * Pure and incremental: it receives all bytes so far and returns whether they are a header, may become one, or are
 * none. Bounded: a v1 line has at most 107 bytes, a v2 header at most V2_BYTES. Pass it only bytes from trusted
 * addresses.
 */
import { isIPv4, isIPv6 } from 'node:net';

export interface ProxyEndpoints {
  readonly source: { readonly address: string; readonly port: number };
  readonly destination: { readonly address: string; readonly port: number };
}

export type ProxyHeader =
  /** The bytes begin no header: this peer is the client itself. */
  | { readonly kind: 'none' }
  /** So far they may be one. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly reason: string }
  /**
   * `endpoints` absent: the proxy does not know its client, or (`local`) connects for itself. `length`: bytes of the
   * header.
   */
  | {
      readonly kind: 'header';
      readonly length: number;
      readonly version: 1 | 2;
      readonly endpoints?: ProxyEndpoints;
      readonly local?: true;
    };

/** The specification's bound on a v1 line, with CRLF. */
const V1_BYTES = 107;
/** 216 is the longest address block (AF_UNIX); TLVs of proxies in use stay far below this. */
const V2_BYTES = 2048;
const V1_MARK = Buffer.from('PROXY ');
const V2_MARK = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (begins(bytes, V1_MARK)) return bytes.length < V1_MARK.length ? { kind: 'incomplete' } : parseV1(bytes);
  if (begins(bytes, V2_MARK)) return bytes.length < 16 ? { kind: 'incomplete' } : parseV2(bytes);
  return { kind: 'none' };
}

/** The bytes equal the mark as far as both go. */
function begins(bytes: Buffer, mark: Buffer): boolean {
  const length = Math.min(bytes.length, mark.length);
  return bytes.compare(mark, 0, length, 0, length) === 0;
}

function parseV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_BYTES).indexOf('\r\n');
  if (end < 0) {
    return bytes.length < V1_BYTES ? { kind: 'incomplete' } : malformed('the line is longer than 107 bytes');
  }
  const length = end + 2;
  const [, family, source = '', destination = '', sourcePort = '', destinationPort = '', ...more] = bytes
    .toString('latin1', 0, end)
    .split(' ');
  if (family === 'UNKNOWN') return { kind: 'header', length, version: 1 };
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : undefined;
  if (!isAddress || more.length > 0) return malformed('the line is not TCP4, TCP6 or UNKNOWN with four fields');
  if (!isAddress(source) || !isAddress(destination)) return malformed('an address is not of its family');
  if (!isPort(sourcePort) || !isPort(destinationPort)) return malformed('a port is not a number below 65536');
  const endpoints = {
    source: { address: source.toLowerCase(), port: Number(sourcePort) },
    destination: { address: destination.toLowerCase(), port: Number(destinationPort) },
  };
  return { kind: 'header', length, version: 1, endpoints };
}

function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function parseV2(bytes: Buffer): ProxyHeader {
  const versionAndCommand = bytes[12]!;
  const family = bytes[13]!;
  const length = 16 + bytes.readUInt16BE(14);
  if (versionAndCommand >> 4 !== 2) return malformed('the version is not 2');
  if (length > V2_BYTES) return malformed(`the header is longer than ${V2_BYTES} bytes`);
  if (bytes.length < length) return { kind: 'incomplete' };
  const command = versionAndCommand & 0xf;
  if (command === 0) return { kind: 'header', length, version: 2, local: true };
  if (command !== 1) return malformed('the command is neither LOCAL nor PROXY');
  const block = bytes.subarray(16, length);
  // 0x11 and 0x21: TCP over IPv4 and IPv6. UNSPEC names no client; datagrams and UNIX sockets carry no SMTP.
  if (family === 0x11 && block.length >= 12) {
    return { kind: 'header', length, version: 2, endpoints: readEndpoints(block, 4, ipv4Text) };
  }
  if (family === 0x21 && block.length >= 36) {
    return { kind: 'header', length, version: 2, endpoints: readEndpoints(block, 16, ipv6Text) };
  }
  return family === 0
    ? { kind: 'header', length, version: 2 }
    : malformed('the address family is not TCP over IPv4 or IPv6, or its block is too short');
}

function readEndpoints(block: Buffer, size: number, toText: (bytes: Buffer) => string): ProxyEndpoints {
  return {
    source: { address: toText(block.subarray(0, size)), port: block.readUInt16BE(2 * size) },
    destination: { address: toText(block.subarray(size, 2 * size)), port: block.readUInt16BE(2 * size + 2) },
  };
}

function ipv4Text(bytes: Buffer): string {
  return bytes.join('.');
}

/** In the one form of RFC 5952, which the URL parser writes; IPv4-mapped addresses as IPv4. */
function ipv6Text(bytes: Buffer): string {
  const mapped = bytes.readUIntBE(0, 6) === 0 && bytes.readUInt32BE(6) === 0 && bytes.readUInt16BE(10) === 0xffff;
  if (mapped) return ipv4Text(bytes.subarray(12));
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(bytes.readUInt16BE(i).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

function malformed(reason: string): ProxyHeader {
  return { kind: 'malformed', reason };
}
