import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SIGN_INS_AT_ONCE, SIGN_INS_OF_SITE } from '../../../src/directory/sources/limits.ts';
import { createSignIn, type SignInServices } from '../../../src/directory/sources/sign-in.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { systemRandom } from '../../../src/world/random.ts';
import { address } from '../support/questions.ts';

/** A domain with one source, which never answers. */
function signInAtASilentSource() {
  let asked = 0;
  const source = {
    id: 1,
    asker: {
      knowsPasswords: true,
      authenticate() {
        asked++;
        return new Promise(() => {});
      },
    },
  };
  const services = {
    table: { version: 1, of: () => [source] },
    directory: { domain: () => ({ enabled: true }) },
    enrolment: { account: async () => undefined },
    settings: { current: () => ({ version: 1, get: () => true }) },
    clock: systemClock,
    random: systemRandom,
  } as unknown as SignInServices;
  const signIn = createSignIn(services);
  const at = async (site: string, times: number, who: 'known' | 'unknown' = 'unknown'): Promise<number> => {
    const before = asked;
    for (let n = 0; n < times; n++) void signIn(address(`user${n}@example.com`), 'guess', who, site);
    await new Promise((resolve) => setImmediate(resolve));
    return asked - before;
  };
  return at;
}

test('an attacker who asks for sign-ins from one site has half of the places of strangers, others have the rest, and known users theirs', async () => {
  const at = signInAtASilentSource();
  const half = SIGN_INS_AT_ONCE / 2;
  assert.equal(await at('2001:db8:1::/48', 2 * SIGN_INS_AT_ONCE), half);
  assert.equal(await at('192.0.2.0/24', 2 * SIGN_INS_OF_SITE), SIGN_INS_OF_SITE);
  assert.equal(await at('198.51.100.0/24', 1), 1);
  assert.equal(await at('203.0.113.0/24', SIGN_INS_AT_ONCE + 5, 'known'), SIGN_INS_AT_ONCE);
});
