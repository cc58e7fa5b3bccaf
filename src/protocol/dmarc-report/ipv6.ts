/** IPv6 with all eight groups written out, as the report's schema requires; IPv4 unchanged. */
export function expandIpv6(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = dottedTail(address).split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].join(':');
}

/** RFC 4291 2.2: the last 32 bits may be written as IPv4. */
function dottedTail(address: string): string {
  const at = address.lastIndexOf(':') + 1;
  const octets = address.slice(at).split('.').map(Number);
  if (octets.length !== 4) return address;
  const [a, b, c, d] = octets as [number, number, number, number];
  return `${address.slice(0, at)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
