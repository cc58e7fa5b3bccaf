/** Every command, one file each, loaded when it is used. */
import type { Register } from './run.ts';

interface CommandEntry {
  readonly title: string;
  load(): Promise<Register>;
}

export const COMMANDS = {
  serve: { title: 'run a node', load: async () => (await import('./commands/serve.ts')).serve },
  demo: {
    title: 'run a sandbox with two domains, and send mail through it',
    load: async () => (await import('./commands/demo.ts')).demo,
  },
  domain: {
    title: 'local domains, and where their mail goes',
    load: async () => (await import('./commands/domain.ts')).domain,
  },
  dkim: { title: 'the keys that sign outgoing mail', load: async () => (await import('./commands/dkim.ts')).dkim },
  user: { title: 'accounts', load: async () => (await import('./commands/user.ts')).user },
  auth: { title: 'why somebody cannot sign in', load: async () => (await import('./commands/auth.ts')).auth },
  admin: { title: 'accounts that administer', load: async () => (await import('./commands/admin.ts')).admin },
  alias: { title: 'addresses that lead to others', load: async () => (await import('./commands/alias.ts')).alias },
  server: {
    title: "domain mail servers: the organisation's own",
    load: async () => (await import('./commands/server.ts')).server,
  },
  source: {
    title: 'verification sources: who knows which users exist',
    load: async () => (await import('./commands/source.ts')).source,
  },
  verify: {
    title: 'ask the sources whether a user exists',
    load: async () => (await import('./commands/verify.ts')).verify,
  },
  minger: {
    title: 'the server that tells others which users exist here',
    load: async () => (await import('./commands/minger.ts')).minger,
  },
  list: {
    title: 'allow and block lists: senders that pass, or do not',
    load: async () => (await import('./commands/list.ts')).list,
  },
  shield: {
    title: 'IP shielding: the networks that senders of a domain come from',
    load: async () => (await import('./commands/shield.ts')).shield,
  },
  settings: {
    title: 'everything that can be changed while the node runs',
    load: async () => (await import('./commands/settings.ts')).settings,
  },
  check: {
    title: 'test the DNS records of this node and its domains, and say what to publish',
    load: async () => (await import('./commands/check.ts')).check,
  },
  queue: { title: 'mail that waits or is held', load: async () => (await import('./commands/queue.ts')).queue },
  operation: {
    title: 'acts that go on in the background',
    load: async () => (await import('./commands/operation.ts')).operation,
  },
  log: { title: 'what became of messages', load: async () => (await import('./commands/log.ts')).log },
  replay: {
    title: 'what other settings would have made of past mail',
    load: async () => (await import('./commands/replay.ts')).replay,
  },
  report: {
    title: 'DMARC and TLS reports, sent and received',
    load: async () => (await import('./commands/report.ts')).report,
  },
  status: {
    title: 'the node: version, listeners, queue',
    load: async () => (await import('./commands/status.ts')).status,
  },
  version: { title: 'print the version', load: async () => (await import('./commands/version.ts')).version },
} as const satisfies Readonly<Record<string, CommandEntry>>;

export type CommandName = keyof typeof COMMANDS;
