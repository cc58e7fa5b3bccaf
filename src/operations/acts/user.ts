/** Accounts: the mailboxes and senders of local domains. */
import { Type } from 'typebox';
import { anyAddress, localAddress } from '../../directory/addresses/names.ts';
import { addressKey } from '../../model/address.ts';
import { act, look } from '../define.ts';
import { both, Limit, Text } from './types.ts';

/** Bounded again, and with a sentence, by the rules of passwords. */
const Password = Type.String({ maxLength: 10_000 });

export const userOperations = {
  'user.add': act('user.add', {
    area: 'accounts',
    topics: ['accounts', 'sign-in'],
    title: 'Adds an account, with a password or without',
    input: { address: Text, password: Type.Optional(Password), name: Type.Optional(Text) },
    secrets: ['password'],
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
    topics: ['accounts', 'sign-in', 'settings'],
    title: 'Removes an account with its settings',
    input: { address: Text },
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
    title: 'Gives an account another password',
    input: {
      address: Text,
      password: Password,
      cramMd5: Type.Optional(Type.Boolean({ description: 'keep it, encrypted, so that CRAM-MD5 works' })),
    },
    secrets: ['password'],
    run: async ({ credentials }, { address, password, cramMd5 }) => ({
      output: { address: addressKey(anyAddress(address)) },
      change: await credentials.setPassword(address, password, cramMd5),
    }),
  }),

  'user.set-state': act('user.set-state', {
    area: 'sign-in',
    title: 'Freezes, disables or reactivates an account',
    input: { address: Text, state: Type.Enum(['active', 'frozen', 'disabled']) },
    run: async ({ credentials }, { address, state }) => ({
      output: { address: addressKey(anyAddress(address)), state },
      change: await credentials.setState(address, state),
    }),
  }),

  'user.set-name': act('user.set-name', {
    area: 'accounts',
    title: 'Says what people call the owner of an account; the empty name takes it away',
    input: { address: Text, name: Text },
    run: async ({ admin }, { address, name }) => ({
      output: { address: addressKey(anyAddress(address)) },
      change: await admin.setName(address, name),
    }),
  }),

  'user.list': look('user.list', {
    area: 'accounts',
    title: 'Lists accounts, of one domain or of all, a page at a time',
    input: { domain: Type.Optional(Text), after: Type.Optional(Text), limit: Limit },
    run: async ({ admin }, page) => ({ output: await admin.listAccounts(page) }),
  }),
};
