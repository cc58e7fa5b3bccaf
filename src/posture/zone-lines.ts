/** Records in the form of a zone file (RFC 1035 5.1), to be copied unchanged. */
import { POSTURE_LIMITS } from './limits.ts';

const TTL_SECONDS = 3600;

export function zoneLine(name: string, type: 'A' | 'AAAA' | 'MX' | 'PTR', data: string): string {
  return `${name}. ${TTL_SECONDS} IN ${type} ${data}`;
}

/** In as many character-strings as necessary. */
export function txtLine(name: string, text: string): string {
  const strings: string[] = [];
  for (let at = 0; at < text.length || at === 0; at += POSTURE_LIMITS.stringBytes)
    strings.push(quoted(text.slice(at, at + POSTURE_LIMITS.stringBytes)));
  return `${name}. ${TTL_SECONDS} IN TXT ${strings.join(' ')}`;
}

function quoted(string: string): string {
  return `"${string.replace(/["\\]/g, '\\$&').replace(/[^ -~]/g, (character) => `\\${String(character.charCodeAt(0) & 0xff).padStart(3, '0')}`)}"`;
}
