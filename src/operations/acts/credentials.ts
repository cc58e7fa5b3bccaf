/** Further credentials of accounts besides the password, the addresses they may write as, and administrators. */
import { Type } from 'typebox';
import { anyAddress, domainName } from '../../directory/addresses/names.ts';
import { IMPORT_ROWS } from '../../directory/limits.ts';
import { addressKey } from '../../model/address.ts';
import { OperationalError } from '../../model/errors.ts';
import { ROLES } from '../../model/role.ts';
import type { Statement } from '../../store/contract.ts';
import { Answer, Strings } from '../answers.ts';
import { act, look } from '../define.ts';
import { Lines } from '../unsafe-text.ts';
import { OF_ADDRESS, Text } from './types.ts';

const key = (address: string): string => addressKey(anyAddress(address));
const Domain = Type.Optional(Text);
const Fingerprint = Answer({ address: Type.String(), fingerprint: Type.String() });
const Sender = Answer({ address: Type.String(), sender: Type.String() });
const Marked = Answer({
  address: Type.String(),
  domain: Type.Optional(Type.String()),
  role: Type.Optional(Type.String()),
});
/** Nobody may grant the right to write as an address of another domain. */
const OF_SENDER = {
  named: ({ address, sender }: { readonly address: string; readonly sender: string }) => [
    anyAddress(address).domain,
    domainName(sender.slice(sender.lastIndexOf('@') + 1)),
  ],
};
const Account = Type.Object(
  {
    address: Text,
    name: Type.Optional(Text),
    state: Type.Optional(Type.Enum(['active', 'frozen', 'disabled'])),
    password: Type.Optional(Type.String({ maxLength: 10_000 })),
  },
  { additionalProperties: false },
);

export const credentialOperations = {
  'user.app-password.add': act('user.app-password.add', {
    area: 'sign-in',
    reach: OF_ADDRESS,
    title: 'Makes a password for one device or program; it is shown once',
    input: { address: Text, name: Text },
    answer: Answer({ address: Type.String(), name: Type.String(), password: Type.String() }),
    run: async ({ credentials }, { address, name }) => {
      const { password, change } = await credentials.addAppPassword(address, name);
      return { output: { address: key(address), name: name.trim(), password }, change };
    },
  }),
  'user.app-password.list': look('user.app-password.list', {
    area: 'sign-in',
    reach: OF_ADDRESS,
    title: 'Lists the app passwords of an account by name',
    input: { address: Text },
    answer: Type.Array(Answer({ name: Type.String(), createdAt: Type.Number() })),
    run: async ({ credentials }, { address }) => ({ output: await credentials.listAppPasswords(address) }),
  }),
  'user.app-password.remove': act('user.app-password.remove', {
    area: 'sign-in',
    reach: OF_ADDRESS,
    title: 'Revokes an app password',
    input: { address: Text, name: Text },
    answer: Answer({ address: Type.String(), name: Type.String() }),
    run: async ({ credentials }, { address, name }) => ({
      output: { address: key(address), name },
      change: await credentials.removeAppPassword(address, name),
    }),
  }),

  'user.certificate.add': act('user.certificate.add', {
    area: 'sign-in',
    reach: OF_ADDRESS,
    title: 'Lets an account sign in by a client certificate (EXTERNAL)',
    input: { address: Text, certificate: Lines(100_000) },
    answer: Fingerprint,
    run: async ({ credentials }, { address, certificate }) => {
      const { fingerprint, change } = await credentials.addCertificate(address, certificate);
      return { output: { address: key(address), fingerprint }, change };
    },
  }),
  'user.certificate.list': look('user.certificate.list', {
    area: 'sign-in',
    reach: OF_ADDRESS,
    title: 'Lists the client certificates of an account',
    input: { address: Text },
    answer: Type.Array(Answer({ fingerprint: Type.String(), createdAt: Type.Number() })),
    run: async ({ credentials }, { address }) => ({ output: await credentials.listCertificates(address) }),
  }),
  'user.certificate.remove': act('user.certificate.remove', {
    area: 'sign-in',
    reach: OF_ADDRESS,
    title: 'Forgets a client certificate',
    input: { address: Text, fingerprint: Text },
    answer: Fingerprint,
    run: async ({ credentials }, { address, fingerprint }) => ({
      output: { address: key(address), fingerprint },
      change: await credentials.removeCertificate(address, fingerprint),
    }),
  }),

  'user.send-as.add': act('user.send-as.add', {
    area: 'sign-in',
    reach: OF_SENDER,
    title: 'Lets an account write as another address, or as every address of a domain (`@example.com`)',
    input: { address: Text, sender: Text },
    answer: Sender,
    run: async ({ credentials }, { address, sender }) => ({
      output: { address: key(address), sender },
      change: await credentials.addSendAs(address, sender),
    }),
  }),
  'user.send-as.list': look('user.send-as.list', {
    area: 'sign-in',
    reach: OF_ADDRESS,
    title: 'Lists whom an account may write as beside itself and its aliases',
    input: { address: Text },
    answer: Strings,
    run: async ({ credentials }, { address }) => ({ output: await credentials.listSendAs(address) }),
  }),
  'user.send-as.remove': act('user.send-as.remove', {
    area: 'sign-in',
    reach: OF_ADDRESS,
    title: 'Takes such a grant away',
    input: { address: Text, sender: Text },
    answer: Sender,
    run: async ({ credentials }, { address, sender }) => ({
      output: { address: key(address), sender },
      change: await credentials.removeSendAs(address, sender),
    }),
  }),

  'user.import': act('user.import', {
    area: 'accounts',
    reach: { named: ({ accounts }) => accounts.map(({ address }) => anyAddress(address).domain) },
    topics: ['accounts', 'sign-in'],
    title: 'Adds several accounts, all or none',
    input: { accounts: Type.Array(Account, { minItems: 1, maxItems: IMPORT_ROWS }) },
    secrets: ['password'],
    answer: Answer({ added: Type.Integer() }),
    long: true,
    run: async ({ admin, credentials }, { accounts }, _, { signal, done }) => {
      const statements: Statement[] = [];
      const rows = new Map<string, number>();
      let committed = (): void => {};
      for (const [row, { address, name, state, password }] of accounts.entries()) {
        // Nothing is written yet: cancelling adds nothing.
        if (signal.aborted) break;
        done(row);
        try {
          const added = await admin.addAccount({ address, name });
          committed = added.committed;
          const login = key(address);
          const { domain } = anyAddress(address);
          if (rows.has(login)) throw twice(login, rows.get(login)!);
          rows.set(login, row + 1);
          statements.push(...added.statements);
          if (password !== undefined)
            statements.push(...(await credentials.passwordStatements({ login, domain, name: name ?? '', password })));
          if (state !== undefined) statements.push(credentials.stateStatement(login, state));
        } catch (error) {
          throw inRow(row + 1, error);
        }
      }
      return { output: { added: accounts.length }, change: { statements, committed } };
    },
  }),

  'admin.add': act('admin.add', {
    area: 'administrators',
    reach: 'node',
    title: 'Makes an account an administrator, or gives it another role: of everything, or of one domain',
    input: { address: Text, domain: Domain, role: Type.Optional(Type.Enum([...ROLES])) },
    answer: Marked,
    run: async ({ credentials }, { address, domain, role }) => ({
      output: {
        address: key(address),
        ...(domain === undefined ? {} : { domain: domainName(domain) }),
        ...(role !== undefined && { role }),
      },
      change: await credentials.addAdministrator(address, domain, role),
    }),
  }),
  'admin.remove': act('admin.remove', {
    area: 'administrators',
    reach: 'node',
    title: 'Takes that away',
    input: { address: Text, domain: Domain },
    answer: Marked,
    run: async ({ credentials }, { address, domain }) => ({
      output: { address: key(address), ...(domain === undefined ? {} : { domain: domainName(domain) }) },
      change: await credentials.removeAdministrator(address, domain),
    }),
  }),
  'admin.list': look('admin.list', {
    area: 'administrators',
    reach: 'node',
    title: 'Lists the administrators',
    input: {},
    answer: Type.Array(
      Answer({
        login: Type.String(),
        domain: Type.Optional(Type.String()),
        role: Type.Enum([...ROLES]),
        createdAt: Type.Number(),
      }),
    ),
    run: async ({ credentials }) => ({ output: await credentials.listAdministrators() }),
  }),
};

function twice(login: string, row: number): OperationalError {
  return new OperationalError(
    'directory.exists',
    `cannot add ${login}, as it must be there once: account ${row} is it`,
  );
}

function inRow(row: number, error: unknown): unknown {
  if (!(error instanceof OperationalError)) return error;
  return new OperationalError(error.code, `account ${row}: ${error.message}`, { cause: error });
}
