/**
 * What honest mail notices of an attack: it is offered at a steady rate while one network does what takes
 * most of a node, as it comes, with every check. Each move takes turns with quiet; the median of the pairs
 * counts. The load tools share the machine with the node, so the rate is well below what the node can do.
 */

import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { startSink } from '../../src/cli/demo/sink.ts';
import { startZone, type ZoneName } from '../../src/cli/demo/zone.ts';
import { median, percentile } from '../measure/statistics.ts';
import { environment, postern } from '../product/postern.ts';
import { DOMAIN, type Endpoint } from '../product/product.ts';
import type { Bench, Outcome, Scenario } from '../scenario.ts';
import { HANGING, MOVES, REPORTS } from '../tool/attacks.ts';
import { startNiced } from '../tool/niced.ts';
import { sendPaced } from '../tool/paced-client.ts';

const LOAD = { ratePerSecond: 100, messages: 600, connections: 20, sizeBytes: 5_000 };
const AT_LEAST = 0.9;
const SETTLES_MS = 1_000;
const SENDER = 'elsewhere.example';

interface Phase {
  /** From the first message that was due to the last that was delivered. */
  readonly deliveredPerSecond: number;
  readonly p50: number;
  readonly p99: number;
}

interface Pair {
  readonly quiet: Phase;
  readonly attacked: Phase;
  readonly answers: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export const underAttack: Scenario = {
  name: 'under-attack',
  what: `honest mail (${LOAD.ratePerSecond}/s) while one network attacks, beside without`,
  run,
};

async function run(bench: Bench): Promise<Outcome> {
  await using ending = new AsyncDisposableStack();
  const zone = await startZone({ after: (end) => ending.defer(end) }, names());
  let honest = 0;
  const sink = await startSink({
    onMessage: ({ content }) => {
      if (content.includes('Subject: paced ')) honest++;
      return '250 2.0.0 ok';
    },
  });
  ending.defer(() => sink.close());
  const env = { POSTERN_DNS_SERVERS: `${zone.server.address}:${zone.server.port}` };
  const seed = (data: string): void => addReportAddress(bench.postern, data);
  const folder = `${bench.folder}/${underAttack.name}`;
  const product = ending.use(await postern(bench.postern, { screens: true, env, seed }).start(folder, sink));
  const phase = async (): Promise<Phase> => {
    const target = honest + LOAD.messages;
    const startedAt = performance.now();
    const { finalReplyMs } = await sendPaced(product, LOAD);
    while (honest < target) await pause(5);
    const seconds = (performance.now() - startedAt) / 1000;
    return {
      deliveredPerSecond: LOAD.messages / seconds,
      p50: percentile(finalReplyMs, 50),
      p99: percentile(finalReplyMs, 99),
    };
  };
  await phase();
  const pairs: Record<string, Pair[]> = {};
  for (let i = 1; i <= bench.rounds; i++)
    for (const move of Object.keys(MOVES)) {
      const pair = await takeTurns(product, move, phase);
      pairs[move] = [...(pairs[move] ?? []), pair];
      const { quiet, attacked, answers, seconds } = pair;
      bench.tell(
        `round ${i}: ${move} ${attacked.deliveredPerSecond.toFixed(0)}/s, p99 ${attacked.p99.toFixed(0)} ms; quiet ${quiet.deliveredPerSecond.toFixed(0)}/s, p99 ${quiet.p99.toFixed(0)} ms; attacker prior ${JSON.stringify(answers)} in ${seconds.toFixed(0)} s`,
      );
    }
  return outcome(pairs);
}

async function takeTurns(target: Endpoint, move: string, phase: () => Promise<Phase>): Promise<Pair> {
  const quiet = await phase();
  const attacker = startNiced<Pick<Pair, 'answers'>>('attacker.ts', [target.host, String(target.port), move]);
  await pause(SETTLES_MS);
  const attacked = await phase();
  return { quiet, attacked, ...(await attacker.end()) };
}

function names(): Record<string, ZoneName> {
  const [record] = heavyKeys();
  return new Proxy<Record<string, ZoneName>>(
    {
      [SENDER]: { TXT: ['v=spf1 ip4:127.0.0.1 -all'], MX: [[1, `mx.${SENDER}`]] },
      'attacker.example': { TXT: ['v=spf1 +all'], MX: [[1, 'mx.attacker.example']] },
      [`_dmarc.${SENDER}`]: { TXT: ['v=DMARC1; p=reject'] },
    },
    {
      get: (known, name) => {
        if (String(name).endsWith(`.${HANGING}`)) return { fault: 'TIMEOUT' };
        if (String(name).startsWith('heavy._domainkey.')) return { TXT: [record] };
        return Reflect.get(known, name);
      },
    },
  );
}

/** A key whose public exponent is as long as its modulus, in the strings of a TXT record. */
function heavyKeys(): [readonly string[]] {
  const { n } = generateKeyPairSync('rsa', { modulusLength: 3072 }).publicKey.export({ format: 'jwk' });
  const integer = (bytes: Buffer): Buffer => der(0x02, Buffer.concat([Buffer.from([0]), bytes]));
  const modulus = Buffer.from(n!, 'base64url');
  const exponent = Buffer.from(modulus);
  exponent[0] = 0x7f;
  exponent[exponent.length - 1]! |= 1;
  const key = der(0x30, integer(modulus), integer(exponent));
  const algorithm = Buffer.from('300d06092a864886f70d0101010500', 'hex');
  const spki = der(0x30, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), key])));
  return [`v=DKIM1; p=${spki.toString('base64')}`.match(/.{1,200}/g)!];
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = Buffer.from([0x82, content.length >> 8, content.length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), length, content]);
}

function addReportAddress(command: string, data: string): void {
  const [local] = REPORTS.split('@');
  const args = ['settings', 'set', 'report.addresses', local!, '--domain', DOMAIN];
  const { status, stderr } = spawnSync(command, args, { env: environment(data, 0), encoding: 'utf8' });
  if (status !== 0) throw new Error(`postern ${args.join(' ')} exited ${status}: ${stderr}`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function outcome(pairs: Readonly<Record<string, readonly Pair[]>>): Outcome {
  const of = (move: string, what: (pair: Pair) => number): number => median(pairs[move]!.map(what));
  const ratio = (move: string): number =>
    of(move, ({ quiet, attacked }) => attacked.deliveredPerSecond / quiet.deliveredPerSecond);
  const moves = Object.keys(pairs);
  const row = (move: string): string[] => [
    MOVES[move]!.what,
    ratio(move).toFixed(2),
    of(move, ({ quiet }) => quiet.p99).toFixed(0),
    of(move, ({ attacked }) => attacked.p50).toFixed(0),
    of(move, ({ attacked }) => attacked.p99).toFixed(0),
    of(move, ({ answers, seconds }) => Object.values(answers).reduce((sum, n) => sum + n, 0) / seconds).toFixed(0),
  ];
  return {
    table: [['', 'of its rate', 'quiet p99 ms', 'p50 ms', 'p99 ms', 'replies/s to the attacker'], ...moves.map(row)],
    verdicts: moves.map((move) => ({
      promise: `at least ${AT_LEAST} of the rate without "${MOVES[move]!.what}"`,
      measured: ratio(move).toFixed(2),
      kept: ratio(move) >= AT_LEAST,
    })),
    figures: { load: LOAD, pairs },
  };
}
