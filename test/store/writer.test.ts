import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WAITING_UNITS } from '../../src/store/limits.ts';
import type { Executor } from '../../src/store/sqlite/executor.ts';
import type { Unit } from '../../src/store/sqlite/units.ts';
import { createWriter } from '../../src/store/sqlite/writer.ts';
import { systemClock } from '../../src/world/clock.ts';

test('an attacker who sends faster than a hanging disk writes has the next put off, and nothing that waits is lost', async () => {
  let hangs = true;
  let wakeUp = (): void => {};
  const executor: Executor = {
    run(units, done) {
      const commit = (): void => done({ kind: 'committed', units: units.map(() => []) });
      if (hangs) wakeUp = commit;
      else setImmediate(commit);
    },
    reopen: async () => ({ kind: 'open' }),
    close: async () => {},
  };
  const health = { failed() {}, succeeded() {} };
  const writer = createWriter({ path: 'state.db', executor, clock: systemClock, health, onCorrupt() {} });
  const unit: Unit = [];
  const first = writer.write(unit);
  await new Promise((resolve) => setImmediate(resolve));
  const waiting = Array.from({ length: WAITING_UNITS }, () => writer.write(unit));
  await assert.rejects(writer.write(unit), { code: 'store.unavailable' });
  hangs = false;
  wakeUp();
  await Promise.all([first, ...waiting]);
  await writer.write(unit);
  await writer.close();
});
