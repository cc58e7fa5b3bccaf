/** How tests ask a source: by an address as text, with a dialogue to read afterwards. */

import type { SourceServices } from '../../../src/directory/sources/contract.ts';
import { createDialogue } from '../../../src/directory/sources/dialogue.ts';
import { parseAddress } from '../../../src/protocol/smtp/address.ts';
import type { Clock } from '../../../src/world/clock.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { createHostResolver } from '../../../src/world/hosts-file.ts';
import { systemRandom } from '../../../src/world/random.ts';

export function address(text: string) {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new Error(`not an address: ${text}`);
  return parsed.value;
}

export function question(text: string, signal: AbortSignal = new AbortController().signal) {
  return { address: address(text), dialogue: createDialogue(), signal };
}

/** Host names are addresses here: no name server is asked. */
export function services(clock: Clock = systemClock): SourceServices {
  const resolver = { resolve: async () => ({ kind: 'unknown', reason: 'unreachable' }) as const };
  const resolveHost = createHostResolver({ resolver, clock });
  return { clock, random: systemRandom, hostname: 'mx.postern.example', resolveHost };
}
