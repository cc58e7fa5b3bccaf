/**
 * The command line: finds the command, loads only the code it needs, and turns its result into an exit code
 * (exit-codes.ts). Each error is one clear line on standard error, never a stack trace, unless it is a defect.
 */
import type { Readable } from 'node:stream';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { isOperational } from '../model/errors.ts';
import { cleanLines } from '../protocol/text/unsafe.ts';
import type { Clock } from '../world/clock.ts';
import { type ConfigSource, type ReadConfig, readConfig } from '../world/config.ts';
import { type CommandContext, createContext, type Output } from './context.ts';
import { EXIT, exitCode } from './exit-codes.ts';
import { COMMANDS } from './index.ts';
import { watched } from './output.ts';
import type { StartNode } from './serve.ts';
import { createSession, type OpenOffline } from './session.ts';

export interface CliParts {
  readonly openOffline: OpenOffline;
  readonly startNode: StartNode;
  readonly source: ConfigSource;
  readonly version: string;
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly clock: Clock;
}

/** The tools with which a command file registers itself. */
export interface CommandTools
  extends Pick<CliParts, 'startNode' | 'source' | 'version' | 'stdout' | 'stderr' | 'clock'> {
  /** Errors: `config.invalid`. */
  config(): ReadConfig;
  /** An action with a session, closed after it; for commands that ask the node or its folder. */
  withSession<A extends unknown[]>(
    act: (context: CommandContext, ...args: A) => Promise<void>,
  ): (...args: A) => Promise<void>;
  exitWith(code: number): void;
}

/** Adds the command and its subcommands to the program. */
export type Register = (program: Command, tools: CommandTools) => void;

/** `argv`: without the runtime and the script. Returns the exit code; never throws. */
export async function runCli(argv: readonly string[], parts: CliParts): Promise<number> {
  let code = 0;
  const stdout = watched(parts.stdout);
  const tools: CommandTools = {
    startNode: parts.startNode,
    source: parts.source,
    version: parts.version,
    stdout,
    stderr: parts.stderr,
    clock: parts.clock,
    config: () => readConfig(parts.source),
    withSession:
      (act) =>
      async (...args) => {
        const { config, isDefaultFolder, warnings } = readConfig(parts.source);
        const { openOffline, clock } = parts;
        const warn = (sentence: string): void => complain(parts.stderr, `warning: ${sentence}`);
        for (const warning of warnings) warn(warning);
        const session = createSession({ config, isDefaultFolder, openOffline, clock, warn });
        try {
          await act(createContext(session, stdout, parts.stdin), ...args);
        } finally {
          await session.close();
        }
      },
    exitWith: (next) => {
      code = next;
    },
  };
  try {
    const ended = await perform(argv, tools);
    await stdout.settled();
    return ended || code;
  } catch (error) {
    tell(parts.stderr, error);
    return exitCode(error);
  }
}

/** Zero, or the exit code of the parser. */
async function perform(argv: readonly string[], tools: CommandTools): Promise<number> {
  try {
    const program = await createProgram(argv, tools);
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // The parser has reported the error, except for a value that a command itself could not read.
    if (error instanceof InvalidArgumentError) complain(tools.stderr, `cannot read the command line: ${error.message}`);
    return error.exitCode === 0 ? 0 : EXIT.usage;
  }
}

/** All commands by name for the help, but only the requested one with its code. */
async function createProgram(argv: readonly string[], tools: CommandTools): Promise<Command> {
  const { stdout, stderr } = tools;
  const program = new Command('postern')
    .description('A secure e-mail gateway and mail server')
    .version(tools.version, '-V, --version', 'print the version')
    .exitOverride()
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(cleanLines(text)) })
    .showHelpAfterError('(postern --help lists the commands)');
  const named = argv.find((arg) => !arg.startsWith('-'));
  const meant = named === 'help' ? argv[argv.indexOf(named) + 1] : named;
  for (const [name, { title, load }] of Object.entries(COMMANDS)) {
    if (name === meant) (await load())(program, tools);
    else program.command(name).description(title);
  }
  for (const command of program.commands) hintAt(command, 'postern');
  return program;
}

/** Where the help for a mistyped command is: at the command itself. */
function hintAt(command: Command, above: string): void {
  const name = `${above} ${command.name()}`;
  const tells = command.commands.length > 0 ? 'lists its commands' : 'tells what it takes';
  command.showHelpAfterError(`(${name} --help ${tells})`);
  for (const below of command.commands) hintAt(below, name);
}

function tell(stderr: Output, error: unknown): void {
  if (isOperational(error)) for (const line of error.message.split('\n')) complain(stderr, line);
  else complain(stderr, `defect: ${(error as Error).stack ?? String(error)}`);
}

function complain(stderr: Output, line: string): void {
  // It quotes typed or untrusted text.
  stderr.write(`postern: ${cleanLines(line)}\n`);
}
