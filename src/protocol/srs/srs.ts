/**
 * Sender Rewriting Scheme: a reverse-path of ours that contains another one, so that forwarded mail passes SPF for
 * our domain and a bounce can be returned.
 *
 * `SRS0=hash=day=domain=local@forwarder` for a first hop, `SRS1=hash=domain==rest@forwarder` if the sender's address
 * is another forwarder's SRS already (M. Wong, "SRS: Sender Rewriting Scheme"). The hash prevents that others send
 * bounces through us to anyone; the day limits an address's life. Pure: key and day are passed in. Local parts are
 * compared without case, as relays may change it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
/** Days are two base-32 digits: they repeat after 1,024. */
const DAYS_ROUND = 1024;
/** 40 bits: the scheme's usual 20 could be guessed by a patient sender within the life of an address. */
const HASH_DIGITS = 8;

export interface SrsAddress {
  readonly local: string;
  readonly domain: string;
}

export type SrsReversal =
  | { readonly kind: 'valid'; readonly address: SrsAddress }
  /** Not an SRS address, or an SRS address of another form. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'forged' }
  | { readonly kind: 'expired' };

/** The local part, at our domain, that stands for `sender`. `day`: days since the epoch. */
export function srsForward(sender: SrsAddress, key: Uint8Array, day: number): string {
  const nested = /^srs([01])[=+-](.*)$/is.exec(sender.local);
  if (nested?.[1] === '0') return srs1(nested[2]!, sender.domain, key);
  const chained = nested ? /^[^=]+=([^=]+)==(.+)$/s.exec(nested[2]!) : null;
  // A third forwarder keeps the first one's name, so a chain grows no longer.
  if (chained) return srs1(chained[2]!, chained[1]!, key);
  const stamp = encodeDay(day);
  const payload = `${stamp}=${sender.domain}=${sender.local}`;
  return `SRS0=${hash(payload, key)}=${payload}`;
}

function srs1(rest: string, domain: string, key: Uint8Array): string {
  const payload = `${domain}==${rest}`;
  return `SRS1=${hash(payload, key)}=${payload}`;
}

/** The recipient of a bounce to `local`. `keys`: the current key and those still honoured. */
export function srsReverse(local: string, keys: readonly Uint8Array[], day: number, lifeDays: number): SrsReversal {
  const first = /^srs0[=+-]([^=]+)=(([^=]{2})=([^=]+)=(.+))$/is.exec(local);
  if (first) {
    const [, given, payload, stamp, domain, original] = first as unknown as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    if (!isOurs(given, payload, keys)) return { kind: 'forged' };
    const age = ageDays(stamp, day);
    if (age === undefined || age > lifeDays) return { kind: 'expired' };
    return { kind: 'valid', address: { local: original, domain } };
  }
  const chained = /^srs1[=+-]([^=]+)=(([^=]+)==(.+))$/is.exec(local);
  if (!chained) return { kind: 'foreign' };
  const [, given, payload, domain, rest] = chained as unknown as [string, string, string, string, string];
  if (!isOurs(given, payload, keys)) return { kind: 'forged' };
  return { kind: 'valid', address: { local: `SRS0=${rest}`, domain } };
}

function isOurs(given: string, payload: string, keys: readonly Uint8Array[]): boolean {
  const seen = Buffer.from(given.toLowerCase());
  return keys.some((key) => {
    const made = Buffer.from(hash(payload, key));
    return made.length === seen.length && timingSafeEqual(made, seen);
  });
}

function hash(payload: string, key: Uint8Array): string {
  const digest = createHmac('sha256', key).update(payload.toLowerCase()).digest();
  let text = '';
  for (let i = 0; i < HASH_DIGITS; i++) text += BASE32[digest[i]! & 31];
  return text;
}

function encodeDay(day: number): string {
  const round = day % DAYS_ROUND;
  return `${BASE32[round >> 5]}${BASE32[round & 31]}`;
}

/** How many days ago, modulo the cycle; a stamp of tomorrow (a peer's clock) counts as today. */
function ageDays(stamp: string, day: number): number | undefined {
  const high = BASE32.indexOf(stamp[0]!.toLowerCase());
  const low = BASE32.indexOf(stamp[1]!.toLowerCase());
  if (high < 0 || low < 0) return undefined;
  const age = (day - (high * 32 + low) + 2 * DAYS_ROUND) % DAYS_ROUND;
  return age === DAYS_ROUND - 1 ? 0 : age;
}
