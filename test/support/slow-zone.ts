/** Records of a zone below which every name times out, like an attacker's name servers. */
import type { ZoneName } from './zone.ts';

const HANGS: ZoneName = Object.freeze({ fault: 'TIMEOUT' });

/** `hangs`: by default every name that has `slow` as a label. */
export function withSlowNames(
  records: Record<string, ZoneName>,
  hangs: (name: string) => boolean = (name) => name.split('.').includes('slow'),
): Record<string, ZoneName> {
  return new Proxy(records, {
    get: (known, name) => (typeof name === 'string' && hangs(name) ? HANGS : Reflect.get(known, name)),
  });
}
