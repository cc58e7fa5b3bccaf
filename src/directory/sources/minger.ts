/**
 * Minger (draft-hathcock-minger-06): asks a mail server for one address by UDP or TCP.
 *
 * A datagram is easily forged, so each question has a socket of its own: a random port, connected to the server, and
 * only a reply that repeats the mailbox counts. Asked again after 1, 2 and 4 seconds, given up after 5. Minger has no
 * passwords: they are checked by SMTP AUTH at the same host if a port for it is set.
 */

import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import {
  formatMingerQuery,
  MINGER_LINE_BYTES,
  type MingerStatus,
  parseMingerAnswer,
} from '../../protocol/minger/minger.ts';
import { wireLine } from '../../protocol/text/unsafe.ts';
import type { TimerHandle } from '../../world/clock.ts';
import { type Answer, cannotTell, type Question, type SourceServices, type VerificationSource } from './contract.ts';
import type { MingerOptions } from './definition.ts';
import { smtpSignIn } from './smtp-call-forward.ts';
import { createTalker } from './smtp-talk.ts';

const RETRANSMIT_AT_MS = [1000, 2000, 4000];
const GIVE_UP_MS = 5000;

interface Exchange {
  readonly address: string;
  readonly port: number;
  readonly query: string;
  readonly mailbox: string;
}

export function mingerSource(
  options: MingerOptions,
  secret: string | undefined,
  services: SourceServices,
): VerificationSource {
  const talker = createTalker(services);
  const { host, port, transport, signInPort, trust, pin } = options;
  const ask = transport === 'udp' ? askByUdp : askByTcp;
  return {
    async verify(question) {
      const found = await services.resolveHost(host, { hostsFile: true });
      if (found.kind !== 'found') return cannotTell(`the host name ${host} has no address now`);
      const mailbox = question.address.text;
      // The digest is over the mailbox exactly as it is sent.
      const query = formatMingerQuery(mailbox, secret);
      question.dialogue.sent(secret === undefined ? query : `${mailbox} d=(hidden)`);
      const status = await ask({ address: found.addresses[0]!, port, query, mailbox }, question, services);
      question.dialogue.received(`${mailbox}: ${status}`);
      return ANSWERS[status];
    },
    ...(signInPort !== 0 && {
      authenticate: (question: Question, password: string) =>
        smtpSignIn(talker, { host, port: signInPort, trust, pin }, question, password, services),
    }),
    async isAt(address) {
      const found = await services.resolveHost(host, { hostsFile: true });
      return found.kind === 'found' && found.addresses.includes(address);
    },
    close() {},
  };
}

/** 4 gives no reason: over quota, or disabled. */
const ANSWERS: Readonly<Record<MingerStatus, Answer>> = {
  'invalid-request': cannotTell('the server takes our query for malformed (0)'),
  'access-denied': cannotTell('the server denies access to us (1)'),
  'bad-credentials': cannotTell('the server refuses our shared secret, or demands one (2)'),
  'no-such-address': { kind: 'no' },
  'exists-inactive': { kind: 'yes', unavailable: 'disabled' },
  'exists-active': { kind: 'yes' },
};

function askByUdp(
  { address, port, query, mailbox }: Exchange,
  { dialogue, signal }: Question,
  { clock }: SourceServices,
): Promise<MingerStatus> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    const timers: TimerHandle[] = [];
    const end = (settle: () => void): void => {
      for (const timer of timers.splice(0)) timer.cancel();
      signal.removeEventListener('abort', abort);
      socket.removeAllListeners().on('error', () => {});
      socket.close();
      settle();
    };
    const fail = (reason: string): void => end(() => reject(new Error(reason)));
    const abort = (): void => fail('the time is over');
    const send = (): void => socket.send(query, (error) => error && fail(error.message));
    socket.on('error', (error) => fail(error.message));
    socket.on('message', (datagram) => {
      const status = parseMingerAnswer(datagram.toString('utf8'), mailbox);
      if (status) end(() => resolve(status));
      else dialogue.note('an answer to another question was passed over');
    });
    signal.addEventListener('abort', abort, { once: true });
    socket.connect(port, address, () => {
      send();
      for (const ms of RETRANSMIT_AT_MS) timers.push(clock.after(ms, send));
      timers.push(clock.after(GIVE_UP_MS, () => fail('the server does not answer')));
    });
  });
}

function askByTcp(
  { address, port, query, mailbox }: Exchange,
  { signal }: Question,
  { clock }: SourceServices,
): Promise<MingerStatus> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const end = (settle: () => void): void => {
      timer.cancel();
      signal.removeEventListener('abort', abort);
      socket.destroy();
      settle();
    };
    const fail = (reason: string): void => end(() => reject(new Error(reason)));
    const abort = (): void => fail('the time is over');
    const read = (): void => {
      const status = parseMingerAnswer(answer, mailbox);
      if (status) end(() => resolve(status));
      else fail('the server answers what was not asked');
    };
    const socket = connect({ host: address, port, noDelay: true }, () => socket.write(wireLine(query)));
    const timer = clock.after(GIVE_UP_MS, () => fail('the server does not answer'));
    signal.addEventListener('abort', abort, { once: true });
    socket.setEncoding('utf8');
    socket.on('error', (error) => fail(error.message));
    socket.on('end', () => (answer === '' ? fail('the server closed the connection') : read()));
    socket.on('data', (text: string) => {
      answer += text;
      if (answer.includes('\n') || answer.length > MINGER_LINE_BYTES) read();
    });
  });
}
