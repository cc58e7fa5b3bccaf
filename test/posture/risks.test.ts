/** What an operator allowed that the guide warns of, each with what it costs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { consequenceOf } from '../../src/posture/relay.ts';
import { relaySettings } from '../../src/screen/settings.ts';
import { said, world } from './support.ts';

test('a node as it comes takes no risk', async (t) => {
  const { results } = await world(t);
  for (const name of ['relay', 'lists', 'sign-in'] as const) assert.deepEqual(said(await results(name)), ['good good']);
  assert.deepEqual(await results('clients'), []);
});

test('relay: each exception that is on is told, with what it costs', async (t) => {
  const { results, settings } = await world(t);
  const { exceptAuthenticated: asItComes, onlyDomainServers, senderMustExist, exceptShielded, ...rest } = relaySettings;
  assert.equal(asItComes.default, true);
  for (const setting of Object.values(rest)) {
    assert.equal(setting.default, false);
    settings[setting.key] = true;
    const [told, ...others] = await results('relay');
    assert.deepEqual(others, []);
    assert.deepEqual(said([told!]), ['wrong exception important'], setting.key);
    assert.match(told!.seen, new RegExp(`^${setting.key} is on$`));
    assert.ok(setting.manual.toLowerCase().includes(`consequence: ${told!.why.toLowerCase()}`));
    settings[setting.key] = false;
  }
  for (const setting of [onlyDomainServers, senderMustExist]) {
    settings[setting.key] = false;
    assert.deepEqual(said(await results('relay')), ['wrong off important']);
    settings[setting.key] = true;
  }
  assert.match(consequenceOf(exceptShielded), /^Every device in that network/);
});

test('relay: pairs of IP shielding are told as what they are, and are no fault', async (t) => {
  const { results, risks, settings } = await world(t);
  risks.pairs = 2;
  assert.deepEqual(said(await results('relay')), ['good good', 'good shielded advice']);
  settings['relay.exceptShielded'] = false;
  assert.deepEqual(said(await results('relay')), ['good good']);
});

test('lists: an allow entry that covers a local address is told, those beyond twenty by their number', async (t) => {
  const { results, risks, settings } = await world(t);
  const entry = {
    list: 'allow',
    kind: 'address',
    comment: '',
    expires_at: null,
    covers_local: 1,
    created_at: 0,
  } as const;
  const entries = [
    { ...entry, owner: '', value: 'ceo@example.com' },
    { ...entry, owner: 'example.com', value: '*@example.com' },
  ];
  risks.allows = { entries, count: 30, addresses: 40 };
  const told = await results('lists');
  assert.deepEqual(said(told), Array(3).fill('wrong covers-local important'));
  assert.deepEqual(
    told.map(({ seen }) => seen),
    [
      'ceo@example.com is on the allow list',
      '*@example.com is on the allow list of example.com',
      '28 more entries cover local addresses',
    ],
  );
  settings['lists.provenAddresses'] = false;
  assert.equal(said(await results('lists')).at(-1), 'wrong unproven important');
});

test('sign-in: passwords in clear are a fault, those that are kept a risk', async (t) => {
  const { results, risks } = await world(t);
  risks.sealed = { logins: ['alice@example.com'], count: 3 };
  assert.deepEqual(said(await results('sign-in')), ['good cram-md5 advice', 'good cram-md5 advice']);
  risks.needsTls = false;
  assert.equal(said(await results('sign-in'))[0], 'wrong in-clear critical');
});

test('clients: a listener whose clients hide behind one address is told, with what is void for it', async (t) => {
  const { results, risks } = await world(t);
  risks.hidden = [{ port: 25, address: '172.17.0.1', known: 'gateway' }];
  const [told] = await results('clients');
  assert.deepEqual(said([told!]), ['wrong hidden important']);
  assert.match(told!.why, /presets of IP shielding/);
});

test('sign-in: claims of tokens that nobody verifies are told while tokens count for somebody', async (t) => {
  const { results, settings } = await world(t);
  settings['oauth.addressClaims'] = ['email', 'preferred_username'];
  assert.deepEqual(said(await results('sign-in')), ['good good']);
  settings['oauth.issuers'] = ['https://login.example client'];
  const [told] = await results('sign-in');
  assert.deepEqual(said([told!]), ['good unverified-claims advice']);
  assert.match(told!.seen, /by preferred_username, which/);
  settings['oauth.addressClaims'] = ['email'];
  assert.deepEqual(said(await results('sign-in')), ['good good']);
  settings['oauth.verifiedEmail'] = false;
  assert.equal(said(await results('sign-in'))[0], 'good unverified-claims advice');
});
