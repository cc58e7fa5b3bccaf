/** The chasquid dialogues (POSTERN_SUITES), replayed against the real server; codes matter, wording does not. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import type { Reply } from '../../src/protocol/smtp/types.ts';
import { type Client, openClient } from '../support/dialogue.ts';
import { decide, NOBODY, startReceiver, type TestReceiver } from '../support/receive/services.ts';

const SUITE = resolve(process.env['POSTERN_SUITES'] ?? '../shared/suites', 'smtp/chasquid');

/** Whole dialogues that do not apply. */
const EXCLUDED: Readonly<Record<string, string>> = {
  't-04-aliases--test_chasquid_util': 'talks to a command of chasquid, not to a server',
};

/** Single replies that differ on purpose: dialogue, what chasquid says there, what we say, and why. */
const DIFFERENT: readonly { dialogue: string; theirs: string; ours: string; why: string }[] = [
  {
    dialogue: 'bad_data',
    theirs: '554',
    ours: '250',
    why: 'header sanity is screening’s business, not this server’s alone',
  },
  { dialogue: 'bad_data_dot', theirs: '521', ours: '554', why: 'the message is refused, the session may go on' },
  { dialogue: 'bad_data_dot_2', theirs: '521', ours: '554', why: 'the message is refused, the session may go on' },
  { dialogue: 'bad_data_dot_on_message_too_big', theirs: '521', ours: '552', why: 'too large is what was wrong first' },
  {
    dialogue: 'bad_mail_from',
    theirs: '500',
    ours: '501',
    why: 'RFC 5321 4.3.2: the verb is known, its argument is wrong',
  },
  {
    dialogue: 'bad_rcpt_to',
    theirs: '500',
    ours: '501',
    why: 'RFC 5321 4.3.2: the verb is known, its argument is wrong',
  },
  {
    dialogue: 'bad_rcpt_to',
    theirs: '550',
    ours: '553',
    why: 'RFC 6531 3.5: an address beyond ASCII without SMTPUTF8',
  },
  {
    dialogue: 'auth_multi_dialog',
    theirs: '534',
    ours: '504',
    why: 'RFC 4954 4: 534 is for mechanisms too weak, 504 for those we do not know',
  },
  { dialogue: 'auth_not_tls', theirs: '503', ours: '538', why: 'RFC 4954 6: encryption required' },
  { dialogue: 'line_too_long', theirs: '554', ours: '501', why: 'the line is within our limit, the name is too long' },
];

const available = existsSync(SUITE);
const dialogues = available ? readdirSync(SUITE).filter((name) => name.endsWith('.cmy')) : [];
test('the chasquid dialogues are there', { skip: available ? false : `no ${SUITE}` }, () =>
  assert.ok(dialogues.length >= 18),
);

for (const file of dialogues) {
  const name = file.replace(/\.cmy$/, '');
  test(`chasquid: ${name}`, { skip: EXCLUDED[name] ?? false }, async (t) => {
    const node = await startReceiver(t, {
      settings: { 'smtp.maxMessageBytes': 1024 * 1024, 'smtp.authFailureFloorMs': 0 },
      ...(name.includes('--auth_') && { profile: 'submission', credentials: THEIR_USER }),
      onRecipient: (recipient) =>
        decide({
          ...recipient,
          address: { ...recipient.address, domain: recipient.address.domain.replace('testserver', 'example.com') },
        }),
    });
    await replay(node, readFileSync(resolve(SUITE, file), 'utf8'), name.split('--')[1]!);
  });
}

/** The user that chasquid's tests have. */
const THEIR_USER = {
  ...NOBODY,
  async password(username: string, password: string) {
    if (username === 'user@testserver' && password === 'secretpassword')
      return { kind: 'yes', account: username } as const;
    return { kind: 'no', reason: 'wrong' } as const;
  },
};

/** By STARTTLS, and as if it had not been needed: the next thing heard is a greeting. */
async function overTls(node: TestReceiver): Promise<Client> {
  const client = await openClient(node);
  const greeting = await client.hear();
  await client.say('EHLO localhost\r\nSTARTTLS\r\n');
  await client.hear();
  await client.hear();
  await client.startTls();
  (client.unread as Reply[]).push(greeting);
  return client;
}

async function replay(node: TestReceiver, script: string, name: string): Promise<void> {
  let client: Client | undefined;
  for (const line of script.split('\n')) {
    const step = /^c (tcp_connect|tls_connect|close|->|~>|<~|<-|<\.\.\.)(?: (.*))?$/.exec(line.trimEnd());
    if (!step) {
      assert.match(line, /^\s*(#.*)?$/, `a step that this replay does not know: ${line}`);
      continue;
    }
    const [, verb, text = ''] = step;
    if (verb === 'tcp_connect' || verb === 'tls_connect' || verb === 'close') {
      client?.close();
      client = verb === 'close' ? undefined : await (verb === 'tls_connect' ? overTls(node) : openClient(node));
    } else if (verb === '->') {
      await client!.say(`${text}\r\n`);
    } else if (verb === '~>') {
      await client!.say(Buffer.from(python(text), 'latin1'));
    } else {
      expectCode(String((await client!.hear()).code), text, name);
    }
  }
  client?.close();
}

function expectCode(code: string, expected: string, name: string): void {
  const theirs = expected.slice(0, 3);
  const difference = DIFFERENT.find(
    (known) => known.dialogue === name && known.theirs === theirs && known.ours === code,
  );
  if (!difference) assert.equal(code, theirs, expected);
}

/** The few Python expressions in use: `'text'`, `('a' * 899 + '\r\n') * 1165`, sums of them. */
function python(expression: string): string {
  const group = /^\((.*)\) \* (\d+)$/.exec(expression);
  if (group) return python(group[1]!).repeat(Number(group[2]));
  return expression
    .split(' + ')
    .map((term) => {
      const [, text = '', times = '1'] =
        /^'((?:[^'\\]|\\.)*)'(?: \* (\d+))?$/.exec(term) ?? assert.fail(`not understood: ${term}`);
      return text.replaceAll('\\r', '\r').replaceAll('\\n', '\n').repeat(Number(times));
    })
    .join('');
}
