/** Accounts: the mailboxes and senders of local domains. */
import { Type } from 'typebox';
import { anyAddress } from '../../directory/names.ts';
import { hashPassword } from '../../directory/password.ts';
import { addressKey } from '../../model/address.ts';
import { act, question } from '../define.ts';
import { both, Limit, Text } from './words.ts';

/** Bounded again, and with a sentence, by hashPassword. */
const Password = Type.String({ maxLength: 10_000 });

export const userOperations = {
  'user.add': act('user.add', {
    title: 'Adds an account, with a password or without',
    input: { address: Text, password: Type.Optional(Password), name: Type.Optional(Text) },
    secrets: ['password'],
    run: async ({ admin, random }, { address, password, name }) => {
      const hash = password === undefined ? undefined : await hashPassword(password, random.bytes);
      const change = await admin.addAccount({ address, password: hash, name });
      return { output: { address: addressKey(anyAddress(address)) }, change };
    },
  }),

  'user.remove': act('user.remove', {
    title: 'Removes an account with its settings',
    input: { address: Text },
    run: async ({ admin, settings }, { address }, actor) => {
      const account = addressKey(anyAddress(address));
      const removed = await admin.removeAccount(account);
      return { output: { address: account }, change: both(removed, settings.prepareForget([{ account }], actor.name)) };
    },
  }),

  'user.set-password': act('user.set-password', {
    title: 'Gives an account another password',
    input: { address: Text, password: Password },
    secrets: ['password'],
    run: async ({ admin, random }, { address, password }) => {
      const change = await admin.setPassword(address, await hashPassword(password, random.bytes));
      return { output: { address: addressKey(anyAddress(address)) }, change };
    },
  }),

  'user.set-name': act('user.set-name', {
    title: 'Says what people call the owner of an account; the empty name takes it away',
    input: { address: Text, name: Text },
    run: async ({ admin }, { address, name }) => ({
      output: { address: addressKey(anyAddress(address)) },
      change: await admin.setName(address, name),
    }),
  }),

  'user.list': question('user.list', {
    title: 'Lists accounts, of one domain or of all, a page at a time',
    input: { domain: Type.Optional(Text), after: Type.Optional(Text), limit: Limit },
    run: async ({ admin }, page) => ({ output: await admin.listAccounts(page) }),
  }),
};
