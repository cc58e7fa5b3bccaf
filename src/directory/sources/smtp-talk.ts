/**
 * An SMTP conversation without mail: opened as by delivery, then a command at a time. A slow peer is disconnected
 * after a step's time, one that sends too much or nonsense at once. Errors: Error with a sentence; the caller takes
 * it for a source that cannot tell.
 */

import type { ConnectionOptions } from 'node:tls';
import type { Reply } from '../../model/reply.ts';
import { replyText } from '../../model/reply.ts';
import type { PeerExtensions } from '../../protocol/smtp/ehlo-reply.ts';
import { wireLine } from '../../protocol/text/unsafe.ts';
import { createDeadlines, type Deadlines } from '../../wire/client/deadlines.ts';
import { openSession } from '../../wire/client/opening.ts';
import { openTransport, type Transport } from '../../wire/client/transport.ts';
import type { ConnectOptions, OpeningFailure, SignIn } from '../../wire/client/types.ts';
import type { Question, SourceServices } from './contract.ts';
import { ADDRESSES_TRIED, STEP_MS } from './limits.ts';

export interface TalkOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: ConnectOptions['tls'];
  readonly tlsOptions: (host: string) => ConnectionOptions;
  /** Absent: asks without authentication. */
  readonly signIn?: SignIn;
}

export interface Talk {
  readonly extensions: PeerExtensions;
  /** `shown`: what the dialogue records in place of a line with a secret in it. */
  ask(line: string, shown?: string): Promise<Reply>;
  quit(): void;
}

export interface Talker {
  open(options: TalkOptions, question: Question): Promise<Talk>;
  /** The same, with a failure as a value. Errors: only if the host has no address. */
  reach(options: TalkOptions, question: Question): Promise<Talk | OpeningFailure>;
}

const TIMEOUTS = {
  connectMs: STEP_MS,
  greetingMs: STEP_MS,
  commandMs: STEP_MS,
  dataMs: STEP_MS,
  blockMs: STEP_MS,
  finalMs: STEP_MS,
};

export function createTalker({ clock, resolveHost, hostname }: SourceServices): Talker {
  const deadlines = createDeadlines(clock);
  async function reach(options: TalkOptions, question: Question): Promise<Talk | OpeningFailure> {
    const { dialogue, signal } = question;
    const found = await resolveHost(options.host, { hostsFile: true });
    if (found.kind !== 'found') throw new Error(`the host name ${options.host} has no address now`);
    const signIn = options.signIn && { ...options.signIn, notes: dialogue };
    const common = { ...options, signIn, heloName: hostname, timeouts: TIMEOUTS, without: [] };
    let failure: OpeningFailure = { kind: 'connection', step: 'connect', reason: 'it has no address' };
    for (const address of found.addresses.slice(0, ADDRESSES_TRIED)) {
      signal.throwIfAborted();
      const opened = await openOne({ ...common, address }, deadlines, question);
      if ('ask' in opened) return opened;
      failure = opened;
      dialogue.note(`${address} port ${options.port}: ${failure.reason}`);
      if (failure.kind !== 'connection') break;
    }
    return failure;
  }

  return {
    reach,
    async open(options, question) {
      const opened = await reach(options, question);
      if ('ask' in opened) return opened;
      throw new Error(opened.reason);
    },
  };
}

function openOne(options: ConnectOptions, deadlines: Deadlines, question: Question): Promise<Talk | OpeningFailure> {
  return new Promise((resolve) => {
    const { dialogue, signal } = question;
    const { address, port } = options;
    const abandon = (): void => {
      transport.close();
      resolve({ kind: 'connection', step: 'connect', reason: 'the time is over' });
    };
    const transport = openTransport(options, deadlines, () => session.connected());
    const session = openSession(
      transport,
      options,
      (extensions) => {
        dialogue.note(`in session with ${address} port ${port}, ${transport.tls?.protocol ?? 'in clear'}`);
        resolve(talkOver(transport, extensions, question));
      },
      resolve,
    );
    signal.addEventListener('abort', abandon, { once: true });
  });
}

function talkOver(transport: Transport, extensions: PeerExtensions, { dialogue }: Question): Talk {
  let waiting: PromiseWithResolvers<Reply> | undefined;
  let ended: string | undefined;
  transport.disarm();
  transport.received = (reply) => {
    dialogue.received(`${reply.code} ${reply.enhanced ?? ''} ${replyText(reply)}`.replace('  ', ' '));
    waiting?.resolve(reply);
  };
  transport.lost = ({ reason }) => {
    ended = reason;
    dialogue.note(reason);
    waiting?.reject(new Error(reason));
  };
  return {
    extensions,
    ask(line, shown = line) {
      if (ended !== undefined) return Promise.reject(new Error(ended));
      waiting = Promise.withResolvers();
      dialogue.sent(shown);
      transport.arm(STEP_MS);
      transport.write(wireLine(line));
      return waiting.promise;
    },
    quit() {
      // A courtesy; the answer is not awaited.
      waiting = undefined;
      transport.finish('QUIT\r\n', STEP_MS);
    },
  };
}
