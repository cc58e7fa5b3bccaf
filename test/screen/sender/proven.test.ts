import assert from 'node:assert/strict';
import test from 'node:test';
import type { MessageEvidence } from '../../../src/screen/engine/evidence.ts';
import { isProvenPath } from '../../../src/screen/sender/proven.ts';
import { address } from '../world.ts';

const path = address('bob@remote.example');
const spf = (result: string, domain = 'remote.example', scope = 'mfrom') =>
  ({ made: true, mail: { scope, result, domain } }) as never;
const isProven = (evidence: Record<string, unknown>, headerFrom = 'bob@remote.example'): boolean =>
  isProvenPath(path, evidence as MessageEvidence, { headerFrom });

test('a reverse-path is proven by SPF of its domain, here or behind a relay of ours, and by DMARC of the same address', () => {
  assert.ok(isProven({ spf: spf('pass') }));
  assert.ok(isProven({ spf: { made: false, why: 'later' }, spfRelayed: spf('pass') }));
  assert.ok(isProven({ spf: spf('none'), dmarc: { made: true, result: 'pass' } }, 'Bob@remote.example'));
});

test('an attacker sends a signed message on, passes SPF for HELO or another domain, or is not verified: his path is not proven', () => {
  for (const evidence of [
    {},
    { spf: { made: false, why: 'off' } },
    { spf: spf('softfail'), dkim: { made: true, signatures: [{ domain: 'remote.example', result: 'pass' }] } },
    { spf: spf('pass', 'other.example') },
    { spf: spf('pass', 'remote.example', 'helo') },
    { spf: spf('temperror') },
    { dmarc: { made: true, result: 'fail' } },
  ])
    assert.equal(isProven(evidence), false, JSON.stringify(evidence));
  assert.equal(isProven({ dmarc: { made: true, result: 'pass' } }, 'alice@remote.example'), false);
  assert.equal(isProvenPath(null, { spf: spf('pass') }, {}), false);
});
