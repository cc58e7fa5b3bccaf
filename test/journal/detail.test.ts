/** Evidence and findings on their way through the log's line: what is shared reads as if it were not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { detailText, type NamedRecipients, readDetail, readUnspoken } from '../../src/journal/detail.ts';
import { EVIDENCE_BYTES } from '../../src/journal/limits.ts';
import { renderShown } from '../../src/journal/render.ts';
import type { Evidence, Finding } from '../../src/model/finding.ts';
import type { JournalDetail, RecipientFindings } from '../../src/model/journal-detail.ts';

/** As earlier versions wrote it. */
function plainText({ evidence, findings, dialogue }: JournalDetail): string {
  return JSON.stringify({ evidence, findings, dialogue });
}

function shown(text: string, recipients: NamedRecipients): string {
  return renderShown({
    kind: 'message',
    id: 'M1',
    at: 0,
    direction: 'inbound',
    from: 'eve@remote.example',
    headerFrom: null,
    subject: null,
    messageId: null,
    client: null,
    sizeBytes: 60,
    sessionId: null,
    recipients: recipients.map((one) => ({ ...one, disposition: 'accept' })),
    detail: readDetail(JSON.parse(text), recipients),
    changes: [],
  });
}

const awkward = fc.constantFrom('"a b"@x.example', 'n@x', 'u0000', '\\@x', '$&@x.example', 'ü@x.example', 'x', '');
const address = fc.oneof(
  awkward,
  fc.integer({ min: 0, max: 30 }).map((n) => `user${n}@example.com`),
);
const word = fc.oneof(address, fc.constantFrom('\0', '\n', '\\u0000', ',"dialogue":"', 'for user1@example.com: '));
const finding: fc.Arbitrary<Finding> = fc.record({
  check: fc.constantFrom('spf', 'dkim', 'size'),
  outcome: fc.constantFrom('pass', 'fail', 'none', 'error'),
  code: fc.constantFrom('a', 'b'),
  text: word,
});
const seenOf = (own: string): fc.Arbitrary<Evidence> =>
  fc.record({
    who: fc.record({ address: fc.constant(own), policyDomain: word }),
    recipientExists: fc.record({ is: word }),
  });

const letters = fc
  .uniqueArray(address, { maxLength: 12 })
  .chain((addresses) =>
    fc.record({
      recipients: fc.constant(addresses.map((one) => ({ address: one }))),
      seen: fc.tuple(...addresses.map(seenOf)),
      found: fc.array(
        fc.record({
          recipient: fc.option(addresses.length > 0 ? fc.oneof(fc.constantFrom(...addresses), address) : address, {
            nil: undefined,
          }),
          findings: fc.array(finding, { maxLength: 3 }),
        }),
        { maxLength: 12 },
      ),
      about: fc.boolean(),
      dialogue: fc.option(word, { nil: undefined }),
    }),
  )
  .map(({ recipients, seen, found, about, dialogue }) => {
    const byAddress = Object.fromEntries(recipients.map((one, i) => [one.address, seen[i]!]));
    const detail: JournalDetail = {
      evidence: { ...(about && { about: { version: 2 } }), recipients: byAddress, spf: { made: true } },
      findings: found.map(
        (one): RecipientFindings =>
          one.recipient === undefined ? { findings: one.findings } : { ...one, recipient: one.recipient },
      ),
      ...(dialogue !== undefined && { dialogue }),
    };
    return { recipients, detail };
  });

test('whatever was seen and found of any recipients is shown as if nothing were shared, member by member', () => {
  fc.assert(
    fc.property(letters, ({ recipients, detail }) => {
      const text = detailText(detail, recipients);
      const plain = plainText(detail);
      assert.equal(JSON.stringify(readDetail(JSON.parse(text), recipients)), plain);
      assert.equal(shown(text, recipients), shown(plain, recipients));
      const { dialogue: _, ...unspoken } = detail;
      assert.equal(JSON.stringify(readUnspoken(text, recipients)), JSON.stringify(unspoken));
    }),
    { numRuns: 500 },
  );
});

function letterTo(count: number, text: (address: string, n: number) => string) {
  const recipients = Array.from({ length: count }, (_, n) => ({ address: `user${n}@example.com` }));
  const found = (own: string, n: number): Finding[] => [
    { check: 'spf', outcome: 'pass', code: 'pass', text: text(own, n) },
  ];
  const detail: JournalDetail = {
    evidence: {
      about: { version: 2 },
      recipients: Object.fromEntries(
        recipients.map(({ address: own }, n) => [own, { who: { address: own, said: text(own, n) } }]),
      ),
      spf: { made: true },
    },
    findings: recipients.map(({ address: own }, n) => ({ recipient: own, findings: found(own, n) })),
  };
  return { recipients, detail };
}

test('a thousand recipients who are treated alike take no more room than ten', () => {
  const text = (address: string): string => `${address} passes`;
  const [ten, thousand] = [letterTo(10, text), letterTo(1_000, text)];
  const [of10, of1000] = [ten, thousand].map(({ detail, recipients }) => detailText(detail, recipients).length);
  assert.ok(of1000! <= of10! + 8, `${of1000} against ${of10} characters`);
});

test('a sender who makes every recipient another case fills the line to its bound, and what is cut is counted', () => {
  const { recipients, detail } = letterTo(1_000, (_, n) => `${n} ${'ü'.repeat(50)}`);
  const text = detailText(detail, recipients);
  assert.ok(Buffer.byteLength(text) < EVIDENCE_BYTES + 300, `${Buffer.byteLength(text)} bytes`);
  const read = readDetail(JSON.parse(text), recipients);
  const kept = Object.keys(read.evidence['recipients']!).length;
  assert.ok(kept > 20 && read.findings.length > 20);
  assert.deepEqual(read.cut, { evidence: 1_000 - kept, findings: 1_000 - read.findings.length });
  assert.deepEqual(read.evidence['about'], { version: 2 });
  assert.match(shown(text, recipients), /\(\d+ more, not kept\)/);
});

test('a sender who makes the evidence of one recipient endless has it cut, with the small evidence beside it kept', () => {
  const { recipients, detail } = letterTo(1, () => 'passes');
  const evidence = { ...detail.evidence, dkim: { seen: 'x'.repeat(EVIDENCE_BYTES) } };
  const read = readDetail(JSON.parse(detailText({ ...detail, evidence }, recipients)), recipients);
  assert.deepEqual(read, { ...detail, cut: { evidence: 1 } });
});

test('a line of an earlier version is read as it was written', () => {
  const { recipients, detail } = letterTo(20, (_, n) => `${n}`);
  assert.deepEqual(readDetail(JSON.parse(plainText(detail)), recipients), detail);
});
