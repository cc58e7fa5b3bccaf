/** The client's side of SASL: what it says, and which servers it does not believe. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  beginExchange,
  type ClientCredentials,
  type ClientMechanism,
  chooseMechanism,
} from '../../../src/protocol/sasl/client.ts';
import { saltPassword } from '../../../src/protocol/sasl/scram.ts';

const PASSWORD: ClientCredentials = { user: 'user', secret: { kind: 'password', text: 'pencil' } };
const TOKEN: ClientCredentials = { user: 'user', secret: { kind: 'token', text: 'ya29.vF9dft4' } };
const CHANNEL = { binding: undefined, nonce: 'rOprNGfwEbeRWgbNEkqO' };
const SERVER_FIRST = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096';
const SERVER_FINAL = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';

const begin = (mechanism: ClientMechanism, credentials = PASSWORD, channel: typeof CHANNEL | object = CHANNEL) =>
  beginExchange(mechanism, credentials, { ...CHANNEL, ...channel });
const text = (octets: Uint8Array | undefined) => octets && Buffer.from(octets).toString('utf8');

function answered(exchange: ReturnType<typeof begin>, challenge: string): string {
  const step = exchange.challenged(Buffer.from(challenge));
  if (step.kind === 'salt') return text(step.finish(saltPassword(step.password, step.salt, step.iterations)))!;
  return step.kind === 'answer' ? text(step.data)! : `doubt: ${step.reason}`;
}

test('the strongest mechanism that both sides know is taken, and a token is said by XOAUTH2 only', () => {
  const all = ['LOGIN', 'PLAIN', 'XOAUTH2', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'];
  assert.equal(chooseMechanism(all, PASSWORD, true), 'SCRAM-SHA-256-PLUS');
  assert.equal(chooseMechanism(all, PASSWORD, false), 'SCRAM-SHA-256');
  assert.equal(chooseMechanism(['LOGIN', 'PLAIN'], PASSWORD, true), 'PLAIN');
  assert.equal(chooseMechanism(['CRAM-MD5', 'LOGIN'], PASSWORD, true), 'LOGIN');
  assert.equal(chooseMechanism(['CRAM-MD5', 'GSSAPI', 'XOAUTH2'], PASSWORD, true), undefined);
  assert.equal(chooseMechanism(all, TOKEN, true), 'XOAUTH2');
  assert.equal(chooseMechanism(['PLAIN', 'LOGIN'], TOKEN, true), undefined);
  assert.equal(chooseMechanism(all, PASSWORD, true, ['PLAIN', 'LOGIN']), 'PLAIN');
});

test('the example of RFC 7677 3 is said octet for octet, and its server is believed', () => {
  const exchange = begin('SCRAM-SHA-256');
  assert.equal(text(exchange.initial), 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
  assert.match(answered(exchange, SERVER_FIRST), /^c=biws,r=.*,p=dHzbZapWIk4jUhN\+Ute9ytag9zjfMHgsqmmiz7AndVQ=$/);
  assert.equal(answered(exchange, SERVER_FINAL), '');
  assert.equal(exchange.accepted(), undefined);
});

test('a channel that could be bound is told of, and bound where the server offers it', () => {
  const binding = Buffer.alloc(32, 7);
  assert.match(text(begin('SCRAM-SHA-256', PASSWORD, { binding }).initial)!, /^y,,n=user,/);
  const plus = begin('SCRAM-SHA-256-PLUS', PASSWORD, { binding });
  assert.match(text(plus.initial)!, /^p=tls-exporter,,n=user,/);
  const bound = Buffer.concat([Buffer.from('p=tls-exporter,,'), binding]).toString('base64');
  assert.ok(answered(plus, SERVER_FIRST).startsWith(`c=${bound},r=`));
});

test('a server that ends SCRAM without proving that it knows the password is not believed', () => {
  const early = begin('SCRAM-SHA-256');
  assert.match(early.accepted()!, /without proving/);
  const late = begin('SCRAM-SHA-256');
  answered(late, SERVER_FIRST);
  assert.match(late.accepted()!, /without proving/);
  const wrong = begin('SCRAM-SHA-256');
  answered(wrong, SERVER_FIRST);
  assert.match(answered(wrong, SERVER_FINAL.replace('v=6r', 'v=6s')), /doubt: .*does not know the password/);
  const contrary = begin('SCRAM-SHA-256');
  answered(contrary, SERVER_FIRST);
  assert.equal(answered(contrary, 'e=invalid-proof'), '');
  assert.match(contrary.accepted()!, /without proving/);
});

test('a SCRAM server that replays a nonce, or asks for too little or too much work, gets no answer', () => {
  const reply = (changed: string) => answered(begin('SCRAM-SHA-256'), changed);
  assert.match(reply(SERVER_FIRST.replace('r=rOpr', 'r=xOpr')), /doubt: .*nonce/);
  assert.match(reply('r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'), /doubt: .*nonce/);
  assert.match(reply(SERVER_FIRST.replace('i=4096', 'i=1')), /doubt: .*1 SCRAM iterations/);
  assert.match(reply(SERVER_FIRST.replace('i=4096', 'i=999999999')), /doubt: .*999999999 SCRAM iterations/);
  assert.match(reply(`m=must-know,${SERVER_FIRST}`), /doubt: .*malformed/);
  assert.match(reply(`${'s'.repeat(5000)}`), /doubt: .*malformed/);
});

test('LOGIN answers two questions in their order, PLAIN and XOAUTH2 say all at once', () => {
  const login = begin('LOGIN');
  assert.equal(login.initial, undefined);
  assert.deepEqual([answered(login, 'Username:'), answered(login, 'Password:')], ['user', 'pencil']);
  assert.equal(login.accepted(), undefined);
  assert.match(begin('LOGIN').accepted()!, /no password/);
  assert.equal(text(begin('PLAIN').initial), '\0user\0pencil');
  const bearer = begin('XOAUTH2', TOKEN);
  assert.equal(text(bearer.initial), 'user=user\x01auth=Bearer ya29.vF9dft4\x01\x01');
  assert.equal(answered(bearer, '{"status":"401"}'), '');
  assert.match(bearer.accepted()!, /error and success/);
});

test('endless challenges, whatever is in them, come to an end after three answers at most, and throw nothing', () => {
  const mechanisms: [ClientMechanism, ClientCredentials][] = [
    ['SCRAM-SHA-256', PASSWORD],
    ['PLAIN', PASSWORD],
    ['LOGIN', PASSWORD],
    ['XOAUTH2', TOKEN],
  ];
  const challenge = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((octets) => Buffer.from(octets)),
    fc.constantFrom(SERVER_FIRST, SERVER_FINAL, 'e=x', '').map((said) => Buffer.from(said)),
  );
  fc.assert(
    fc.property(fc.constantFrom(...mechanisms), fc.array(challenge, { minLength: 4, maxLength: 4 }), (by, all) => {
      const exchange = begin(...by);
      const kinds = all.map((octets) => {
        const step = exchange.challenged(octets);
        if (step.kind === 'salt') step.finish(Buffer.alloc(32));
        return step.kind;
      });
      assert.ok(kinds.includes('doubt'));
    }),
    { numRuns: 300 },
  );
});
