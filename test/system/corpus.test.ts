import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { startSink } from '../../src/cli/demo/sink.ts';
import { SmtpConversation } from './support/client.ts';
import { corpusArchives, readCorpus, SUITES } from './support/corpus.ts';
import { startNode } from './support/node.ts';

const archives = corpusArchives();

/** Why a message of the corpus may be refused: anything else is a defect. */
function mayBeRefused(content: Buffer): RegExp | undefined {
  const text = content.toString('latin1');
  if (/\r(?!\n)/.test(text)) return /^5\d\d 5\.\d\.\d+ .*(bare|CR)/i;
  const header = text.slice(0, text.indexOf('\r\n\r\n'));
  if ((header.match(/^from:/gim) ?? []).length !== 1) return /^550 5\.\d\.\d+ .*From/i;
  return undefined;
}

/** A test of a whole archive takes more than its time on a busy machine. */
const MESSAGES_A_TEST = 280;
const parts = archives.flatMap((archive) => {
  const count = Math.ceil([...readCorpus(archive)].length / MESSAGES_A_TEST);
  return Array.from({ length: count }, (_, part) => ({ archive, part, count }));
});

for (const { archive, part, count } of parts) {
  test(`every message of ${basename(archive)} arrives byte-identical below the trace header (${part + 1} of ${count})`, {
    skip: archives.length === 0 && `no corpus in ${SUITES}`,
  }, async (t) => {
    const sink = await startSink();
    t.after(() => sink.close());
    const node = await startNode(t, {
      setup: [
        ['domain', 'add', 'example.com', '--server', `${sink.host}:${sink.port}`],
        ['user', 'add', 'alice@example.com'],
      ],
    });
    const sent = new Map<string, Buffer>();
    const refused: string[] = [];
    let client = await SmtpConversation.open(node.port('mx'));
    await client.reply();
    await client.say('EHLO client.example');
    let index = 0;
    for (const { name, content } of readCorpus(archive)) {
      if (index++ % count !== part) continue;
      // The sender's address carries the name, so that what arrives can be told apart.
      const from = `m${sent.size + refused.length}@elsewhere.example`;
      client.write(`MAIL FROM:<${from}> BODY=8BITMIME\r\nRCPT TO:<alice@example.com>\r\nDATA\r\n`);
      const opening = [await client.reply(), await client.reply(), await client.reply()];
      assert.deepEqual(
        opening.map((reply) => reply?.code),
        [250, 250, 354],
        `${name}: ${opening.map((r) => r?.lines.join()).join(' | ')}`,
      );
      const final = await client.content(content);
      if (final.code === 250) {
        sent.set(from, content);
        continue;
      }
      const expected = mayBeRefused(content);
      assert.ok(expected?.test(final.lines[0] ?? ''), `${name} was refused: ${final.lines.join(' ')}`);
      refused.push(`${name}: ${final.lines[0]}`);
      client.close();
      client = await SmtpConversation.open(node.port('mx'));
      await client.reply();
      await client.say('EHLO client.example');
    }
    client.close();
    for (const [from, content] of sent) {
      const arrived = await sink.next((message) => message.from === from);
      const trace = arrived.content.subarray(0, arrived.content.length - content.length);
      assert.ok(arrived.content.subarray(trace.length).equals(content), `content of ${from}`);
      assert.match(
        trace.toString('latin1'),
        /^Authentication-Results: .*\r\nReceived-SPF: .*\r\nReceived: from .*\r\n$/s,
      );
    }
    for (const line of refused) t.diagnostic(`refused ${line}`);
    t.diagnostic(`${sent.size} arrived identical, ${refused.length} refused`);
  });
}

test('the corpora are there', { skip: archives.length === 0 && `no corpus in ${SUITES}` }, () =>
  assert.equal(archives.length, 3),
);
