/** Recipients: which are taken, put off or refused, and what becomes of a message for several. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '../../src/protocol/smtp/address.ts';
import { BEGIN, ENVELOPE, held } from '../support/receive/held.ts';
import { acceptAll, decide, startReceiver } from '../support/receive/services.ts';

test('postmaster is accepted without a domain', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `${BEGIN}
    C: MAIL FROM:<>
    S: 250
    C: RCPT TO:<Postmaster>
    S: 250 2.1.5
    C: RCPT TO:<alice>
    S: 501 5.1.3
  `,
  );
});

test('malformed addresses get the status of whose they are', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `${BEGIN}
    C: MAIL LALA:<>
    S: 501 5.5.4
    C: MAIL FROM:<a b@c.example>
    S: 501 5.1.7
    C: MAIL FROM:<a@xn--->
    S: 501 5.1.8
    C: MAIL FROM:<> FOO=bar
    S: 555 5.5.4
    C: MAIL FROM:<>
    S: 250
    C: RCPT TO:<a@[1.2.3]>
    S: 501 5.1.3
    C: RCPT TO:<a@xn--->
    S: 501 5.1.2
    C: RCPT TO:<alice@example.com> NOTIFY=NEVER,DELAY
    S: 501 5.5.4
  `,
  );
});

test('recipients beyond the limit are put off, twice the same is one', async (t) => {
  const node = await startReceiver(t, { settings: { 'smtp.maxRecipients': 2 } });
  await held(
    node,
    `${ENVELOPE}
    C: RCPT TO:<alice@example.com>
    S: 250
    C: RCPT TO:<bob@example.com>
    S: 250
    C: RCPT TO:<carol@example.com>
    S: 452 4.5.3
    C: DATA
    S: 354
    C: .
    S: 250
  `,
  );
  assert.deepEqual(
    node.committed[0]?.recipients.map(({ address }) => address.text),
    ['alice@example.com', 'bob@example.com'],
  );
  assert.doesNotMatch(node.committed[0].trace, /for </);
});

test('with split policies a second domain comes in a message of its own', async (t) => {
  const node = await startReceiver(t, { settings: { 'receive.splitPolicies': true } });
  await held(
    node,
    `
    S: 220
    C: EHLO client.example
    S: 250 .. RCPTDOMAINMAX=1
    C: MAIL FROM:<>
    S: 250
    C: RCPT TO:<alice@example.com>
    S: 250
    C: RCPT TO:<alice@example.org>
    S: 452 4.5.3
    C: RCPT TO:<bob@example.com>
    S: 250
  `,
  );
});

test('with split policies domains of one policy share a message', async (t) => {
  const node = await startReceiver(t, { settings: { 'receive.splitPolicies': true }, haveOnePolicy: () => true });
  await held(
    node,
    `
    S: 220
    C: EHLO client.example
    S: 250
    C: MAIL FROM:<>
    S: 250
    C: RCPT TO:<alice@example.com>
    S: 250
    C: RCPT TO:<alice@example.org>
    S: 250
  `,
  );
});

test('each recipient gets its own disposition', async (t) => {
  const other = parseAddress('archive@example.org');
  assert.ok(other.ok);
  const node = await startReceiver(t, {
    onRecipient(recipient) {
      const verdict = decide(recipient);
      const isTeam = recipient.address.local === 'team' && verdict.accepted;
      return isTeam ? { ...verdict, targets: [recipient.address, other.value], viaAlias: true } : verdict;
    },
    onMessage: (envelope) => ({
      ...acceptAll(envelope),
      kind: 'commit',
      dispositions: [
        { kind: 'accept' },
        { kind: 'hold', class: 'user', reason: 'spam', by: { check: 'spam', code: 'score' } },
        { kind: 'redirect', to: 'trap@example.org', reason: 'watched' },
        { kind: 'discard', reason: 'virus' },
        { kind: 'refuse', reply: { code: 550, text: 'no' }, reason: 'unwanted' },
      ],
      edits: [[{ kind: 'prepend', raw: 'X: y\r\n' }], [], [], [], []],
    }),
  });
  await held(
    node,
    `${BEGIN}
    C: MAIL FROM:<a@client.example>\\r\\nRCPT TO:<team@example.com>\\r\\nRCPT TO:<b@example.com>\\r\\nRCPT TO:<nobody@example.com>\\r\\nRCPT TO:<c@example.com>\\r\\nRCPT TO:<d@example.com>\\r\\nRCPT TO:<e@example.com>\\r\\nDATA
    S: 250
    S: 250
    S: 250
    S: 550
    S: 250
    S: 250
    S: 250
    S: 354
    C: .
    S: 250
  `,
  );
  assert.deepEqual(
    node.committed[0]?.recipients.map(({ address, original, state, expanded, edits }) => [
      address.text,
      original.text,
      state,
      expanded,
      edits?.length,
    ]),
    [
      ['team@example.com', 'team@example.com', 'queued', true, 1],
      ['archive@example.org', 'team@example.com', 'queued', true, 1],
      [
        'b@example.com',
        'b@example.com',
        { held: 'user', reason: 'spam', by: { check: 'spam', code: 'score' } },
        undefined,
        undefined,
      ],
      ['trap@example.org', 'c@example.com', 'queued', undefined, undefined],
      ['d@example.com', 'd@example.com', { discarded: 'virus' }, undefined, undefined],
      ['e@example.com', 'e@example.com', { held: 'admin', reason: 'late refusal: unwanted' }, undefined, undefined],
    ],
  );
  assert.deepEqual(
    node.messages[0]?.recipients.map(({ address, disposition }) => `${address} ${disposition}`),
    [
      'team@example.com accept',
      'archive@example.org accept',
      'b@example.com hold',
      'trap@example.org redirect',
      'd@example.com discard',
      'e@example.com refuse',
      'nobody@example.com refuse',
    ],
  );
});

test('a message refused as a whole is answered by the screen and leaves its row', async (t) => {
  const node = await startReceiver(t, {
    onMessage: () => ({ kind: 'reply', reply: { code: 550, enhanced: '5.7.1', text: 'spam' }, findings: [] }),
  });
  await held(
    node,
    `${ENVELOPE}
    C: DATA
    S: 354
    C: .
    S: 550 5.7.1
    C: RSET
    S: 250
  `,
  );
  assert.equal(node.messages.length, 1);
  const [row] = node.messages;
  assert.equal(row?.direction, 'refused');
  assert.deepEqual(row.recipients, [{ address: 'alice@example.com', disposition: 'refuse', reason: 'spam' }]);
  assert.equal(row.detail.subject, 'as screened');
  assert.match(
    row.detail.dialogue!,
    /^C: MAIL FROM:<a@client\.example>\nS: 250 2\.1\.0.*\nC: RCPT.*\nS: 250.*\nC: DATA\nS: 354.*\nC: \(0 octets\)\nS: 550 5\.7\.1 spam\n$/,
  );
});

test('a transaction in which every recipient was refused leaves one row', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `${BEGIN}
    C: MAIL FROM:<a@client.example>
    S: 250
    C: RCPT TO:<bob@elsewhere.example>
    S: 550 5.7.1
    C: RCPT TO:<nobody@example.com>
    S: 550 5.1.1
    C: QUIT
    S: 221
  `,
  );
  assert.deepEqual(
    node.messages.map(({ direction, from, recipients }) => ({
      direction,
      from,
      to: recipients.map(({ reason }) => reason),
    })),
    [{ direction: 'refused', from: 'a@client.example', to: ['relaying denied', 'no such user'] }],
  );
});
