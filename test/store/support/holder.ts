/** A process that opens a store and holds it; with `until-it-works`, writes until a write succeeds, and ends. */

import { setTimeout } from 'node:timers/promises';
import { EVENTS } from '../../../src/catalogue.ts';
import { openStore } from '../../../src/store/open.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { createEvents } from '../../../src/world/events.ts';
import { systemRandom } from '../../../src/world/random.ts';
import { insert, thingTable } from './store.ts';

const events = createEvents(EVENTS, Date.now, console.error);
const seen: string[] = [];
events.attach((name) => seen.push(`event ${name}`));
const store = await openStore(process.argv[2]!, {
  clock: systemClock,
  random: systemRandom,
  events,
  migrations: [thingTable],
});
await store.database.write([insert(1)]);
console.log('holding');
if (process.argv[3] === undefined) await setTimeout(60_000);
for (let done = false; !done; ) {
  try {
    await store.database.write([insert(2)]);
    done = true;
  } catch (error) {
    console.log((error as { code?: string }).code);
    await setTimeout(5);
  }
}
console.log([...seen, 'done'].join('\n'));
await store.close();
