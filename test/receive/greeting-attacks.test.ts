/** Attacks by the name that a client gives itself, titled by the attacker's move. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialogue } from '../support/dialogue.ts';
import { held } from '../support/receive/held.ts';
import { startReceiver } from '../support/receive/services.ts';

const utf8 = (character: string): string =>
  [...Buffer.from(character)].map((octet) => `\\x${octet.toString(16).padStart(2, '0')}`).join('');

const STEERING = {
  'ESC, a command to the terminal': '\\x1b[2J',
  'NUL, where a reader in C stops': '\\0',
  'a bare CR, to begin a line': '\\r',
  'a tab within the name': '\\t',
  DEL: '\\x7f',
  'U+0085, next line': utf8('\u0085'),
  'U+009B, the terminal’s other escape': utf8('\u009b'),
  'U+009B as one octet': '\\x9b',
  'U+202E, which turns what follows': utf8('\u202e'),
  'U+2066, an isolate': utf8('\u2066'),
  'U+2069, its end': utf8('\u2069'),
  'U+200E, a mark': utf8('\u200e'),
  'U+200F, a mark': utf8('\u200f'),
  'U+061C, a mark': utf8('\u061c'),
  'U+2028, a line separator': utf8('\u2028'),
};

for (const [move, character] of Object.entries(STEERING))
  test(`the attacker greets with ${move}: 501, and nothing of it is kept as a name`, async (t) => {
    const node = await startReceiver(t);
    const script = ['EHLO', 'HELO', 'ehlo'].map(
      (verb) =>
        `C: ${verb} mx${character}x.example\n S: 501 5.5.4\n C: ${verb} mx.example x${character}y\n S: 501 5.5.4`,
    );
    await held(
      node,
      `S: 220\n ${script.join('\n ')}\n C: MAIL FROM:<a@b.example>\n S: 503\n C: QUIT\n S: 221\n -- END`,
    );
    assert.equal(node.sessions[0]!.facts.helo, undefined);
  });

test('the attacker has a proxy pass such a name on by XCLIENT: it is refused there too', async (t) => {
  const node = await startReceiver(t, { trustedProxies: ['127.0.0.1'] });
  const client = await dialogue(
    node,
    'S: 220\n C: EHLO proxy.example\n S: 250\n C: XCLIENT ADDR=192.0.2.7 HELO=mx+1B+5B2J\n S: 501\n C: XCLIENT ADDR=192.0.2.7 HELO=mx.example\n S: 220',
  );
  client.close();
});

test('a name in letters of its own is no attack: it is taken, and written with ? in the trace', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    `S: 220
     C: EHLO m\\xc3\\xbcller.example
     S: 250
     C: MAIL FROM:<a@b.example>
     S: 250
     C: RCPT TO:<alice@example.com>
     S: 250
     C: DATA
     S: 354
     C: Subject: x\\r\\n\\r\\nx\\r\\n.
     S: 250
     C: QUIT
     S: 221
     -- END`,
  );
  assert.match(node.committed[0]!.trace, /from m\?ller\.example/);
});
