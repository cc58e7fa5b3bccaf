/**
 * CR, LF, NUL and other controls in what an operator types: every setting, operation, key of the
 * configuration and option of the command line is enumerated, so a new one is tried before anybody
 * thinks of it. Where line ends belong is listed here by name.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { Command } from 'commander';
import { SETTINGS } from '../../src/catalogue.ts';
import { COMMANDS } from '../../src/cli/index.ts';
import { type CliParts, type CommandTools, runCli } from '../../src/cli/run.ts';
import { OperationalError } from '../../src/model/errors.ts';
import { OPERATIONS, type OperationName } from '../../src/operations/index.ts';
import { unsafeText } from '../../src/operations/unsafe-text.ts';
import { refusal } from '../../src/settings/validate.ts';
import { systemClock } from '../../src/world/clock.ts';
import { CONFIG_KEYS, type ConfigKey } from '../../src/world/config/keys.ts';
import { ROOT, startCore } from '../support/core.ts';

const CONTROLS = ['\r\n', '\n', '\r', '\0', '\u001b', '\u007f', '\u0085', '\u009b', '\u2028', '\u202e', '\u{e0041}'];
/** Where lines may stand, nothing else of these may. */
const BUT_LINES = CONTROLS.filter((control) => !/^[\r\n]+$/.test(control));

/** Bodies and files: nothing of them reaches a header or a command as it is. */
const LINES_OF_SETTINGS = ['oauth.trust', 'verification.welcomeText'];
const LINES_OF_OPERATIONS = [
  'list.import csv',
  'server.set-credentials authority',
  'settings.diff file',
  'settings.import file',
  'user.certificate.add certificate',
];
/** Their readers judge the texts in them, and are tried below. */
const ELSEWHERE = ['replay.run set.0.value', 'settings.set value', 'source.add options', 'source.edit options'];

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly pattern?: string;
  readonly textKind?: string;
}

/** A value that fits, with `text` wherever text may stand. */
function sample(schema: Schema, text: string): unknown {
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return sample(schema.anyOf[0]!, text);
  if (schema.type === 'string') return schema.pattern ? '2026-01-01' : text;
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? 1;
  if (schema.type === 'boolean') return true;
  if (schema.type === 'array') return [sample(schema.items!, text)];
  if (schema.patternProperties) return { host: text };
  if (schema.type !== 'object') return text;
  return Object.fromEntries(Object.entries(schema.properties!).map(([key, inner]) => [key, sample(inner, text)]));
}

interface Leaf {
  readonly path: readonly string[];
  readonly kind: string;
}

/** Where text may stand in an input. */
function leaves(schema: Schema, path: readonly string[] = []): readonly Leaf[] {
  if (schema.textKind === 'elsewhere') return [{ path, kind: 'elsewhere' }];
  if (schema.enum) return [];
  if (schema.anyOf) return schema.anyOf.flatMap((inner) => leaves(inner, path));
  if (schema.type === 'string') return [{ path, kind: schema.textKind ?? 'line' }];
  if (schema.type === 'array') return leaves(schema.items!, [...path, '0']);
  if (schema.patternProperties) return [{ path: [...path, 'host'], kind: 'line' }];
  if (schema.type === 'object')
    return Object.entries(schema.properties!).flatMap(([key, inner]) => leaves(inner, [...path, key]));
  return ['integer', 'number', 'boolean'].includes(schema.type ?? '') ? [] : [{ path, kind: 'line' }];
}

function put(value: unknown, [key, ...rest]: readonly string[], text: string): unknown {
  if (key === undefined) return text;
  const inside = value as Record<string, unknown>;
  const changed = put(inside[key], rest, text);
  return Array.isArray(value) ? [changed] : { ...inside, [key]: changed };
}

const ALL_LEAVES = Object.entries(OPERATIONS).flatMap(([name, { input }]) =>
  leaves(input as Schema).map((leaf) => ({ name: name as OperationName, input: input as Schema, ...leaf })),
);
const placeOf = ({ name, path }: { name: string; path: readonly string[] }): string => `${name} ${path.join('.')}`;

test('each text of an operation that may have lines, or is judged elsewhere, is known by name', () => {
  assert.ok(ALL_LEAVES.length > 100);
  const of = (kind: string): string[] =>
    ALL_LEAVES.filter((leaf) => leaf.kind === kind)
      .map(placeOf)
      .sort();
  assert.deepEqual(of('lines'), LINES_OF_OPERATIONS);
  assert.deepEqual(of('elsewhere'), ELSEWHERE);
});

test('the attacker has an operator paste a second line: no operation takes a control character in any text', async (t) => {
  const { operations } = await startCore(t);
  for (const { name, input, path, kind } of ALL_LEAVES) {
    if (kind === 'elsewhere') continue;
    for (const control of kind === 'lines' ? BUT_LINES : CONTROLS) {
      const hostile = put(sample(input, 'x'), path, `x${control}y`);
      const shown = `${placeOf({ name, path })} ${JSON.stringify(control)}`;
      await assert.rejects(operations.executeUnknown(name, hostile, ROOT), { code: 'operation.input' }, shown);
    }
  }
});

test('nor does the name of a key in an input', async (t) => {
  const { operations } = await startCore(t);
  const options = { 'host\r\nx': 'a.example' };
  await assert.rejects(operations.executeUnknown('source.add', { kind: 'smtp', options }, ROOT));
});

test('options of sources are one line, certificates apart', async (t) => {
  const { operations } = await startCore(t);
  for (const kind of ['smtp', 'ldap', 'active-directory', 'minger', 'microsoft-365'])
    for (const option of ['host', 'user', 'base', 'filter', 'sender', 'pin', 'trust', 'tenant', 'clientId'])
      for (const control of option === 'trust' ? BUT_LINES : CONTROLS) {
        const options = { host: 'a.example', tenant: 't', clientId: 'c', [option]: `(mail=%a${control})` };
        await assert.rejects(
          operations.executeUnknown('source.add', { kind, options, secret: 'x' }, ROOT),
          { code: 'directory.invalid' },
          `${kind} ${option} ${JSON.stringify(control)}`,
        );
      }
});

test('the attacker has an operator set a second command (delivery.heloName): no setting takes a control character', () => {
  const texts = SETTINGS.filter(({ schema }) => leaves(schema as Schema).length > 0);
  assert.ok(texts.length > 30);
  assert.deepEqual(
    SETTINGS.filter(({ lines }) => lines)
      .map(({ key }) => key)
      .sort(),
    LINES_OF_SETTINGS,
  );
  for (const setting of texts)
    for (const control of setting.lines ? BUT_LINES : CONTROLS)
      for (const { path } of leaves(setting.schema as Schema)) {
        const value = put(
          sample(setting.schema as Schema, 'mx.example.com'),
          path,
          `mx.example.com${control}MAIL FROM:<>`,
        );
        assert.ok(refusal(setting, value), `${setting.key} ${JSON.stringify(control)}`);
      }
});

test('a setting with a control character is refused by every door, and the refusal shows none', async (t) => {
  const { operations } = await startCore(t);
  const value = 'mx.example.com\r\nMAIL FROM:<admin@example.com>';
  const file = `global:\n  delivery.heloName: ${JSON.stringify(value)}\n`;
  for (const act of [
    () => operations.executeUnknown('settings.set', { key: 'delivery.heloName', value }, ROOT),
    () => operations.executeUnknown('settings.set', { key: 'delivery.heloName', value, force: true }, ROOT),
    () => operations.executeUnknown('settings.import', { file, force: true }, ROOT),
  ])
    await assert.rejects(act, ({ code, message }: OperationalError) => {
      assert.equal(code, 'settings.invalid');
      assert.match(message, /U\+000D/);
      assert.ok(!/[\r\n]/.test(message), JSON.stringify(message));
      return true;
    });
});

test('a comment in an imported list is one line', async (t) => {
  const { operations } = await startCore(t);
  const csv = 'value,list,comment\neve@remote.example,block,"a\nb"\n';
  await assert.rejects(operations.executeUnknown('list.import', { csv }, ROOT), { code: 'rules.invalid' });
});

test('no key of the configuration takes a control character, but for paths, which may have any but NUL', () => {
  for (const [name, { kind }] of Object.entries<ConfigKey<unknown>>(CONFIG_KEYS))
    for (const control of CONTROLS) {
      const taken = ['mx.example.com', '192.0.2.1', '192.0.2.1:25', 'off', 'json', 'info'].filter(
        (text) => kind.parse(`${text}${control}x`) !== undefined,
      );
      const isPath = kind.must === 'a path' && control !== '\0';
      assert.deepEqual(isPath ? [] : taken, [], `${name} ${JSON.stringify(control)}`);
    }
});

/** Every command that asks a node, with the arguments that it must have, and its options that take a value. */
async function commandLines(): Promise<readonly (readonly string[])[]> {
  const found: string[][] = [];
  const tools = { withSession: () => () => undefined, config: () => assert.fail() } as unknown as CommandTools;
  const visit = (command: Command, above: readonly string[]): void => {
    const words = [...above, command.name()];
    for (const below of command.commands) visit(below, words);
    if (command.commands.length > 0) return;
    const needed = command.registeredArguments.map(({ required }) => (required ? 'x' : undefined));
    const given = needed.filter((word) => word !== undefined);
    for (const [at, word] of given.entries())
      found.push([...words, ...given.map((each, i) => (i === at ? 'HOSTILE' : each)), `#${at}${word}`]);
    for (const option of command.options)
      if (option.required || option.optional)
        found.push([...words, ...given, option.long!, 'HOSTILE', `#${option.long}`]);
  };
  for (const [name, { load }] of Object.entries(COMMANDS)) {
    if (name === 'serve' || name === 'demo') continue;
    const program = new Command('postern');
    (await load())(program, tools);
    for (const command of program.commands) visit(command, []);
  }
  return found;
}

function quietParts(t: TestContext, leaks: string[]): CliParts {
  const cwd = mkdtempSync(join(tmpdir(), 'postern-hostile-'));
  t.after(() => rmSync(cwd, { recursive: true }));
  const output = { write: () => true };
  return {
    openOffline: async () => ({
      async executeUnknown(name, input) {
        const operation = OPERATIONS[name as OperationName];
        const isRefused = unsafeText(operation.input, input) !== undefined;
        // What is judged elsewhere has its own tests above.
        const { value: _, options: __, ...rest } = (input ?? {}) as Record<string, unknown>;
        if (!isRefused && JSON.stringify(rest).includes('\\u001b')) leaks.push(`${name} ${JSON.stringify(rest)}`);
        throw new OperationalError('operation.input', 'seen');
      },
      async close() {},
    }),
    startNode: () => assert.fail('no command here starts a node'),
    source: {
      env: { POSTERN_DATA: join(cwd, 'data') },
      cwd,
      systemFile: join(cwd, 'none'),
      hostname: 'mx.example.com',
      hasIpv6: false,
    },
    version: '1.2.3',
    stdin: Readable.from(['']),
    stdout: output,
    stderr: output,
    clock: systemClock,
  };
}

test('no argument and no option of a command carries a control character past an operation', async (t) => {
  const leaks: string[] = [];
  const lines = await commandLines();
  assert.ok(lines.length > 80, String(lines.length));
  for (const line of lines) {
    const args = line.slice(0, -1).map((word) => (word === 'HOSTILE' ? 'x\u001b[2Jy' : word));
    const code = await runCli(args, quietParts(t, leaks));
    assert.notEqual(code, 0, line.join(' '));
  }
  assert.deepEqual(leaks, []);
});
