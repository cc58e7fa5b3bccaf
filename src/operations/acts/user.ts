/** Accounts: the mailboxes and senders of local domains. */
import { Type } from 'typebox';
import { anyAddress, localAddress } from '../../directory/addresses/names.ts';
import type { AccountRow } from '../../directory/admin.ts';
import { PAGE_ROWS } from '../../directory/limits.ts';
import { addressKey } from '../../model/address.ts';
import { pageOf } from '../../model/page.ts';
import { Answer, PageAnswer } from '../answers.ts';
import { act, look } from '../define.ts';
import { pageRowsOf } from '../reach.ts';
import type { OperationServices } from '../services.ts';
import { type Versioning, versioned, versionOf } from '../versions.ts';
import { both, Domains, OF_ADDRESS, PAGE, Text } from './types.ts';

const AccountAnswer = Answer({
  address: Type.String(),
  domain: Type.String(),
  state: Type.String(),
  hasPassword: Type.Boolean(),
  name: Type.String(),
  createdAt: Type.Number(),
  version: Type.String(),
});

const ACCOUNT_VERSION: Versioning<OperationServices, { readonly address: string }> = {
  async of({ admin }, { address }) {
    const row = await admin.account(address);
    return row && versionOf(row);
  },
  unchanged: ({ admin }, { address }) => admin.unchanged.account(address),
};

/** The rules of passwords bound it again, with an error message. */
const Password = Type.String({ maxLength: 10_000 });

export const userOperations = {
  'user.add': act('user.add', {
    area: 'accounts',
    reach: OF_ADDRESS,
    topics: ['accounts', 'sign-in'],
    title: 'Adds an account, with a password or without',
    input: { address: Text, password: Type.Optional(Password), name: Type.Optional(Text) },
    secrets: ['password'],
    answer: Answer({ address: Type.String() }),
    run: async ({ admin, credentials }, { address, password, name }) => {
      const added = await admin.addAccount({ address, name });
      const login = addressKey(localAddress(address));
      const { domain } = localAddress(address);
      const secret =
        password === undefined
          ? []
          : await credentials.passwordStatements({ login, domain, name: name ?? '', password });
      const change = { statements: [...added.statements, ...secret], committed: added.committed };
      return { output: { address: login }, change };
    },
  }),

  'user.remove': act('user.remove', {
    area: 'accounts',
    version: ACCOUNT_VERSION,
    reach: OF_ADDRESS,
    topics: ['accounts', 'sign-in', 'settings'],
    title: 'Removes an account with its settings',
    input: { address: Text },
    answer: Answer({ address: Type.String() }),
    run: async ({ admin, settings, credentials }, { address }, actor) => {
      const account = addressKey(anyAddress(address));
      const removed = await admin.removeAccount(account);
      const forgotten = settings.prepareForget([{ account }], actor.name);
      const change = both(removed, both(credentials.removalsOf(account), forgotten));
      return { output: { address: account }, change };
    },
  }),

  'user.set-password': act('user.set-password', {
    area: 'sign-in',
    version: ACCOUNT_VERSION,
    reach: OF_ADDRESS,
    title: 'Gives an account another password',
    input: {
      address: Text,
      password: Password,
      cramMd5: Type.Optional(Type.Boolean({ description: 'keep it, encrypted, so that CRAM-MD5 works' })),
    },
    secrets: ['password'],
    answer: Answer({ address: Type.String() }),
    run: async ({ credentials }, { address, password, cramMd5 }) => ({
      output: { address: addressKey(anyAddress(address)) },
      change: await credentials.setPassword(address, password, cramMd5),
    }),
  }),

  'user.set-state': act('user.set-state', {
    area: 'sign-in',
    version: ACCOUNT_VERSION,
    reach: OF_ADDRESS,
    title: 'Freezes, disables or reactivates an account',
    input: { address: Text, state: Type.Enum(['active', 'frozen', 'disabled']) },
    answer: Answer({ address: Type.String(), state: Type.String() }),
    run: async ({ credentials }, { address, state }) => ({
      output: { address: addressKey(anyAddress(address)), state },
      change: await credentials.setState(address, state),
    }),
  }),

  'user.set-name': act('user.set-name', {
    area: 'accounts',
    version: ACCOUNT_VERSION,
    reach: OF_ADDRESS,
    title: 'Says what people call the owner of an account; the empty name takes it away',
    input: { address: Text, name: Text },
    answer: Answer({ address: Type.String() }),
    run: async ({ admin }, { address, name }) => ({
      output: { address: addressKey(anyAddress(address)) },
      change: await admin.setName(address, name),
    }),
  }),

  'user.list': look('user.list', {
    area: 'accounts',
    reach: { narrowed: true, cut: pageRowsOf(({ domain }: AccountRow) => [domain]) },
    title: 'Lists accounts, of one domain or of all, a page at a time',
    input: { domain: Type.Optional(Text), domains: Domains, ...PAGE },
    answer: PageAnswer(AccountAnswer),
    run: async ({ admin }, { limit = PAGE_ROWS, ...page }) => {
      const rows = await admin.listAccounts({ ...page, limit: limit + 1 });
      return { output: pageOf(rows.map(versioned), limit, ({ address }) => address) };
    },
  }),
};
