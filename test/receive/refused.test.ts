/** What the journal's row of a transaction has of the recipients that were refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MessageRecord } from '../../src/journal/contract.ts';
import { messageRow, rowCharacters } from '../../src/journal/record.ts';
import type { Reply } from '../../src/model/reply.ts';
import { REFUSED_WHOLE } from '../../src/receive/limits.ts';
import { ENVELOPE, held } from '../support/receive/held.ts';
import { startReceiver, type TestReceiverOptions } from '../support/receive/services.ts';

const LONG = `${'z'.repeat(60)}.`.repeat(3);

const refuseWith =
  (reply: (n: number) => Reply): NonNullable<TestReceiverOptions['onRecipient']> =>
  ({ address }) => {
    const n = Number(/^\D*(\d+)@/.exec(address.text)?.[1] ?? -1);
    if (n < 0) return undefined;
    const text = `<${address.text}> is refused`;
    return {
      accepted: false,
      reply: { ...reply(n), text },
      findings: [{ check: 'unknown', outcome: 'fail', code: 'unknown', text, action: 'refuse' }],
    };
  };

const UNKNOWN = { code: 550, enhanced: '5.1.1', text: '' } as const;
const LATER = { code: 451, enhanced: '4.7.1', text: '' } as const;

function rcpts(addresses: readonly string[], code: number): string {
  return addresses.map((address) => `\n    C: RCPT TO:<${address}>\n    S: ${code}`).join('');
}

function named({ recipients }: MessageRecord): readonly string[] {
  return recipients.filter(({ disposition }) => disposition !== 'accept').map(({ address }) => address);
}

test('an accepted message that carries 99 refused recipients of 900 bytes has a short row', async (t) => {
  const node = await startReceiver(t, { onRecipient: refuseWith(() => UNKNOWN) });
  const long = Array.from({ length: 99 }, (_, i) => `${'y'.repeat(50)}${i}@${LONG}example.com`);
  await held(
    node,
    `${ENVELOPE}${rcpts(long, 550)}
    C: DATA
    S: 354
    C: .
    S: 250
    `,
  );
  const [row] = node.messages;
  assert.ok(node.committed.length === 1 && row);
  const size = rowCharacters(messageRow(row));
  assert.ok(size < 40 * 1024, `${size} characters`);
  const last = row.recipients.at(-1)!;
  assert.match(last.address, /^\(\d+ more\)$/);
  assert.match(last.reason!, /^\d+ times 550 5\.1\.1$/);
  const counted = Number(/\d+/.exec(last.address)![0]);
  assert.equal(counted + named(row).length - 1, 99, 'each is named or counted');
});

test('recipients that are put off by the thousand are counted in the row of the message', async (t) => {
  const node = await startReceiver(t, {
    onRecipient: refuseWith((n) => (n % 2 === 0 ? LATER : { ...LATER, code: 450 })),
  });
  const many = Array.from({ length: 1_000 }, (_, i) => `u${i}@example.com`);
  const lines = many.map((address, i) => rcpts([address], i % 2 === 0 ? 451 : 450)).join('');
  await held(node, `${ENVELOPE}${lines}\n    C: RSET\n    S: 250\n`);
  const [row] = node.messages;
  assert.ok(row);
  assert.equal(row.replies?.length, 1_000, 'a counted row would name all');
  assert.equal(row.recipients.at(-1)?.disposition, 'defer');
  assert.ok(rowCharacters(messageRow(row)) < 40 * 1024);
});

test('a list with people who left has each of them in its row, with what was found of the first', async (t) => {
  const node = await startReceiver(t, { onRecipient: refuseWith(() => UNKNOWN) });
  const gone = Array.from({ length: 40 }, (_, i) => `user.name${i}@example.com`);
  await held(
    node,
    `${ENVELOPE}${rcpts(gone, 550)}
    C: DATA
    S: 354
    C: .
    S: 250
    `,
  );
  const [row] = node.messages;
  assert.deepEqual(row && named(row), gone);
  assert.equal(row?.recipients.find(({ address }) => address === gone[0])?.reason, `<${gone[0]}> is refused`);
  assert.equal(row?.recipients.find(({ address }) => address === gone[39])?.reason, '550 5.1.1');
  const found = row?.detail.findings.filter(({ recipient }) => gone.includes(recipient ?? ''));
  assert.equal(found?.length, REFUSED_WHOLE.recipients);
});
