/**
 * A declarative DNS zone for tests and the demo, served on loopback by real UDP and TCP sockets, that records its queries.
 *
 *     const zone = await startZone(t, { 'example.com': { MX: [[10, 'mx.example.com']], A: ['192.0.2.1'] } });
 *     createResolver(services, { servers: [zone.server] });
 *
 * It answers as a recursive server does, aliases followed where it knows them, denials with a SOA.
 * `fault` makes a name misbehave; `zone.records` may be changed while it runs. Its messages are
 * written by dns-packet, not by the product's own code, so that it can be a witness.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import * as dns from 'dns-packet';

export type Fault =
  /** No answer at all. */
  | 'TIMEOUT'
  | 'SERVFAIL'
  | 'REFUSED'
  | 'NXDOMAIN'
  /** NXDOMAIN without a SOA. */
  | 'BARE-DENIAL'
  /** TC by UDP, the answer by TCP. */
  | 'TRUNCATED'
  /** An answer of some 60 kB, whatever carries it. */
  | 'HUGE'
  | 'WRONG-ID'
  | 'WRONG-QUESTION'
  /** An alias of itself, by way of another name. */
  | 'CNAME-LOOP'
  /** The alias without what it leads to. */
  | 'ALIAS-ONLY'
  /** Neither answer nor denial: a server that knows nothing of the name. */
  | 'LAME'
  /** FORMERR to every query with EDNS. */
  | 'NO-EDNS'
  /** The same with and without. */
  | 'FORMERR'
  /** The right id and question, then junk. */
  | 'GARBAGE'
  /** A correct message, except that the last of its addresses has three bytes. */
  | 'BAD-DATA';

export interface ZoneName {
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  readonly MX?: readonly (readonly [preference: number, exchange: string])[];
  /** Each record a string, or its character-strings. */
  readonly TXT?: readonly (string | readonly string[])[];
  readonly PTR?: readonly string[];
  readonly NS?: readonly string[];
  readonly CNAME?: string;
  readonly TLSA?: readonly { usage: number; selector: number; matchingType: number; certificate: Buffer }[];
  readonly fault?: Fault;
  readonly ttl?: number;
  /** Sets the AD bit. */
  readonly authentic?: boolean;
}

export interface RecordedQuery {
  readonly name: string;
  readonly type: string;
  readonly transport: 'udp' | 'tcp';
  readonly id: number;
  /** The client's port. */
  readonly port: number;
  readonly edns: boolean;
}

export interface Zone {
  readonly server: { readonly address: string; readonly port: number };
  readonly records: Record<string, ZoneName>;
  readonly queries: readonly RecordedQuery[];
  /** Resolves once so many queries came in all. */
  asked(count: number): Promise<void>;
  /** While true, nothing is answered: the servers are down. */
  silent: boolean;
}

const SOA_TTL_SECONDS = 300;
const DEFAULT_TTL_SECONDS = 3600;
const LONGEST_CHAIN = 20;
const RCODES = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5, FORMERR: 1 } as const;
const RECURSION = dns.RECURSION_DESIRED | dns.RECURSION_AVAILABLE;
const SOA: dns.Answer = {
  name: 'zone.test',
  type: 'SOA',
  ttl: SOA_TTL_SECONDS,
  data: {
    mname: 'ns.zone.test',
    rname: 'hostmaster.zone.test',
    serial: 1,
    refresh: 1,
    retry: 1,
    expire: 1,
    minimum: 60,
  },
};

/** `t.after`: runs the given function when the zone is no longer needed. */
export async function startZone(
  t: { after(end: () => void): void },
  records: Record<string, ZoneName> = {},
): Promise<Zone> {
  const tcp = createServer();
  const udp = createSocket('udp4');
  const port = await listenOnBoth(tcp, udp);
  const sockets = new Set<Socket>();
  const queries: RecordedQuery[] = [];
  const waiting = new Set<() => void>();
  const zone: Zone = {
    server: { address: '127.0.0.1', port },
    records,
    queries,
    silent: false,
    asked: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (queries.length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };

  const receive = (bytes: Buffer, transport: 'udp' | 'tcp', clientPort: number): Buffer | undefined => {
    const query = dns.decode(bytes);
    const question = query.questions[0]!;
    const edns = (query.additionals ?? []).some(({ type }) => type === 'OPT');
    queries.push({ ...question, transport, id: query.id, port: clientPort, edns });
    for (const look of [...waiting]) look();
    return zone.silent ? undefined : reply(zone.records, query, question, transport, edns);
  };

  udp.on('message', (bytes, from) => {
    const answer = receive(bytes, 'udp', from.port);
    if (answer) udp.send(answer, from.port, from.address);
  });
  tcp.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const answer = receive(received.subarray(2), 'tcp', socket.remotePort ?? 0);
      if (!answer) return;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      socket.write(Buffer.concat([length, answer]));
    });
  });
  t.after(() => {
    udp.close();
    tcp.close();
    for (const socket of sockets) socket.destroy();
  });
  return zone;
}

/** TCP chooses the port, whose UDP may be in use by another program: then the next one is tried. */
async function listenOnBoth(tcp: Server, udp: ReturnType<typeof createSocket>): Promise<number> {
  for (;;) {
    tcp.listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo;
    udp.bind(port, '127.0.0.1');
    try {
      await once(udp, 'listening');
      return port;
    } catch {
      tcp.close();
      await once(tcp, 'close');
    }
  }
}

function reply(
  records: Readonly<Record<string, ZoneName>>,
  query: dns.Packet,
  question: dns.Question,
  transport: 'udp' | 'tcp',
  edns: boolean,
): Buffer | undefined {
  const known = records[question.name.toLowerCase()];
  const respond = (flags: number, parts: Partial<dns.Packet> = {}): Buffer =>
    dns.encode({ id: query.id, type: 'response', flags, questions: [question], ...parts });

  switch (known?.fault) {
    case 'TIMEOUT':
      return undefined;
    case 'SERVFAIL':
    case 'REFUSED':
    case 'FORMERR':
      return respond(RECURSION | RCODES[known.fault]);
    case 'NXDOMAIN':
      return respond(RECURSION | RCODES.NXDOMAIN, { authorities: [SOA] });
    case 'BARE-DENIAL':
      return respond(RECURSION | RCODES.NXDOMAIN);
    case 'LAME':
      return respond(0);
    case 'NO-EDNS':
      if (edns) return respond(RECURSION | RCODES.FORMERR);
      break;
    case 'TRUNCATED':
      if (transport === 'udp') return respond(RECURSION | dns.TRUNCATED_RESPONSE);
      break;
    case 'HUGE':
      if (transport === 'udp') return respond(RECURSION | dns.TRUNCATED_RESPONSE);
      return respond(RECURSION, { answers: hugeAnswer(question) });
    case 'WRONG-ID':
      return dns.encode({ ...answer(records, query, question), id: query.id ^ 1 });
    case 'WRONG-QUESTION':
      return dns.encode({ ...answer(records, query, question), questions: [{ ...question, name: 'other.test' }] });
    case 'GARBAGE':
      return Buffer.concat([
        respond(RECURSION, { answers: answer(records, query, question).answers ?? [] }).subarray(0, -3),
      ]);
    case 'BAD-DATA': {
      const whole = dns.encode(answer(records, query, question));
      whole[whole.length - 5] = 3;
      return whole.subarray(0, -1);
    }
    case 'ALIAS-ONLY':
      return respond(RECURSION, { answers: answer(records, query, question).answers?.slice(0, 1) ?? [] });
    case 'CNAME-LOOP': {
      const away = `away.${question.name}`;
      return respond(RECURSION, {
        answers: [
          { name: question.name, type: 'CNAME', ttl: 60, data: away },
          { name: away, type: 'CNAME', ttl: 60, data: question.name },
        ],
      });
    }
    default:
  }
  return dns.encode(answer(records, query, question));
}

function answer(records: Readonly<Record<string, ZoneName>>, query: dns.Packet, question: dns.Question): dns.Packet {
  const answers: dns.Answer[] = [];
  let name = question.name;
  let known = records[name.toLowerCase()];
  let authentic = true;
  for (let hops = 0; known?.CNAME && question.type !== 'CNAME' && hops < LONGEST_CHAIN; hops++) {
    answers.push({ name, type: 'CNAME', ttl: known.ttl ?? DEFAULT_TTL_SECONDS, data: known.CNAME });
    authentic &&= known.authentic ?? false;
    name = known.CNAME;
    known = records[name.toLowerCase()];
  }
  authentic &&= known?.authentic ?? false;
  const ttl = known?.ttl ?? DEFAULT_TTL_SECONDS;
  const found = data(known, question.type);
  for (const value of found) answers.push({ name, type: question.type, ttl, data: value });
  return {
    id: query.id,
    type: 'response',
    flags: RECURSION | (authentic ? dns.AUTHENTIC_DATA : 0) | (known ? 0 : RCODES.NXDOMAIN),
    questions: [question],
    answers,
    authorities: found.length === 0 ? [SOA] : [],
  };
}

function data(known: ZoneName | undefined, type: string): readonly unknown[] {
  switch (type) {
    case 'MX':
      return (known?.MX ?? []).map(([preference, exchange]) => ({ preference, exchange }));
    case 'TXT':
      return (known?.TXT ?? []).map((record) => (typeof record === 'string' ? [record] : [...record]));
    case 'CNAME':
      return known?.CNAME ? [known.CNAME] : [];
    case 'A':
    case 'AAAA':
    case 'PTR':
    case 'NS':
    case 'TLSA':
      return known?.[type] ?? [];
    default:
      return [];
  }
}

function hugeAnswer({ name }: dns.Question): dns.Answer[] {
  return Array.from({ length: 220 }, (_, index) => ({
    name,
    type: 'TXT',
    ttl: 60,
    data: [`${index} ${'x'.repeat(240)}`],
  }));
}
