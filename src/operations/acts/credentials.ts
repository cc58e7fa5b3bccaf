/** What accounts sign in with beside their password, whom they may write as, and who administers. */
import { Type } from 'typebox';
import { anyAddress, domainName } from '../../directory/addresses/names.ts';
import { IMPORT_ROWS } from '../../directory/limits.ts';
import { addressKey } from '../../model/address.ts';
import { OperationalError } from '../../model/errors.ts';
import type { Statement } from '../../store/contract.ts';
import { act, look } from '../define.ts';
import { Lines } from '../unsafe-text.ts';
import { Text } from './types.ts';

const key = (address: string): string => addressKey(anyAddress(address));
const Domain = Type.Optional(Text);
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
    title: 'Makes a password for one device or program; it is shown once',
    input: { address: Text, name: Text },
    run: async ({ credentials }, { address, name }) => {
      const { password, change } = await credentials.addAppPassword(address, name);
      return { output: { address: key(address), name: name.trim(), password }, change };
    },
  }),
  'user.app-password.list': look('user.app-password.list', {
    area: 'sign-in',
    title: 'Lists the app passwords of an account by name',
    input: { address: Text },
    run: async ({ credentials }, { address }) => ({ output: await credentials.listAppPasswords(address) }),
  }),
  'user.app-password.remove': act('user.app-password.remove', {
    area: 'sign-in',
    title: 'Revokes an app password',
    input: { address: Text, name: Text },
    run: async ({ credentials }, { address, name }) => ({
      output: { address: key(address), name },
      change: await credentials.removeAppPassword(address, name),
    }),
  }),

  'user.certificate.add': act('user.certificate.add', {
    area: 'sign-in',
    title: 'Lets an account sign in by a client certificate (EXTERNAL)',
    input: { address: Text, certificate: Lines(100_000) },
    run: async ({ credentials }, { address, certificate }) => {
      const { fingerprint, change } = await credentials.addCertificate(address, certificate);
      return { output: { address: key(address), fingerprint }, change };
    },
  }),
  'user.certificate.list': look('user.certificate.list', {
    area: 'sign-in',
    title: 'Lists the client certificates of an account',
    input: { address: Text },
    run: async ({ credentials }, { address }) => ({ output: await credentials.listCertificates(address) }),
  }),
  'user.certificate.remove': act('user.certificate.remove', {
    area: 'sign-in',
    title: 'Forgets a client certificate',
    input: { address: Text, fingerprint: Text },
    run: async ({ credentials }, { address, fingerprint }) => ({
      output: { address: key(address), fingerprint },
      change: await credentials.removeCertificate(address, fingerprint),
    }),
  }),

  'user.send-as.add': act('user.send-as.add', {
    area: 'sign-in',
    title: 'Lets an account write as another address, or as every address of a domain (`@example.com`)',
    input: { address: Text, sender: Text },
    run: async ({ credentials }, { address, sender }) => ({
      output: { address: key(address), sender },
      change: await credentials.addSendAs(address, sender),
    }),
  }),
  'user.send-as.list': look('user.send-as.list', {
    area: 'sign-in',
    title: 'Lists whom an account may write as beside itself and its aliases',
    input: { address: Text },
    run: async ({ credentials }, { address }) => ({ output: await credentials.listSendAs(address) }),
  }),
  'user.send-as.remove': act('user.send-as.remove', {
    area: 'sign-in',
    title: 'Takes such a grant away',
    input: { address: Text, sender: Text },
    run: async ({ credentials }, { address, sender }) => ({
      output: { address: key(address), sender },
      change: await credentials.removeSendAs(address, sender),
    }),
  }),

  'user.import': act('user.import', {
    area: 'accounts',
    topics: ['accounts', 'sign-in'],
    title: 'Adds several accounts, all or none',
    input: { accounts: Type.Array(Account, { minItems: 1, maxItems: IMPORT_ROWS }) },
    secrets: ['password'],
    run: async ({ admin, credentials }, { accounts }) => {
      const statements: Statement[] = [];
      const rows = new Map<string, number>();
      let committed = (): void => {};
      for (const [row, { address, name, state, password }] of accounts.entries()) {
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
    title: 'Makes an account an administrator: of everything, or of one domain',
    input: { address: Text, domain: Domain },
    run: async ({ credentials }, { address, domain }) => ({
      output: { address: key(address), ...(domain === undefined ? {} : { domain: domainName(domain) }) },
      change: await credentials.addAdministrator(address, domain),
    }),
  }),
  'admin.remove': act('admin.remove', {
    area: 'administrators',
    title: 'Takes that away',
    input: { address: Text, domain: Domain },
    run: async ({ credentials }, { address, domain }) => ({
      output: { address: key(address), ...(domain === undefined ? {} : { domain: domainName(domain) }) },
      change: await credentials.removeAdministrator(address, domain),
    }),
  }),
  'admin.list': look('admin.list', {
    area: 'administrators',
    title: 'Lists the administrators',
    input: {},
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
