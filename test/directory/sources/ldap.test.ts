/** LDAP and Active Directory as sources, against Debian's slapd. */
import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { Attribute, Change, Client } from 'ldapts';
import { activeDirectorySource } from '../../../src/directory/sources/active-directory.ts';
import type { SourceServices } from '../../../src/directory/sources/contract.ts';
import { defineSource, type GivenOptions, type LdapOptions } from '../../../src/directory/sources/definition.ts';
import { fillFilter, ldapSource } from '../../../src/directory/sources/ldap.ts';
import { isPromise } from '../../../src/model/maybe-promise.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { selfSigned } from '../../../src/world/self-signed.ts';
import { createAuthority, type Pair } from '../../support/authority.ts';
import { address, question, services } from '../support/questions.ts';
import { BINDER, ROOT, type Slapd, startSlapd } from '../support/slapd.ts';
import { openVerification } from '../support/verification.ts';

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

const FOUND = { kind: 'found', addresses: ['127.0.0.1'], ttlSeconds: 60, complete: true } as const;

for (const tls of ['starttls', 'implicit'] as const) {
  const spoken = tls === 'starttls' ? 'StartTLS' : 'LDAPS';
  const over = async (t: TestContext, pair: Pair, trust: string, host = 'dc1.example.com') => {
    const slapd = await startSlapd(t, pair);
    const given = { host, port: tls === 'implicit' ? slapd.tlsPort : slapd.port, tls, trust };
    const { options: source } = defineSource('active-directory', { user: BINDER.dn, ...given }, true);
    const resolveHost: SourceServices['resolveHost'] = async () => FOUND;
    const opened = activeDirectorySource(source as LdapOptions, BINDER.password, { ...services(), resolveHost });
    t.after(opened.close);
    return opened.verify(question('alice@example.com'));
  };

  test(`${spoken} trusts a server whose certificate the organisation's own authority signed`, async (t) => {
    const authority = await createAuthority();
    assert.equal((await over(t, await authority.issue('dc1.example.com'), authority.certificate)).kind, 'yes');
  });

  test(`${spoken} trusts a server by its own certificate, where that was entered`, async (t) => {
    const pair = await selfSigned('dc1.example.com', systemClock);
    assert.equal((await over(t, pair, pair.certificate)).kind, 'yes');
  });

  test(`${spoken}: the attacker in the middle hears no password, whatever certificate is shown`, async (t) => {
    const authority = await createAuthority();
    const trust = authority.certificate;
    const own = await selfSigned('dc1.example.com', systemClock);
    await assert.rejects(over(t, own, trust), /certificate/i, 'one of the attacker’s own making');
    await assert.rejects(over(t, await authority.issue('dc2.example.com'), trust), /altnames|Hostname/i);
    const old = await authority.issue('dc1.example.com', { endedMs: 60_000 });
    await assert.rejects(over(t, old, trust), /expired/i);
    const imposter = await createAuthority();
    await assert.rejects(over(t, await imposter.issue('dc1.example.com'), trust), /certificate/i);
    await assert.rejects(over(t, await authority.issue('dc1.example.com'), ''), /certificate/i, 'no public authority');
  });
}

test("an account made from a directory has the directory's aliases, and those that are given up end", async (t) => {
  const slapd = await startSlapd(t);
  const { admin, add, kind, make, clock, directory, events } = await openVerification(t);
  const port = { host: '127.0.0.1', port: slapd.port };
  await add('active-directory', { options: { ...port, tls: 'clear', user: BINDER.dn }, secret: BINDER.password });
  assert.equal(await kind('al@example.com'), 'local');
  const targets = ['alice@example.com'];
  await make(await admin.addAlias({ address: 'sales-lead@example.com', targets }));
  const aliases = async () => (await admin.listAliases()).map((alias) => alias.address);
  assert.deepEqual(await aliases(), [
    'a.liddell@example.com',
    'al@example.com',
    'liddell@example.com',
    'sales-lead@example.com',
  ]);

  const client = new Client({ url: `ldap://127.0.0.1:${slapd.port}` });
  await client.bind(ROOT.dn, ROOT.password);
  const values = ['SMTP:alice@example.com', 'smtp:liddell@example.com', 'smtp:hatter@example.com'];
  const modification = new Attribute({ type: 'proxyAddresses', values });
  await client.modify('cn=Alice Liddell,dc=example,dc=com', new Change({ operation: 'replace', modification }));
  await client.unbind();
  assert.equal(await kind('a.liddell@example.com'), 'local', 'as long as nobody looked again');
  await clock.advance(121 * 3_600_000);
  assert.equal(await kind('a.liddell@example.com'), 'unknown-user', 'mail to an alias looks again, too');
  assert.deepEqual(await aliases(), ['hatter@example.com', 'liddell@example.com', 'sales-lead@example.com']);
  assert.equal(events.count('verification.aliases-changed'), 1);
  assert.ok(!isPromise(await directory.resolve(address('hatter@example.com'))));
  assert.equal(await kind('al@example.com'), 'local', 'what the directory still knows by another attribute comes back');
});

test('a right password under any of the addresses of a user is that user’s, told again from memory too', async (t) => {
  const slapd = await startSlapd(t);
  const { add, askSources, make, admin } = await openVerification(t);
  const port = { host: '127.0.0.1', port: slapd.port };
  await add('active-directory', { options: { ...port, tls: 'clear', user: BINDER.dn }, secret: BINDER.password });
  await make(await admin.addAlias({ address: 'al@example.com', targets: ['elsewhere@remote.example'] }));
  for (const name of ['al@example.com', 'liddell@example.com', 'al@example.com'])
    assert.deepEqual(await askSources(name, 'wonderland'), { user: 'alice@example.com' }, name);
});

test('a password is not sent in clear beyond this machine', () => {
  assert.throws(() => defineSource('ldap', { host: 'ldap.example.com', tls: 'clear', user: 'cn=x' }, true), {
    code: 'directory.invalid',
  });
});
