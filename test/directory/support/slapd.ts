/**
 * Debian's slapd on loopback, with as much of Active Directory's schema as users have: alice with
 * three addresses, dora who is disabled, a group, a contact, a second tree with a referral in it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const BINDER = { dn: 'cn=binder,dc=example,dc=com', password: 'bind-secret' } as const;

const SCHEMA = `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.2.840.113556.1.2.210 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP inetOrgPerson STRUCTURAL MAY ( proxyAddresses $ userPrincipalName $ userAccountControl ) )
objectclass ( 1.2.840.113556.1.5.8 NAME 'group' SUP top STRUCTURAL MUST cn MAY ( mail $ proxyAddresses $ member $ description ) )
objectclass ( 1.2.840.113556.1.5.15 NAME 'contact' SUP inetOrgPerson STRUCTURAL MAY proxyAddresses )
`;

const ENTRIES = `
dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: cn=binder,dc=example,dc=com
objectClass: inetOrgPerson
cn: binder
sn: binder
userPassword: bind-secret

dn: cn=Alice Liddell,dc=example,dc=com
objectClass: user
cn: Alice Liddell
sn: Liddell
displayName: Alice
mail: alice@example.com
proxyAddresses: SMTP:alice@example.com
proxyAddresses: smtp:a.liddell@example.com
proxyAddresses: smtp:liddell@example.com
proxyAddresses: X500:/o=Example/cn=alice
userPrincipalName: al@example.com
userAccountControl: 512
userPassword: wonderland

dn: cn=Dora,dc=example,dc=com
objectClass: user
cn: Dora
sn: D
mail: dora@example.com
userAccountControl: 514
userPassword: dora-secret

dn: cn=Sales,dc=example,dc=com
objectClass: group
cn: Sales
mail: sales@example.com

dn: cn=Partner,dc=example,dc=com
objectClass: contact
cn: Partner
sn: P
mail: partner@example.com

dn: ou=branch,dc=example,dc=com
objectClass: organizationalUnit
ou: branch

dn: ou=elsewhere,ou=branch,dc=example,dc=com
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://127.0.0.1:1/ou=elsewhere,ou=branch,dc=example,dc=com
`;

/** May change every entry. */
export const ROOT = { dn: 'cn=root,dc=example,dc=com', password: 'root-secret' } as const;

export interface Slapd {
  readonly port: number;
  /** With TLS from the first octet; 0 where there is no certificate. */
  readonly tlsPort: number;
  /** Frozen, as a server that hangs. */
  freeze(): void;
  thaw(): void;
}

/** With StartTLS and LDAPS where a certificate is given (PEM). */
export async function startSlapd(
  t: { after(stop: () => Promise<void>): void },
  tls?: { readonly certificate: string; readonly key: string },
): Promise<Slapd> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-slapd-'));
  mkdirSync(join(folder, 'db'));
  const many = Array.from(
    { length: 30 },
    (_, i) =>
      `dn: cn=Many ${i},ou=branch,dc=example,dc=com\nobjectClass: inetOrgPerson\ncn: Many ${i}\nsn: Many\nmail: many@example.com\n`,
  );
  writeFileSync(join(folder, 'entries.ldif'), `${ENTRIES}\n${many.join('\n')}`);
  if (tls) writeFileSync(join(folder, 'cert.pem'), tls.certificate);
  if (tls) writeFileSync(join(folder, 'key.pem'), tls.key, { mode: 0o600 });
  const secured = tls ? `TLSCertificateFile ${folder}/cert.pem\nTLSCertificateKeyFile ${folder}/key.pem\n` : '';
  writeFileSync(
    join(folder, 'slapd.conf'),
    `${SCHEMA}${secured}modulepath /usr/lib/ldap\nmoduleload back_mdb\nidletimeout 0\n` +
      `database mdb\nsuffix "dc=example,dc=com"\nrootdn "${ROOT.dn}"\nrootpw ${ROOT.password}\ndirectory ${folder}/db\n` +
      'access to attrs=userPassword by anonymous auth by * none\naccess to * by users read by anonymous auth\n',
  );
  const load = spawn('slapadd', ['-f', join(folder, 'slapd.conf'), '-l', join(folder, 'entries.ldif')], {
    stdio: 'ignore',
  });
  await once(load, 'exit');
  const port = await freePort();
  const tlsPort = tls ? await freePort() : 0;
  const urls = [`ldap://127.0.0.1:${port}/`, ...(tls ? [`ldaps://127.0.0.1:${tlsPort}/`] : [])].join(' ');
  const child = spawn('slapd', ['-f', join(folder, 'slapd.conf'), '-h', urls, '-d', '0'], { stdio: 'ignore' });
  t.after(async () => {
    child.kill('SIGCONT');
    child.kill();
    await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  });
  await listening(port);
  if (tls) await listening(tlsPort);
  return { port, tlsPort, freeze: () => void child.kill('SIGSTOP'), thaw: () => void child.kill('SIGCONT') };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('slapd does not start');
}
