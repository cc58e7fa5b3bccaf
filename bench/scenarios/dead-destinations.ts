/**
 * Ten thousand destinations, half of which are dead: of those, half refuse connections and half never
 * answer. Measured is how long mail takes to the live half, from when it was due to be sent until its
 * server has it: once while all ten thousand live, and once, under the same load, while the other half
 * is dead. What the load does that is doubled by the other half is told beside it.
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
/** To the live half; to the other half go as many again. */
const LIVE_PER_SECOND = 250;
const SIZE_BYTES = 2_000;
const MOST_TIMES = 2;
/** Nothing listens there. */
const REFUSING_PORT = 1;

export const deadDestinations: Scenario = {
  name: 'dead-destinations',
  what: 'milliseconds until mail is delivered to 5,000 destinations, while 5,000 others live and while they are dead',
  run,
};

interface Phase {
  readonly p50: number;
  readonly p99: number;
}

interface Round {
  /** To the live half only, and nothing to the others. */
  readonly alone: Phase;
  readonly allLive: Phase;
  readonly halfDead: Phase;
}

/** A round has two nodes: one that has known the dead while they lived is another. */
async function run(bench: Bench): Promise<Outcome> {
  const rounds: Round[] = [];
  for (let i = 1; i <= bench.rounds; i++) {
    const [alone, allLive] = await onANode(bench, `${i}-live`, false, [1, 2]);
    const [halfDead] = await onANode(bench, `${i}-dead`, true, [2]);
    const round = { alone: alone!, allLive: allLive!, halfDead: halfDead! };
    bench.tell(
      `round ${i}: p99 ${round.alone.p99.toFixed(1)} ms alone, ${round.allLive.p99.toFixed(1)} ms with the others, ${round.halfDead.p99.toFixed(1)} ms when they are dead`,
    );
    rounds.push(round);
  }
  return outcome(rounds);
}

/** Phases on a fresh node, one after the other: with 1, all mail is for the live half; with 2, every other message is. */
async function onANode(bench: Bench, name: string, isHalfDead: boolean, phases: readonly (1 | 2)[]): Promise<Phase[]> {
  using deadPort = await startDeadPort();
  const arrivals = new Arrivals();
  const sink = await startSink({ onMessage: ({ content }) => arrivals.came(content.toString('latin1')) });
  try {
    const seed = (data: string): void => fillState(data, destinations(isHalfDead ? deadPort.port : undefined));
    await using product = await postern(bench.postern, { seed }).start(
      `${bench.folder}/${deadDestinations.name}-${name}`,
      sink,
    );
    // To warm up.
    await send(product, arrivals, 1);
    const measured: Phase[] = [];
    for (const everyNth of phases) measured.push(await send(product, arrivals, everyNth));
    return measured;
  } finally {
    await sink.close();
  }
}

/** One message to each destination of the live half; where every second is its, one to each other in between. */
async function send(
  product: { readonly host: string; readonly port: number },
  arrivals: Arrivals,
  everyNth: 1 | 2,
): Promise<Phase> {
  const isMeasured = (n: number): boolean => n % everyNth === 0;
  const messages = LIVE * everyNth;
  const ratePerSecond = LIVE_PER_SECOND * everyNth;
  const all = arrivals.expect(Array.from({ length: messages }, (_, n) => n).filter(isMeasured), ratePerSecond);
  const destination = (n: number): number => (isMeasured(n) ? 0 : LIVE) + Math.floor(n / everyNth);
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

/** Each dead one has a host of its own, so that no cache of failures spares the node the next. Without a `deadPort` none is dead. */
function* destinations(deadPort: number | undefined): Generator<Statement> {
  const sql = directoryStatements('sqlite');
  const at = Date.now();
  // The first server, number 1, is the sink: `domain add` made it.
  for (let n = 0; n < DESTINATIONS; n++) {
    yield sql.addDomain({ name: domain(n), at });
    yield sql.addAccount({ address: `someone@${domain(n)}`, domain: domain(n), password: null, at });
    const isDead = deadPort !== undefined && n >= LIVE;
    const id = isDead ? n + 2 : 1;
    if (isDead) {
      const host = `127.66.${Math.floor(n / 250)}.${(n % 250) + 1}`;
      const port = n % 2 === 0 ? REFUSING_PORT : deadPort;
      yield sql.addServer({ id, description: 'dead', host, port, position: 0, is_default: 0 });
    }
    yield sql.link({ server: id, domain: domain(n) });
  }
}

function outcome(rounds: readonly Round[]): Outcome {
  const middle = (of: (round: Round) => number): number => median(rounds.map(of));
  const times = middle((one) => one.halfDead.p99 / one.allLive.p99);
  const timesAlone = middle((one) => one.halfDead.p99 / one.alone.p99);
  const row = (name: string, of: (round: Round) => Phase): string[] => [
    name,
    middle((one) => of(one).p50).toFixed(1),
    middle((one) => of(one).p99).toFixed(1),
    rounds.map((one) => of(one).p99.toFixed(1)).join(' '),
  ];
  return {
    table: [
      ['to the live half', 'p50 ms', 'p99 ms', 'rounds (p99 ms)'],
      row('nothing to the others', ({ alone }) => alone),
      row('the others live', ({ allLive }) => allLive),
      row('the others are dead', ({ halfDead }) => halfDead),
    ],
    verdicts: [
      {
        promise: `p99 of the live ones at most ${MOST_TIMES}x of what it is when none is dead`,
        measured: `${times.toFixed(2)}x (${timesAlone.toFixed(2)}x of what it is with half the load)`,
        kept: times <= MOST_TIMES,
      },
    ],
    figures: { rounds, times, timesAlone },
  };
}
