/** A defect while a verifier runs: mailauth calls it a temporary error, and a forger would pass as in DNS trouble. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Address } from '../../../../src/model/address.ts';
import { readAuthor } from '../../../../src/protocol/mime/author.ts';
import { createAsker } from '../../../../src/screen/checks/origin/ask.ts';
import { evaluate } from '../../../../src/screen/checks/origin/dmarc/evaluation.ts';
import { loadSpf } from '../../../../src/screen/checks/origin/mailauth.ts';
import { evaluateSpf } from '../../../../src/screen/checks/origin/spf/evaluation.ts';
import type { Resolver } from '../../../../src/world/resolver.ts';
import { manualClock } from '../../../support/clock.ts';
import { tableResolver } from './table-resolver.ts';

const HOP = { client: '192.0.2.1', helo: 'mail.remote.example' };
const SENDER = { local: 'boss', domain: 'bank.test', text: 'boss@bank.test' } as Address;
const DKIM = { made: true, signatures: [], unread: 0 } as const;

const broken: Resolver = {
  resolve() {
    throw new TypeError('cannot read properties of undefined');
  },
};
const silent = (): Resolver =>
  tableResolver({ 'bank.test': { fails: 'servfail' }, '_dmarc.bank.test': { fails: 'servfail' } });

const spfOf = (resolver: Resolver) =>
  evaluateSpf(HOP, SENDER, { resolver, hostname: 'gw.example.test', clock: manualClock() });
const dmarcOf = (resolver: Resolver) =>
  evaluate({ author: readAuthor(['boss@bank.test']), spf: undefined, dkim: DKIM }, createAsker(resolver), {
    resolver,
    clock: manualClock(),
  });

test('an attacker forges mail while a defect stops SPF and DMARC: it is thrown, and no temporary error of the domain', async () => {
  await assert.rejects(spfOf(broken), /SPF failed by itself: .*cannot read properties/);
  await assert.rejects(dmarcOf(broken), /DMARC failed by itself: .*cannot read properties/);
});

test('name servers that do not answer are a temporary error, and no defect', async () => {
  const { mail } = await spfOf(silent());
  assert.equal(mail.result, 'temperror');
  assert.equal((await dmarcOf(silent())).result, 'temperror');
});

test('an evaluation of SPF that has run out of time says so in the words by which it is known', async () => {
  const { spf } = await loadSpf();
  const { status } = await spf({
    sender: 'boss@bank.test',
    ip: '192.0.2.1',
    helo: 'mail.remote.example',
    mta: 'gw.example.test',
    resolver: () => new Promise(() => {}),
    strict: true,
    maxElapsedTime: 1,
  });
  assert.equal(status.result, 'temperror');
  assert.match(status.comment ?? '', /: SPF evaluation time limit exceeded$/);
});
