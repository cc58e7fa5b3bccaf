/**
 * What may be read of the settings while something is observed. Not covered: that a check asks for
 * nothing else of the world; its tests with a DNS zone count what it asks.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { CHECKS, screenSettings } from '../../src/screen/index.ts';
import { LOOKING } from '../../src/screen/looking.ts';
import type { Settings } from '../../src/settings/contract.ts';
import { content, type ScreenOptions, SERVER_ADDRESS, screening, transact } from './world.ts';

const MAY_BE_READ = new Set(LOOKING.map(({ setting }) => setting.key));

/** Throws for any setting but those of looking, as soon as the policies of a transaction are made. */
function guarded(settings: Settings, read: Set<string>): Settings {
  const open = settings.current();
  return {
    ...settings,
    current: () => ({
      ...open,
      get(setting, owner) {
        read.add(setting.key);
        if (MAY_BE_READ.has(setting.key)) return open.get(setting, owner);
        throw new Error(`${setting.key} was read while something was observed`);
      },
    }),
  };
}

const HEADER =
  'Authentication-Results: mx.postern.example; spf=pass\r\nFrom: "Jane Doe, x@exarnple.com" <ceo@exarnple.com>\r\nSender: bob@remote.example\r\nList-Id: <l.remote.example>\r\nDKIM-Signature: v=1; a=rsa-sha256; d=remote.example; s=s; h=from; bh=AAAA; b=AAAA\r\nSubject: hello\r\n\r\nHello.\r\n';

const SENDERS: readonly (readonly [who: string, options: ScreenOptions, from: string])[] = [
  ['a stranger', {}, 'bob@remote.example'],
  ['a stranger as one of us', {}, 'alice@example.com'],
  [
    'a stranger behind a relay',
    { settings: { 'authentication.trustedRelays': ['198.51.100.0/24'] } },
    'bob@remote.example',
  ],
  ['a domain mail server', { client: SERVER_ADDRESS }, 'alice@example.com'],
  ['an account', { account: 'alice@example.com' }, 'alice@example.com'],
  ['a device', { client: '10.1.2.3', pairs: [['example.com', '10.1.2.0/24']] }, 'alice@example.com'],
  [
    'a listed sender',
    { lists: [{ list: 'allow', kind: 'address', value: 'bob@remote.example' }] },
    'bob@remote.example',
  ],
];

for (const [who, options, from] of SENDERS) {
  test(`mail of ${who} is observed without any setting but those of looking`, async () => {
    const read = new Set<string>();
    const checks = CHECKS.map((check) => ({
      ...check,
      observe: (...[view, services]: Parameters<typeof check.observe>) =>
        check.observe(view, { ...services, settings: guarded(services.settings, read) }),
    }));
    const world = screening({ ...options, checks });
    const done = await transact(world, from, ['alice@example.com', 'bob@elsewhere.example'], content(HEADER));
    assert.equal(world.events.last('screen.defect')?.error, undefined);
    assert.ok(done.recipients.length === 2);
  });
}

test('each setting of looking exists and says what it decides', () => {
  for (const { setting, why } of LOOKING) {
    assert.equal(screenSettings[setting.key], setting);
    assert.ok(why.length > 20, setting.key);
  }
});
