/**
 * A node with a million held rows: what an administrator waits for who looks at them, and what new mail
 * notices of 10,000 that are released or deleted.
 */
import { connectControl } from '../../src/operations/control-client.ts';
import { type Contestant, contestant, type Round, round } from '../contest.ts';
import { median, percentile } from '../measure/statistics.ts';
import { postern, type RunningPostern } from '../product/postern.ts';
import type { Bench, Outcome, Scenario, Verdict } from '../scenario.ts';
import { heldMessages, heldSender } from '../tool/queue-seed.ts';
import { fillState } from '../tool/state-database.ts';

const ROWS = 1_000_000;
/** Each has 10,000 held rows; of a user there are 100. */
const DOMAINS = 100;
const USERS_OF_DOMAIN = 100;
const ROWS_OF_DOMAIN = ROWS / DOMAINS;
const LOOKS = 300;
const AT_ONCE = 8;
/** Takes some seconds, so that the act lies within it. */
const LOAD = { messages: 30_000, sessions: 20, sizeBytes: 10_240, kept: true };
const LONGEST_PAGE_MS = 30;
const LONGEST_STATUS_MS = 5;
const LONGEST_ACT_MS = 5_000;
const LEAST_RATIO = 0.9;

export const heldMail: Scenario = {
  name: 'held-mail',
  what: 'a million held rows: pages of them, the status, and 10,000 released or deleted while mail flows',
  run,
};

interface Asked {
  readonly what: string;
  readonly p50: number;
  readonly p95: number;
}

interface Act {
  readonly operation: string;
  readonly tookMs: number;
  readonly changed: number;
  readonly beside: Round;
}

type Ask = (operation: string, input?: object) => Promise<unknown>;

async function run(bench: Bench): Promise<Outcome> {
  const seed = (data: string): void =>
    fillState(data, heldMessages({ rows: ROWS, domains: DOMAINS, users: USERS_OF_DOMAIN }));
  const env = { POSTERN_DNS_SERVERS: '127.0.0.4:9' };
  await using node = await contestant(bench, heldMail.name, postern(bench.postern, { seed, env }));
  bench.tell(`started in ${node.product.startMs.toFixed(0)} ms with a million held rows`);
  const looks = await lookAt(bench, node);
  const acts: Act[] = [];
  const alone: Round[] = [];
  await round(node, LOAD);
  for (let i = 0; i < bench.rounds; i++) {
    for (const operation of ['queue.release', 'queue.delete']) {
      alone.push(await round(node, LOAD));
      acts.push(await act(node, operation, `held-${acts.length}.example`));
      const { tookMs, changed, beside } = acts.at(-1)!;
      bench.tell(
        `${operation}: ${changed} in ${(tookMs / 1000).toFixed(1)} s, mail ${beside.acceptedPerSecond.toFixed(0)}/s beside ${alone.at(-1)!.acceptedPerSecond.toFixed(0)}/s`,
      );
    }
  }
  return outcome(looks, acts, alone);
}

async function lookAt(bench: Bench, { product }: Contestant<RunningPostern>): Promise<readonly Asked[]> {
  const client = await connectControl(product.data);
  const ask: Ask = (operation, input = {}) => client.ask({ operation, input, actor: 'bench' });
  const user = (n: number): string => `user-${n % USERS_OF_DOMAIN}@held-${n % DOMAINS}.example`;
  const held = { state: 'held', limit: 50 };
  const questions: readonly [what: string, atOnce: number, of: (n: number) => [string, object?]][] = [
    ['a page of all', 1, () => ['queue.list', held]],
    ['a page of one user', 1, (n) => ['queue.list', { ...held, to: user(n) }]],
    ['class and user', 1, (n) => ['queue.list', { ...held, class: 'user', to: user(n) }]],
    ['eight at once, class and user', AT_ONCE, (n) => ['queue.list', { ...held, class: 'user', to: user(n) }]],
    [
      'one domain, by check',
      1,
      (n) => ['queue.list', { ...held, domains: [`held-${n % DOMAINS}.example`], check: 'dmarc' }],
    ],
    ['one sender', 1, (n) => ['queue.list', { ...held, from: heldSender(n) }]],
    [
      'a subject of one domain',
      1,
      (n) => ['queue.list', { ...held, to: `held-${n % DOMAINS}.example`, subject: 'invoice 7' }],
    ],
    ['status', 1, () => ['status']],
  ];
  const asked: Asked[] = [];
  try {
    for (const [what, atOnce, of] of questions) {
      const times: number[] = [];
      for (let n = 0; n < LOOKS; n += atOnce) {
        await Promise.all(
          Array.from({ length: atOnce }, async (_, i) => {
            const startedAt = performance.now();
            await ask(...of(n + i));
            times.push(performance.now() - startedAt);
          }),
        );
      }
      asked.push({ what, p50: median(times), p95: percentile(times, 95) });
      bench.tell(`${what}: p50 ${asked.at(-1)!.p50.toFixed(1)} ms, p95 ${asked.at(-1)!.p95.toFixed(1)} ms`);
    }
  } finally {
    client.close();
  }
  return asked;
}

/** All held rows of one domain, begun when mail flows already. */
async function act(node: Contestant<RunningPostern>, operation: string, domain: string): Promise<Act> {
  const client = await connectControl(node.product.data);
  try {
    const flowing = round(node, LOAD);
    const startedAt = performance.now();
    const input = { all: true, state: 'held', domains: [domain] };
    const { changed } = (await client.ask({ operation, input, actor: 'bench' })) as { changed: number };
    const tookMs = performance.now() - startedAt;
    return { operation, tookMs, changed, beside: await flowing };
  } finally {
    client.close();
  }
}

function outcome(looks: readonly Asked[], acts: readonly Act[], alone: readonly Round[]): Outcome {
  const slowest = Math.max(...looks.filter(({ what }) => what !== 'status').map(({ p95 }) => p95));
  const status = looks.find(({ what }) => what === 'status')!.p95;
  const rate = median(alone.map(({ acceptedPerSecond }) => acceptedPerSecond));
  const verdicts: Verdict[] = [
    {
      promise: `a page in ${LONGEST_PAGE_MS} ms at p95`,
      measured: `${slowest.toFixed(1)} ms`,
      kept: slowest <= LONGEST_PAGE_MS,
    },
    {
      promise: `the status in ${LONGEST_STATUS_MS} ms`,
      measured: `${status.toFixed(1)} ms`,
      kept: status <= LONGEST_STATUS_MS,
    },
  ];
  const rows: string[][] = looks.map(({ what, p50, p95 }) => [what, p50.toFixed(1), p95.toFixed(1), '']);
  for (const operation of ['queue.release', 'queue.delete']) {
    const own = acts.filter((one) => one.operation === operation);
    const tookMs = median(own.map((one) => one.tookMs));
    const ratio = median(own.map(({ beside }) => beside.acceptedPerSecond)) / rate;
    const isWhole = own.every(({ changed }) => changed === ROWS_OF_DOMAIN);
    rows.push([`${operation} of ${ROWS_OF_DOMAIN}`, tookMs.toFixed(0), '', ratio.toFixed(2)]);
    verdicts.push(
      {
        promise: `${operation} of ${ROWS_OF_DOMAIN} rows in ${LONGEST_ACT_MS / 1000} s`,
        measured: `${(tookMs / 1000).toFixed(1)} s`,
        kept: isWhole && tookMs <= LONGEST_ACT_MS,
      },
      {
        promise: `mail flows at ${LEAST_RATIO} of its rate meanwhile`,
        measured: ratio.toFixed(2),
        kept: ratio >= LEAST_RATIO,
      },
    );
  }
  return { table: [['', 'p50 ms', 'p95 ms', 'mail'], ...rows], verdicts, figures: { looks, acts, alone } };
}
