/** LDAP and Active Directory as sources, against Debian's slapd. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { activeDirectorySource } from '../../src/directory/sources/active-directory.ts';
import { defineSource, type GivenOptions, type LdapOptions } from '../../src/directory/sources/definition.ts';
import { fillFilter, ldapSource } from '../../src/directory/sources/ldap.ts';
import { systemClock } from '../../src/world/clock.ts';
import { selfSigned } from '../../src/world/self-signed.ts';
import { address, question, services } from './support/questions.ts';
import { BINDER, type Slapd, startSlapd } from './support/slapd.ts';

const options = (kind: 'ldap' | 'active-directory', port: number, given: GivenOptions = {}): LdapOptions =>
  defineSource(kind, { host: '127.0.0.1', port, tls: 'clear', user: BINDER.dn, ...given }, true).options as LdapOptions;

describe('sources over LDAP', () => {
  let slapd: Slapd;
  const stops: (() => Promise<void>)[] = [];
  before(async () => {
    slapd = await startSlapd({ after: (stop) => void stops.push(stop) });
  });
  after(() => Promise.all(stops.map((stop) => stop())));

  const activeDirectory = (
    t: { after(fn: () => void): void },
    given?: GivenOptions,
    secret: string = BINDER.password,
  ) => {
    const source = activeDirectorySource(options('active-directory', slapd.port, given), secret, services());
    t.after(source.close);
    return source;
  };
  const ldap = (t: { after(fn: () => void): void }, given?: GivenOptions) => {
    const source = ldapSource(options('ldap', slapd.port, given), BINDER.password, services());
    t.after(source.close);
    return source;
  };

  test('Active Directory confirms a user under any address, and names the main one', async (t) => {
    const source = activeDirectory(t, { base: 'dc=example,dc=com' });
    for (const text of ['alice@example.com', 'LIDDELL@example.com', 'al@example.com']) {
      assert.deepEqual(await source.verify(question(text)), {
        kind: 'yes',
        primary: 'alice@example.com',
        aliases: ['a.liddell@example.com', 'liddell@example.com'],
        displayName: 'Alice',
      });
    }
  });

  test('the base is found where none is given', async (t) => {
    assert.equal((await activeDirectory(t).verify(question('alice@example.com'))).kind, 'yes');
  });

  test('groups and contacts get mail, strangers do not exist', async (t) => {
    const source = activeDirectory(t);
    assert.equal((await source.verify(question('sales@example.com'))).kind, 'yes');
    assert.equal((await source.verify(question('partner@example.com'))).kind, 'yes');
    assert.deepEqual(await source.verify(question('nobody@example.com')), { kind: 'no' });
  });

  test('a disabled account exists, as shared mailboxes are, unless these are excluded', async (t) => {
    assert.equal((await activeDirectory(t).verify(question('dora@example.com'))).kind, 'yes');
    const strict = activeDirectory(t, { excludeDisabled: true });
    assert.deepEqual(await strict.verify(question('dora@example.com')), { kind: 'no' });
  });

  test('the attacker writes a filter as a local part, and is a stranger like any other', async (t) => {
    const source = activeDirectory(t);
    for (const text of [
      '*@example.com',
      '"*)(mail=*"@example.com',
      '"a\\\\2a"@example.com',
      '"x)(|(mail=*"@example.com',
    ])
      assert.deepEqual(await source.verify(question(text)), { kind: 'no' }, text);
    assert.equal(fillFilter('(mail=%a)', address('"a*)(b"@example.com')), '(mail="a\\2a\\29\\28b"@example.com)');
  });

  test('the attacker signs in with an empty password, which a server would take', async (t) => {
    assert.deepEqual(await activeDirectory(t).authenticate!(question('alice@example.com'), ''), { kind: 'no' });
  });

  test('a password is tried by binding as the user, and is in no dialogue', async (t) => {
    const source = activeDirectory(t);
    const asked = question('liddell@example.com');
    assert.equal((await source.authenticate!(asked, 'wonderland')).kind, 'yes');
    assert.ok(!asked.dialogue.lines.join().includes('wonderland'));
    assert.deepEqual(await source.authenticate!(question('alice@example.com'), 'wrong'), { kind: 'no' });
    assert.deepEqual(await source.authenticate!(question('nobody@example.com'), 'wrong'), { kind: 'no' });
    assert.deepEqual(await source.authenticate!(question('dora@example.com'), 'dora-secret'), { kind: 'no' });
  });

  test('our own wrong password makes nobody disappear', async (t) => {
    await assert.rejects(activeDirectory(t, {}, 'wrong').verify(question('alice@example.com')), /Code: 0x31/);
  });

  test('a base that is not there makes nobody disappear', async (t) => {
    await assert.rejects(activeDirectory(t, { base: 'dc=nowhere' }).verify(question('alice@example.com')));
  });

  test('a referral is not followed, and what is behind it cannot be told', async (t) => {
    const source = ldap(t, { base: 'ou=branch,dc=example,dc=com', filter: '(mail=%a)' });
    assert.equal((await source.verify(question('nobody@example.com'))).kind, 'cannot-tell');
  });

  test('a search that finds too many is an error, and no answer', async (t) => {
    const source = ldap(t, { base: 'dc=example,dc=com', filter: '(mail=%a)' });
    await assert.rejects(source.verify(question('many@example.com')), /too many/);
  });

  test('names beyond ASCII are searched as they are', async (t) => {
    assert.deepEqual(await activeDirectory(t).verify(question('zoë@example.com')), { kind: 'no' });
  });
});

test('StartTLS is spoken with the certificate that was entered, and with no other', async (t) => {
  const pair = await selfSigned('dc1.example.com', systemClock);
  const other = await selfSigned('dc1.example.com', systemClock);
  const slapd = await startSlapd(t, pair);
  const over = (trust: string) => {
    const given = { tls: 'starttls', trust };
    const source = activeDirectorySource(options('active-directory', slapd.port, given), BINDER.password, services());
    t.after(source.close);
    return source.verify(question('alice@example.com'));
  };
  assert.equal((await over(pair.certificate)).kind, 'yes');
  await assert.rejects(over(other.certificate));
  await assert.rejects(over(''));
});

test('a password is not sent in clear beyond this machine', () => {
  assert.throws(() => defineSource('ldap', { host: 'ldap.example.com', tls: 'clear', user: 'cn=x' }, true), {
    code: 'directory.invalid',
  });
});
