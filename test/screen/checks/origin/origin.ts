/**
 * A world for the checks of origin: the small world of screening, with a DNS zone on real sockets and
 * a stranger who signs, forwards or forges.
 */
import type { TestContext } from 'node:test';
import type { Finding } from '../../../../src/model/finding.ts';
import type { SessionFacts } from '../../../../src/model/session.ts';
import type { Check } from '../../../../src/screen/engine/check.ts';
import { CHECKS } from '../../../../src/screen/index.ts';
import { createScreen } from '../../../../src/screen/session/session.ts';
import { createResolver } from '../../../../src/world/resolver/stub.ts';
import type { OwnedResolver, SharingResolver } from '../../../../src/world/resolver.ts';
import { manualClock } from '../../../support/clock.ts';
import { recordedEvents } from '../../../support/events.ts';
import { seededRandom } from '../../../support/random.ts';
import { startZone, type Zone, type ZoneName } from '../../../support/zone.ts';
import {
  content,
  correspondentsFrom,
  directory,
  grants,
  type SettingTable,
  senderRules,
  settings,
  transact,
} from '../../world.ts';

export const CLIENT = '198.51.100.7';

export interface Sending {
  readonly records?: Record<string, ZoneName>;
  readonly settings?: SettingTable;
  readonly client?: string;
  readonly helo?: string;
  /** `null`: the null reverse-path. Default: bob@remote.example. */
  readonly from?: string | null;
  readonly to?: readonly string[];
  readonly message?: string;
  readonly account?: string;
  readonly silent?: boolean;
  /** The node has no look-up for these names. */
  readonly shortOf?: (name: string) => boolean;
  readonly extraChecks?: readonly Check[];
  readonly lists?: Parameters<typeof senderRules>[0];
}

export const LETTER =
  'From: Bob <bob@remote.example>\r\nTo: alice@example.com\r\nSubject: hello\r\nDate: Sun, 4 Jan 2026 00:00:00 +0000\r\nMessage-ID: <1@remote.example>\r\n\r\nHello.\r\n';

export async function sendFrom(t: TestContext, sending: Sending = {}) {
  const zone: Zone = await startZone(t, { 'remote.example': { MX: [[10, 'mx.remote.example']] }, ...sending.records });
  zone.silent = sending.silent ?? false;
  const clock = manualClock();
  const events = recordedEvents();
  const asking = createResolver({ clock, events, random: seededRandom() }, { servers: [zone.server] });
  const resolver = sending.shortOf ? shortOf(asking, sending.shortOf) : asking;
  const services = {
    clock,
    events,
    resolver,
    directory: directory(),
    settings: settings(sending.settings),
    hostname: 'mx.postern.example',
    identities: () => ({ domains: ['example.com'], people: [] }),
    correspondents: correspondentsFrom(),
    senderRules: senderRules(sending.lists),
    grants: grants(directory()),
  };
  const facts: SessionFacts = {
    id: 's1',
    profile: sending.account === undefined ? 'mx' : 'submission',
    client: { address: sending.client ?? CLIENT, port: 4711 },
    local: { address: '192.0.2.1', port: 25 },
    helo: sending.helo ?? 'client.remote.example',
    extended: true,
    startedAt: clock.now(),
    ...(sending.account !== undefined && { account: sending.account }),
  };
  const checks = sending.extraChecks ? [...sending.extraChecks, ...CHECKS] : CHECKS;
  const session = createScreen(services, checks).session(facts);
  const from = sending.from === undefined ? 'bob@remote.example' : sending.from;
  const sent = transact(
    { session, facts },
    from,
    sending.to ?? ['alice@example.com'],
    content(sending.message ?? LETTER),
  );
  if (sending.silent) await advanceUntil(clock, sent);
  const { recipients, message } = await sent;
  const [first] = recipients;
  const findings: readonly Finding[] = message?.findings.flatMap((one) => one.findings) ?? first?.findings ?? [];
  return {
    zone,
    events,
    clock,
    first,
    message,
    findings,
    codes: findings.map(({ check, code }) => `${check} ${code}`),
    evidence: message?.evidence ?? {},
    /** `code enhanced` of the reply, or what was accepted. */
    outcome:
      first && !first.accepted
        ? `${first.reply.code} ${first.reply.enhanced}`
        : message?.kind === 'commit'
          ? message.dispositions.map((one) => (one.kind === 'hold' ? `hold ${one.class}` : one.kind)).join()
          : `${message?.reply.code} ${message?.reply.enhanced}`,
    edits: message?.kind === 'commit' ? (message.edits[0] ?? []) : [],
  };
}

/** As the resolver is for a client who has no place for some names. */
function shortOf(asking: SharingResolver, names: (name: string) => boolean): SharingResolver {
  return {
    ...asking,
    for(owner) {
      const own = asking.for(owner);
      let short = false;
      const shortened: OwnedResolver = {
        ...own,
        part: () => shortened,
        isShort: () => short || own.isShort(),
        resolve(name, type) {
          if (!names(name)) return own.resolve(name, type);
          short = true;
          return Promise.resolve({ kind: 'unknown', reason: 'too-many' });
        },
      };
      return shortened;
    },
  };
}

/** Time passes by itself until it is done: only name servers are silent, and their time-outs are on the clock. */
async function advanceUntil(clock: ReturnType<typeof manualClock>, done: Promise<unknown>): Promise<void> {
  let isDone = false;
  void done.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
