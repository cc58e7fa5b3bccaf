import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startZone, type ZoneName } from '../support/zone.ts';
import { nodeEnvironment, postern, temporaryFolder } from './support/node.ts';

interface Told {
  readonly node: { readonly results: readonly Result[] };
  readonly domains: readonly { readonly results: readonly Result[] }[];
}
interface Result {
  readonly test: string;
  readonly verdict: string;
  readonly publish: readonly string[];
}

/** Puts lines of a zone file into a zone, as an administrator would. */
function publish(records: Record<string, ZoneName>, lines: Iterable<string>): void {
  for (const line of lines) {
    const [, name, type, data] = /^(\S+)\. 3600 IN (\S+) (.*)$/.exec(line) ?? assert.fail(`no record: ${line}`);
    const before = records[name!] ?? {};
    if (type === 'TXT') {
      const strings = [...data!.matchAll(/"([^"]*)"/g)].map((match) => match[1]!);
      records[name!] = { ...before, TXT: [strings] };
    } else if (type === 'MX') {
      const [preference, exchange] = data!.split(' ');
      records[name!] = { ...before, MX: [[Number(preference), exchange!.replace(/\.$/, '')]] };
    } else {
      records[name!] = { ...before, [type!]: [data!.replace(/\.$/, '')] };
    }
  }
}

test('whoever publishes what check says, line by line, is told that all of it is good', async (t) => {
  const zone = await startZone(t, { '2.0.0.127.list.test': { A: ['127.0.0.2'] } });
  const data = temporaryFolder(t);
  const env = nodeEnvironment(data, {
    POSTERN_HOSTNAME: 'mx.example.com',
    POSTERN_DNS_SERVERS: `127.0.0.1:${zone.server.port}`,
  });
  for (const args of [
    ['domain', 'add', 'example.com'],
    ['settings', 'set', 'smtp.publicAddresses', '192.0.2.1,2001:db8::1'],
    ['settings', 'set', 'posture.dnsLists', 'list.test'],
    ['dkim', 'create', '--domain', 'example.com'],
  ]) {
    const { code, stderr } = await postern(args, env);
    assert.equal(code, 0, stderr);
  }
  const check = async (): Promise<{ readonly code: number | null; readonly results: readonly Result[] }> => {
    const { code, stdout, stderr } = await postern(['check', '--json'], env);
    assert.ok(stdout !== '', stderr);
    const { node, domains }: Told = JSON.parse(stdout);
    return { code, results: [...node.results, ...domains.flatMap(({ results }) => results)] };
  };
  const before = await check();
  assert.equal(before.code, 1);
  assert.ok(before.results.filter(({ verdict }) => verdict === 'wrong').length >= 6);
  publish(zone.records, new Set(before.results.flatMap(({ publish: lines }) => lines)));
  const after = await check();
  assert.deepEqual(
    after.results.filter(({ verdict }) => verdict !== 'good'),
    [],
  );
  assert.equal(after.code, 0);
});
