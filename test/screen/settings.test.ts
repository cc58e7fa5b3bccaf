import assert from 'node:assert/strict';
import test from 'node:test';
import { CHECKS, screenSettings } from '../../src/screen/index.ts';

test('every setting of screening is listed once under its key, with a manual paragraph', () => {
  for (const [key, setting] of Object.entries(screenSettings)) {
    assert.equal(setting.key, key);
    assert.ok(setting.manual.length > 20, key);
  }
  for (const key of ['smtp.maxMessageBytes', 'smtp.maxHops', 'screen.messageSeconds', 'headerSanity.action'])
    assert.ok(key in screenSettings, key);
});

test('checks have ids of their own, and each names its page of the guide', () => {
  assert.equal(new Set(CHECKS.map(({ id }) => id)).size, CHECKS.length);
  assert.ok(!CHECKS.some(({ id }) => id === 'recipients'), 'the key under which evidence of recipients lies');
  assert.ok(CHECKS.every(({ guide }) => guide.length > 0));
});
