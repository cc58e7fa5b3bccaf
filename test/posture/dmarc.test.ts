import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isDmarcRecord, readDmarcRecord, reportDomain } from '../../src/posture/dmarc-record.ts';
import { parseTagList } from '../../src/posture/tag-list.ts';
import type { ZoneName } from '../support/zone.ts';
import { DOMAIN, said, world } from './support.ts';

const NAME = `_dmarc.${DOMAIN}`;
const published = (...records: readonly string[]): Record<string, ZoneName> => ({ [NAME]: { TXT: records } });
const RUA = 'rua=mailto:d@example.com';

const CASES: readonly (readonly [claim: string, records: Record<string, ZoneName>, says: readonly string[]])[] = [
  ['p=reject with reports is good', {}, ['good good']],
  ['p=quarantine is good too', published(`v=DMARC1;p=quarantine;${RUA}`), ['good good']],
  ['no record is told', { [NAME]: {} }, ['wrong missing important']],
  ['two records are told', published('v=DMARC1; p=none', 'v=DMARC1; p=reject'), ['wrong several critical']],
  ['a record that does not begin as one is told', published('v=dmarc1; p=reject'), ['wrong malformed critical']],
  ['a mistyped policy is told', published(`v=DMARC1; p=rejct; ${RUA}`), ['wrong faulty critical']],
  ['a missing policy is told', published(`v=DMARC1; ${RUA}`), ['wrong faulty critical']],
  ['a tag that stands there twice is told', published(`v=DMARC1; p=none; p=reject; ${RUA}`), ['wrong faulty critical']],
  ['an address without mailto: is told', published('v=DMARC1; p=reject; rua=d@example.com'), ['wrong faulty critical']],
  ['p=none is advised to go on', published(`v=DMARC1; p=none; ${RUA}`), ['good good', 'good policy-none advice']],
  ['t=y is advised to end', published(`v=DMARC1; p=reject; t=y; ${RUA}`), ['good good', 'good testing advice']],
  [
    'a weaker sp is advised against',
    published(`v=DMARC1; p=reject; sp=none; ${RUA}`),
    ['good good', 'good weak-subdomains advice'],
  ],
  ['reports are advised', published('v=DMARC1; p=reject'), ['good good', 'good no-reports advice']],
  [
    'obsolete tags are told',
    published(`v=DMARC1; p=reject; pct=50; ${RUA}`),
    ['good good', 'good ignored-tags advice'],
  ],
  [
    'the record of a public suffix does not stand in for one of its own',
    { [NAME]: {}, '_dmarc.com': { TXT: [`v=DMARC1; p=reject; psd=y; ${RUA}`] } },
    ['wrong missing important'],
  ],
  ['a name that the DNS cannot tell is no fault', { [NAME]: { fault: 'SERVFAIL' } }, ['cannot-tell cannot-tell']],
  [
    'a parent that the DNS cannot tell is no fault',
    { [NAME]: {}, '_dmarc.com': { fault: 'SERVFAIL' } },
    ['cannot-tell cannot-tell'],
  ],
];

for (const [claim, records, says] of CASES) {
  test(`DMARC: ${claim}`, async (t) => {
    const { results } = await world(t, records);
    const found = await results('dmarc');
    assert.deepEqual(said(found), says, JSON.stringify(found, null, 2));
  });
}

const EXTERNAL = published('v=DMARC1; p=reject; rua=mailto:x@reports.other.example');
const AUTHORISATION = `${DOMAIN}._report._dmarc.reports.other.example`;

for (const [claim, records, says] of [
  [
    'reports to another organisation that does not want them are told',
    {},
    ['good good', 'wrong reports-not-authorised important'],
  ],
  [
    'reports to another organisation that wants them are good',
    { [AUTHORISATION]: { TXT: ['v=DMARC1'] } },
    ['good good'],
  ],
  [
    'whether another organisation wants reports may be impossible to tell',
    { [AUTHORISATION]: { fault: 'SERVFAIL' } },
    ['good good', 'cannot-tell cannot-tell'],
  ],
] as const) {
  test(`DMARC: ${claim}`, async (t) => {
    const { results } = await world(t, { ...EXTERNAL, ...records });
    assert.deepEqual(said(await results('dmarc')), says);
  });
}

test('DMARC: reports within the organisation need no consent', async (t) => {
  const { results } = await world(t, {
    [NAME]: { TXT: ['v=DMARC1; p=reject; rua=mailto:x@reports.example.com'] },
  });
  assert.deepEqual(said(await results('dmarc')), ['good good']);
});

test('DMARC: the record of the organisation holds for a subdomain without its own, with its sp', async (t) => {
  const { posture } = await world(t, published(`v=DMARC1; p=reject; sp=none; ${RUA}`));
  const { results } = await posture.checkDomain('sub.example.com');
  const dmarc = results.filter(({ test: name }) => name === 'dmarc');
  assert.deepEqual(said(dmarc), ['good good', 'good policy-none advice']);
  assert.match(dmarc[1]!.publish[0]!, /^_dmarc\.example\.com\. .*p=reject; sp=quarantine;/);
  assert.match(dmarc[0]!.seen, /\(of example\.com\)$/);
});

test('DMARC: each piece of advice comes with the record as it should be', async (t) => {
  const { results } = await world(t, published('v=DMARC1; p=none; t=y; adkim=s'));
  const publish = Object.fromEntries((await results('dmarc')).map(({ code, publish: [line] }) => [code, line]));
  assert.equal(publish['policy-none'], '_dmarc.example.com. 3600 IN TXT "v=DMARC1; p=quarantine; t=y; adkim=s"');
  assert.equal(publish['testing'], '_dmarc.example.com. 3600 IN TXT "v=DMARC1; p=none; adkim=s"');
  assert.match(publish['no-reports']!, /; rua=mailto:dmarc-reports@example\.com"$/);
});

test('a tag list of any text is read without throwing, and what was written comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const { tags, broken } = parseTagList(text);
      assert.ok(tags.length + broken.length <= text.split(';').length);
      readDmarcRecord(text);
      isDmarcRecord(text);
      reportDomain(text);
    }),
    { numRuns: 500 },
  );
  const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,10}$/);
  const value = fc.stringMatching(/^[!-:<-~]{0,20}$/);
  const pad = fc.stringMatching(/^[ \t]{0,2}$/);
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 8 }),
      pad,
      (pairs, space) => {
        const text = pairs.map(([key, content]) => `${space}${key}${space}=${space}${content}${space}`).join(';');
        const list = parseTagList(text);
        assert.deepEqual(
          list.tags.map(({ name: key, value: content }) => [key, content]),
          pairs,
        );
        assert.deepEqual([list.repeated, list.broken], [[], []]);
      },
    ),
    { numRuns: 300 },
  );
});

test('every record that the tags allow has no fault, and keeps its meaning', () => {
  const policy = fc.constantFrom('none', 'quarantine', 'reject');
  fc.assert(
    fc.property(policy, fc.option(policy), fc.constantFrom('y', 'n'), fc.constantFrom('r', 's'), (p, sp, t, mode) => {
      const text = `v=DMARC1; p=${p}${sp ? `; sp=${sp}` : ''}; t=${t}; adkim=${mode}; fo=1:d:s; rua=mailto:a@b.example!10m, mailto:c@d.example`;
      const view = readDmarcRecord(text);
      assert.deepEqual([view.faults, view.p, view.sp ?? null, view.isTesting], [[], p, sp, t === 'y']);
      assert.deepEqual(view.rua.map(reportDomain), ['b.example', 'd.example']);
    }),
  );
});
