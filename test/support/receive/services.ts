/**
 * The services of a receiver, in memory and observable: a screen that knows one domain, a queue and a journal that
 * record, a spool that keeps chunks. Each can be made to fail or to wait.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { createSessionGuard, type SessionGuard } from '../../../src/guard/sessions.ts';
import type { MessageRecord, SessionRecord } from '../../../src/journal/contract.ts';
import type { Envelope, Recipient } from '../../../src/model/envelope.ts';
import { OperationalError } from '../../../src/model/errors.ts';
import type { MaybePromise } from '../../../src/model/maybe-promise.ts';
import type { Reply } from '../../../src/model/reply.ts';
import type { SessionFacts } from '../../../src/model/session.ts';
import { looksLikeRelay } from '../../../src/protocol/smtp/address.ts';
import type { NewMessage } from '../../../src/queue/contract.ts';
import { createReceiver, type Receiver } from '../../../src/receive/receiver.ts';
import type { MessageVerdict, RecipientVerdict, Screen, StageVerdict } from '../../../src/screen/contract.ts';
import type { SettingDefinition } from '../../../src/settings/define.ts';
import type { Spool, StagedContent } from '../../../src/store/contract.ts';
import type { Authority, Offers } from '../../../src/wire/sasl/types.ts';
import { type Clock, systemClock } from '../../../src/world/clock.ts';
import { systemRandom } from '../../../src/world/random.ts';
import { selfSigned } from '../../../src/world/self-signed.ts';
import { createTlsContexts } from '../../../src/world/tls.ts';
import { type RecordedEvents, recordedEvents } from '../events.ts';

export interface Committed extends NewMessage {
  readonly bytes: string;
}

export interface TestReceiverOptions {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly trustedProxies?: readonly string[];
  readonly proxy?: 'off' | 'optional' | 'required';
  readonly profile?: 'mx' | 'submission' | 'submissions';
  readonly clock?: Clock;
  readonly asksCertificates?: boolean;
  /** Without it nobody can sign in. */
  readonly credentials?: Authority & { offers(): Offers | Promise<Offers> };
  readonly sessions?: SessionGuard;
  readonly onConnect?: (facts: SessionFacts) => MaybePromise<StageVerdict>;
  readonly onEhlo?: (facts: SessionFacts) => MaybePromise<StageVerdict>;
  readonly onRecipient?: (recipient: Recipient) => MaybePromise<RecipientVerdict | undefined>;
  readonly onMessage?: (envelope: Envelope) => MaybePromise<MessageVerdict | undefined>;
  /** Of the reverse-path; default `pass`. */
  readonly spf?: string;
  /** By their names, without it. */
  readonly haveOnePolicy?: (one: string, other: string) => boolean;
  readonly beforeCommit?: (message: NewMessage) => Promise<void>;
  /** The spool refuses more until `drained` resolves. */
  readonly drained?: () => Promise<void>;
}

export interface TestReceiver {
  readonly receiver: Receiver;
  readonly port: number;
  readonly committed: readonly Committed[];
  readonly sessions: readonly SessionRecord[];
  readonly messages: readonly MessageRecord[];
  readonly seen: readonly SessionFacts[];
  readonly events: RecordedEvents;
  /** Spools opened and neither finished nor discarded. */
  openSpools(): number;
  /** Resolves once a session has left its record. */
  sessionEnded(): Promise<SessionRecord>;
}

const REFUSED = { kind: 'no', reason: 'unknown' } as const;
export const NOBODY: Authority & { offers(): Offers } = {
  offers: () => ({ scram: false, bearer: false, cramMd5: false, external: false }),
  password: async () => REFUSED,
  scram: () => assert.fail('not offered'),
  sharedSecret: () => assert.fail('not offered'),
  bearer: async () => REFUSED,
  certificate: () => REFUSED,
  stands: () => assert.fail('nobody signed in'),
};

const NO_FINDINGS = { findings: [] } as const;
const PAIR = await selfSigned('mx.postern.example', systemClock);

export async function startReceiver(
  t: Pick<TestContext, 'after'>,
  options: TestReceiverOptions = {},
): Promise<TestReceiver> {
  const committed: Committed[] = [];
  const sessions: SessionRecord[] = [];
  const messages: MessageRecord[] = [];
  const seen: SessionFacts[] = [];
  const events = recordedEvents();
  const waiting: ((record: SessionRecord) => void)[] = [];
  const spools = { open: 0 };
  let ids = 0;

  const receiver = createReceiver(
    {
      clock: options.clock ?? systemClock,
      events,
      settings: {
        current: () => snapshot,
        onChange: () => () => {},
      },
      screen: screenOf(options, seen),
      queue: {
        newId: () => `id${++ids}`,
        async commit(message) {
          await options.beforeCommit?.(message);
          messages.push(acceptedRecord(message));
          committed.push({ ...message, bytes: Buffer.from(message.content.bytes!).toString('latin1') });
        },
      },
      blobs: { spool: () => memorySpool(spools, options.drained) },
      journal: {
        session(record) {
          sessions.push(record);
          for (const tell of waiting.splice(0)) tell(record);
        },
        message: (record) => messages.push(record as MessageRecord),
      },
      tls: createTlsContexts(PAIR),
      random: systemRandom,
      sessions: options.sessions ?? createSessionGuard((options.credentials ?? NOBODY).stands),
      credentials: options.credentials ?? NOBODY,
      asksCertificates: () => options.asksCertificates ?? false,
    },
    { hostname: 'mx.postern.example', trustedProxies: options.trustedProxies ?? [] },
  );
  const snapshot = {
    version: 1,
    get: <T>(setting: SettingDefinition<T>): T => (options.settings?.[setting.key] as T | undefined) ?? setting.default,
  };
  t.after(() => receiver.close());
  const { port } = await receiver.listen({
    profile: options.profile ?? 'mx',
    host: '127.0.0.1',
    port: 0,
    proxy: options.proxy ?? 'off',
  });
  return {
    receiver,
    port,
    committed,
    sessions,
    messages,
    seen,
    events,
    openSpools: () => spools.open,
    sessionEnded: () =>
      sessions.length > 0
        ? Promise.resolve(sessions[0]!)
        : new Promise((resolve) => {
            waiting.push(resolve);
          }),
  };
}

function screenOf(options: TestReceiverOptions, seen: SessionFacts[]): Screen {
  return {
    hidden: () => [],
    session: (facts) => ({
      connect: () => options.onConnect?.(facts) ?? NO_FINDINGS,
      ehlo: (known) => options.onEhlo?.(known) ?? NO_FINDINGS,
      mail(known) {
        seen.push(known);
        return NO_FINDINGS;
      },
      recipient: (recipient) => {
        const verdict = options.onRecipient?.(recipient);
        if (verdict instanceof Promise) return verdict.then((settled) => settled ?? decide(recipient));
        return verdict ?? decide(recipient);
      },
      haveOnePolicy: (one, other) => options.haveOnePolicy?.(one, other) ?? one === other,
      async message(envelope) {
        const verdict = (await options.onMessage?.(envelope)) ?? acceptAll(envelope);
        const mail = { scope: 'mfrom', result: options.spf ?? 'pass', domain: envelope.reversePath?.domain ?? '' };
        return { ...verdict, facts: { subject: 'as screened' }, evidence: { spf: { made: true, mail } } };
      },
    }),
  };
}

export const RELAYING: Reply = { code: 550, enhanced: '5.7.1', text: 'relaying denied' };
export const UNKNOWN_USER: Reply = { code: 550, enhanced: '5.1.1', text: 'no such user' };

/** example.com is local; `nobody` does not exist. */
export function decide(recipient: Recipient): RecipientVerdict {
  const { address } = recipient;
  const ours = address.domain === '' || address.domain === 'example.com' || address.domain === 'example.org';
  if (!ours || looksLikeRelay(address)) return { accepted: false, reply: RELAYING, findings: [] };
  if (address.local === 'nobody') return { accepted: false, reply: UNKNOWN_USER, findings: [] };
  return {
    accepted: true,
    recipient,
    direction: 'inbound',
    trusted: false,
    policyDomain: address.domain,
    targets: [address],
    viaAlias: false,
    findings: [],
  };
}

export function acceptAll(envelope: Envelope): MessageVerdict {
  return {
    kind: 'commit',
    dispositions: envelope.recipients.map(() => ({ kind: 'accept' })),
    edits: envelope.recipients.map(() => []),
    findings: [],
  };
}

function memorySpool(spools: { open: number }, drained: (() => Promise<void>) | undefined): Spool {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  let open = true;
  spools.open++;
  const end = (): void => {
    if (open) spools.open--;
    open = false;
  };
  return {
    get sizeBytes() {
      return sizeBytes;
    },
    get head() {
      return Buffer.concat(chunks);
    },
    write(chunk) {
      if (!open) throw new Error('written to after its end');
      chunks.push(Buffer.from(chunk));
      sizeBytes += chunk.length;
      return drained === undefined;
    },
    drained: async () => drained?.(),
    async finish() {
      end();
      return staged(Buffer.concat(chunks));
    },
    discard: end,
  };
}

function staged(bytes: Buffer): StagedContent {
  return {
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes,
    open: () => Readable.from([bytes]),
    home: { kind: 'row', pieces: [bytes] },
    discard() {},
  };
}

export function storeError(code: 'store.full' | 'store.unavailable'): OperationalError {
  return new OperationalError(code, `cannot store, as the disk must have room: current value is ${code}`);
}

/** The journal's row of an accepted message, which the queue writes. */
function acceptedRecord(message: NewMessage): MessageRecord {
  return {
    id: message.id,
    at: message.receivedAt,
    session: message.session,
    direction: message.recipients[0]!.direction,
    from: message.reversePath?.text ?? '',
    clientAddress: message.clientAddress,
    sizeBytes: message.content.sizeBytes,
    recipients: message.decided ?? [],
    detail: message.detail,
  };
}
