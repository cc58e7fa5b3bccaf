/**
 * Ten thousand destinations with a host each, half of them dead: of the dead, half refuse connections
 * and half never answer. Measured is how long mail takes to the live ones, from when it was due to be
 * sent until their server has it: first alone, then with as much mail to the dead in between.
 */
import { startSink } from '../../src/cli/demo/sink.ts';
import { directoryStatements } from '../../src/directory/statements.ts';
import type { Statement } from '../../src/store/contract.ts';
import { median, percentile } from '../measure/statistics.ts';
import { postern } from '../product/postern.ts';
import type { Bench, Outcome, Scenario } from '../scenario.ts';
import { startDeadPort } from '../tool/dead-host.ts';
import { sendPaced } from '../tool/paced-client.ts';
import { fillState } from '../tool/state-database.ts';

const DESTINATIONS = 10_000;
const LIVE = DESTINATIONS / 2;
/** To live destinations; to dead ones go as many again. */
const LIVE_PER_SECOND = 250;
const SIZE_BYTES = 2_000;
const MOST_TIMES = 2;
/** Nothing listens there. */
const REFUSING_PORT = 1;

export const deadDestinations: Scenario = {
  name: 'dead-destinations',
  what: 'milliseconds until mail is delivered to 5,000 live destinations, without and with 5,000 dead ones',
  run,
};

interface Phase {
  readonly p50: number;
  readonly p99: number;
}

interface Round {
  readonly alone: Phase;
  readonly mixed: Phase;
  /** Of the p99. */
  readonly times: number;
}

/** Each round on a node of its own: one that knows the dead is another. */
async function run(bench: Bench): Promise<Outcome> {
  const rounds: Round[] = [];
  for (let i = 1; i <= bench.rounds; i++) {
    const { alone, mixed } = await round(bench, i);
    const times = mixed.p99 / alone.p99;
    bench.tell(`round ${i}: p99 ${alone.p99.toFixed(1)} ms alone, ${mixed.p99.toFixed(1)} ms, ${times.toFixed(1)}x`);
    rounds.push({ alone, mixed, times });
  }
  return outcome(rounds);
}

async function round(bench: Bench, number: number): Promise<Omit<Round, 'times'>> {
  using deadPort = await startDeadPort();
  const arrivals = new Arrivals();
  const sink = await startSink({ onMessage: ({ content }) => arrivals.came(content.toString('latin1')) });
  try {
    const seed = (data: string): void => fillState(data, destinations(deadPort.port));
    await using product = await postern(bench.postern, { seed }).start(
      `${bench.folder}/${deadDestinations.name}-${number}`,
      sink,
    );
    // To warm up.
    await send(product, arrivals, 0);
    return { alone: await send(product, arrivals, 0), mixed: await send(product, arrivals, 2) };
  } finally {
    await sink.close();
  }
}

/** One message to each live destination; with `everyNthIsDead` 2, one to each dead one in between. */
async function send(
  product: { readonly host: string; readonly port: number },
  arrivals: Arrivals,
  everyNthIsDead: number,
): Promise<Phase> {
  const isDead = (n: number): boolean => everyNthIsDead > 0 && n % everyNthIsDead === 1;
  const share = everyNthIsDead > 0 ? 1 - 1 / everyNthIsDead : 1;
  const messages = Math.round(LIVE / share);
  const ratePerSecond = LIVE_PER_SECOND / share;
  const all = arrivals.expect(
    Array.from({ length: messages }, (_, n) => n).filter((n) => !isDead(n)),
    ratePerSecond,
  );
  const destination = (n: number): number => (isDead(n) ? LIVE : 0) + (Math.floor(n * share) % LIVE);
  await sendPaced(product, {
    messages,
    ratePerSecond,
    connections: 20,
    sizeBytes: SIZE_BYTES,
    recipient: (n) => `someone@${domain(destination(n))}`,
    subject: (n) => `paced ${n}`,
    onStart: () => arrivals.started(),
  });
  const delays = await all;
  return { p50: percentile(delays, 50), p99: percentile(delays, 99) };
}

/** When each message came, and when it was due to be sent. */
class Arrivals {
  #awaited = new Set<number>();
  #ratePerSecond = 1;
  #startedAt = 0;
  #delays: number[] = [];
  #finish: (delays: readonly number[]) => void = () => {};

  expect(numbers: readonly number[], ratePerSecond: number): Promise<readonly number[]> {
    this.#awaited = new Set(numbers);
    this.#ratePerSecond = ratePerSecond;
    this.#delays = [];
    return new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  started(): void {
    this.#startedAt = performance.now();
  }

  /** Always undefined: the sink takes everything. */
  came(text: string): undefined {
    const n = Number(/^Subject: paced (\d+)\r$/m.exec(text)?.[1]);
    if (!this.#awaited.delete(n)) return;
    this.#delays.push(performance.now() - (this.#startedAt + (n / this.#ratePerSecond) * 1000));
    if (this.#awaited.size === 0) this.#finish(this.#delays);
  }
}

function domain(n: number): string {
  return `destination-${n}.example`;
}

/** Each dead one has a host of its own, so that no cache of failures spares the node the next. */
function* destinations(deadPort: number): Generator<Statement> {
  const sql = directoryStatements('sqlite');
  const at = Date.now();
  // The first server, number 1, is the sink: `domain add` made it.
  for (let n = 0; n < DESTINATIONS; n++) {
    yield sql.addDomain({ name: domain(n), at });
    yield sql.addAccount({ address: `someone@${domain(n)}`, domain: domain(n), password: null, at });
    const id = n < LIVE ? 1 : n + 2;
    if (id > 1) {
      const host = `127.66.${Math.floor(n / 250)}.${(n % 250) + 1}`;
      const port = n % 2 === 0 ? REFUSING_PORT : deadPort;
      yield sql.addServer({ id, description: 'dead', host, port, position: 0, is_default: 0 });
    }
    yield sql.link({ server: id, domain: domain(n) });
  }
}

function outcome(rounds: readonly Round[]): Outcome {
  const middle = (of: (round: Round) => number): number => median(rounds.map(of));
  const times = middle((one) => one.times);
  const row = (name: string, of: (round: Round) => Phase): string[] => [
    name,
    middle((one) => of(one).p50).toFixed(1),
    middle((one) => of(one).p99).toFixed(1),
    rounds.map((one) => of(one).p99.toFixed(1)).join(' '),
  ];
  return {
    table: [
      ['', 'p50 ms', 'p99 ms', 'rounds (p99 ms)'],
      row('live alone', ({ alone }) => alone),
      row('half dead', ({ mixed }) => mixed),
    ],
    verdicts: [
      {
        promise: `p99 of the live ones at most ${MOST_TIMES}x`,
        measured: `${times.toFixed(2)}x`,
        kept: times <= MOST_TIMES,
      },
    ],
    figures: { rounds, times },
  };
}
