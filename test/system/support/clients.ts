/** Clients at addresses of their own, as a trusted proxy names them, and what the log says of their mail. */
import { isIPv6 } from 'node:net';
import { letter, SmtpConversation } from './client.ts';
import { eventually, type RunningNode } from './node.ts';

/** Where the proxy is; the node trusts it (POSTERN_TRUSTED_PROXIES). */
export const PROXY = '127.0.0.3';

export interface Mail {
  /** The client's address; absent: this machine itself, without a proxy. */
  readonly client?: string;
  readonly helo?: string;
  readonly from: string;
  readonly to?: readonly string[];
  /** Of the From field. Default: the sender. */
  readonly author?: string;
  readonly content?: string;
}

/** What was answered: to each recipient and to the content, as `250`, `550 5.7.1`. */
export interface Told {
  readonly recipients: readonly string[];
  readonly final?: string;
}

export async function open(node: RunningNode, client?: string): Promise<SmtpConversation> {
  if (client === undefined) return greeted(await SmtpConversation.open(node.port('mx')));
  const family = isIPv6(client) ? 'TCP6' : 'TCP4';
  for (;;) {
    const conversation = await SmtpConversation.open(node.port('mx'), '127.0.0.1', PROXY);
    conversation.write(`PROXY ${family} ${client} ${isIPv6(client) ? '2001:db8::25' : '192.0.2.25'} 4711 25\r\n`);
    await greeted(conversation);
    // On a busy machine the header may come when the node has ceased to wait for one, and then is an unknown command.
    if ((await conversation.say('NOOP')).code !== 500) return conversation;
    conversation.close();
  }
}

async function greeted(conversation: SmtpConversation): Promise<SmtpConversation> {
  await conversation.reply();
  return conversation;
}

export async function submit(node: RunningNode, mail: Mail): Promise<Told> {
  const { from, to = ['alice@example.com'], author = from, content = letter({ from: author }) } = mail;
  const conversation = await open(node, mail.client);
  try {
    await conversation.say(`EHLO ${mail.helo ?? 'client.example'}`);
    await conversation.say(`MAIL FROM:<${from}>`);
    const recipients: string[] = [];
    for (const address of to) recipients.push(codes(await conversation.say(`RCPT TO:<${address}>`)));
    if (!recipients.includes('250')) return { recipients };
    await conversation.say('DATA');
    return { recipients, final: codes(await conversation.content(content)) };
  } finally {
    conversation.close();
  }
}

function codes({ code, lines }: { readonly code: number; readonly lines: readonly string[] }): string {
  if (code < 400) return String(code);
  return `${code} ${/^\d{3}[ -](\d\.\d+\.\d+)/.exec(lines[0] ?? '')?.[1] ?? ''}`;
}

/** `postern log show` of the newest message of a sender, once the log has it. */
export function explained(node: RunningNode, from: string): Promise<string> {
  return eventually(async () => {
    const found = JSON.parse(await node.cli(['log', 'search', '--json', '--limit', '1', '--from', from]));
    return found.length > 0 ? node.cli(['log', 'show', found[0].id]) : undefined;
  }, `mail of ${from} in the log`);
}
