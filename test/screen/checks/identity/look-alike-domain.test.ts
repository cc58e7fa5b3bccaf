import assert from 'node:assert/strict';
import { test } from 'node:test';
import { domainToASCII } from 'node:url';
import fc from 'fast-check';
import type { Identities } from '../../../../src/directory/addresses/identities.ts';
import { createDomainIndex } from '../../../../src/screen/checks/identity/domain-index.ts';
import { readHost } from '../../../../src/screen/checks/identity/hosts.ts';
import { lookAlikeDomain } from '../../../../src/screen/checks/identity/look-alike-domain.ts';
import { content, SERVER_ADDRESS, screening, transact } from '../../world.ts';
import { screened } from './screened.ts';

const index = createDomainIndex(['example.com', 'my-bank.co.uk', 'abc.de'], ['partner.example']);
const likeness = (domain: string): string | undefined => {
  const host = readHost(domain);
  const match = host && index.find(host);
  return match && `${match.like} ${match.how}`;
};

for (const [move, domain, expected] of [
  ['registers Cyrillic letters', domainToASCII('еxаmple.com'), 'example.com confusable'],
  ['registers a one for an l', 'examp1e.com', 'example.com confusable'],
  ['registers rn for m', 'exarnple.com', 'example.com confusable'],
  ['registers accents', domainToASCII('éxample.com'), 'example.com confusable'],
  ['leaves out a letter', 'exmple.com', 'example.com edited'],
  ['doubles a letter', 'exxample.com', 'example.com edited'],
  ['swaps two letters', 'exmaple.com', 'example.com edited'],
  ['takes another suffix', 'example.co', 'example.com other-suffix'],
  ['takes another suffix of two labels', 'example.co.uk', 'example.com other-suffix'],
  ['puts a hyphen in', 'ex-ample.com', 'example.com hyphens'],
  ['leaves a hyphen out', 'mybank.co.uk', 'my-bank.co.uk hyphens'],
  ['adds a word behind a hyphen', 'example-login.net', 'example.com added-words'],
  ['adds a word before a hyphen', 'secure-example.com', 'example.com added-words'],
  ['adds a word without a hyphen', 'examplesupport.com', 'example.com added-words'],
  ['adds words to a name of two', 'verify-my-bank.com', 'my-bank.co.uk added-words'],
  ['names the domain below his own', 'example.com.login.evil.net', 'example.com embedded'],
  ['names it with a hyphen below his own', 'example-com.evil.net', 'example.com embedded'],
  ['looks like a correspondent', 'partnar.example', 'partner.example edited'],
] as const) {
  test(`a stranger who ${move} is noticed`, () => assert.equal(likeness(domain), expected));
}

test('our domains, what is below them, and domains that are just other are not suspected', () => {
  for (const domain of [
    ...['example.com', 'mail.example.com', 'a.b.example.com', 'my-bank.co.uk', 'partner.example', 'abc.de'],
    ...['gmail.com', 'sample.org', 'abd.de', 'ab.de', 'co.uk', 'localhost', '[192.0.2.1]', '', 'x'.repeat(300)],
    ...['samples.com', 'temple.com', 'bank.co.uk', 'newsletter.other.net'],
  ])
    assert.equal(likeness(domain), undefined, domain);
});

const screen = (from: string, options: Parameters<typeof screened>[2] = {}) => screened(lookAlikeDomain, from, options);

test('the look-alike counts in From and in the reverse-path, and the message is scored', async () => {
  const { findings, disposition } = await screen('Jane <jane@examp1e.com>');
  assert.deepEqual([findings[0]?.code, findings[0]?.score, disposition], ['own-domain', 3, 'accept']);
  assert.equal((await screen('a@other.example', { reversePath: 'b@exmaple.com' })).code, 'own-domain');
  assert.equal((await screen('a@other.example', { reversePath: null })).code, undefined);
});

test('our own domain counts as a look-alike of itself where characters are hidden in it', async () => {
  for (const from of ['jane@exam\u200bple.com', 'jane@\uff45xample.com', 'jane@mail.exam\u00adple.com']) {
    const { findings } = await screen(from);
    assert.equal(findings[0]?.code, 'own-domain', from);
    assert.match(findings[0]!.text!, /\\u\{[0-9a-f]+\}.* looks like example\.com/);
  }
  assert.equal((await screen('jane@example.com')).code, undefined);
  assert.equal((await screen('jane@exam\u200bpl.org')).code, undefined);
});

test('a domain we often write to is compared with, and never suspected itself', async () => {
  const writtenTo = { 'partner.example': 5, 'exampla.com': 5 };
  assert.equal((await screen('a@partnar.example', { writtenTo })).code, 'correspondent');
  assert.equal((await screen('a@exampla.com', { writtenTo })).code, undefined);
  assert.equal((await screen('a@mail.partner.example', { writtenTo })).code, undefined);
  const few = { writtenTo: { 'partner.example': 4 } };
  assert.equal((await screen('a@partnar.example', few)).code, undefined);
  const ignored = { writtenTo, settings: { 'example.com/lookAlikeDomain.correspondents': 'ignore' } };
  assert.equal((await screen('a@partnar.example', ignored)).code, undefined);
});

test('a domain or a kind of likeness that the administrator allows is not suspected', async () => {
  const allowed = { settings: { 'lookAlikeDomain.allowed': ['exmaple.com'] } };
  assert.equal((await screen('a@mail.exmaple.com', allowed)).code, undefined);
  const ignored = { settings: { 'example.com/lookAlikeDomain.ignoredKinds': ['other-suffix'] } };
  assert.equal((await screen('a@example.net', ignored)).code, undefined);
  assert.equal((await screen('a@exmaple.com', ignored)).code, 'own-domain');
});

test('mail that goes out makes its recipients’ domains known, and automatic answers do not', async () => {
  const world = screening({ client: SERVER_ADDRESS, checks: [lookAlikeDomain] });
  const letter = content('From: alice@example.com\r\n\r\nHello.\r\n');
  const to = ['bob@mail.partner.example', 'carol@partner.example', 'alice@example.com'];
  await transact(world, 'alice@example.com', to, letter);
  await transact(world, null, ['bob@stranger.example'], letter);
  assert.deepEqual(world.correspondents.frequent(1), ['partner.example']);
  assert.ok(!world.correspondents.knows('partner.example', 2), 'a domain counts once a message');
});

test('no domain is suspected to be like itself, and none makes the comparison throw', async () => {
  await fc.assert(
    fc.property(fc.domain(), fc.string({ unit: 'binary', maxLength: 80 }), (domain, junk) => {
      const own: Identities = { domains: [domain], people: [] };
      const host = readHost(domain);
      if (host) assert.equal(createDomainIndex(own.domains, []).find(host), undefined);
      const odd = readHost(junk);
      if (odd) index.find(odd);
    }),
    { numRuns: 150 },
  );
});
