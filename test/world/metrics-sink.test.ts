import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENTS } from '../../src/catalogue.ts';
import { createEvents } from '../../src/world/events.ts';
import { METRIC_SERIES } from '../../src/world/limits.ts';
import { createMetrics } from '../../src/world/metrics-sink.ts';

test('a label that is no short word is counted as other, and series are bounded', async () => {
  const events = createEvents(
    EVENTS,
    () => 0,
    (error) => assert.fail(String(error)),
  );
  const metrics = createMetrics(events);
  events.emit('journal.unwritable', { reason: 'x"} 1\nzzinjected 1' as never, error: '' });
  for (let i = 0; i < 2 * METRIC_SERIES; i++) {
    events.emit('journal.unwritable', { reason: `made-up-${i}` as never, error: '' });
  }
  const { body } = await metrics.scrape();
  metrics.close();
  assert.doesNotMatch(body, /zzinjected/);
  assert.equal(body.match(/^postern_journal_unwritable_total\{/gm)?.length, METRIC_SERIES);
  assert.match(body, new RegExp(`reason="other"\\} ${METRIC_SERIES + 2}$`, 'm'));
});
