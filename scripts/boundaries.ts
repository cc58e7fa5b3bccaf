/**
 * Checks the plan of the house: imports go only downwards in the list of rooms in docs/architecture.md, `protocol` is
 * pure, time and randomness come from `world`, no file is longer than 800 lines. Reads the list from that page, so
 * the page cannot be wrong for long.
 */
import { dirname, join, normalize } from 'node:path';
import { codeOf, conclude, lineCount, lineOf, type SourceFile, sourceFiles } from './source-files.ts';

const REFUSED_LINES = 800;

/**
 * Modules that do input or output, or read the time; `node:crypto`, `node:net`'s address tests and `node:url` are
 * pure enough.
 */
const IMPURE =
  /^node:(fs|fs\/promises|tls|https?|http2|dns|dns\/promises|dgram|child_process|cluster|worker_threads|timers|timers\/promises|os|process|sqlite|readline|perf_hooks|inspector)$/;
const NET_NAMES = /^(isIP|isIPv4|isIPv6|BlockList|SocketAddress)$/;

const CLOCKS_AND_CHANCE =
  /(?<![.\w])(Date\.now\(|Math\.random\(|setTimeout\(|setInterval\(|performance\.now\(|new Date\(\))/g;

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s+(?:type\s+)?([^'";]*?)\s*from\s*'([^']+)'|\bimport\(\s*'([^']+)'|\bnew URL\(\s*'(\.[^']+\.ts)'/g;

interface Import {
  readonly names: string;
  readonly target: string;
  readonly line: number;
}

function main(): void {
  const [page] = sourceFiles('docs/architecture.md');
  const rooms = roomsOf(page!.text);
  const source = sourceFiles('src/**/*.ts');
  conclude('boundaries', [
    ...source.flatMap((file) => upwards(file, rooms)),
    ...source.filter(({ path }) => path.startsWith('src/protocol/')).flatMap(impure),
    ...source.filter(({ path }) => !path.startsWith('src/world/')).flatMap(ownClock),
    ...sourceFiles('{src,test,bench,scripts,web}/**/*.{ts,tsx}').flatMap(tooLong),
  ]);
}

/** The tree in section 2, top to bottom: `  receive/  SMTP server: ...`; files count as rooms of their own. */
function roomsOf(page: string): readonly string[] {
  const tree = /```\nsrc\/\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const rooms = [...tree.matchAll(/^ {2}([\w-]+(?:\/|\.ts))/gm)].map((match) => match[1]!.replace('/', ''));
  if (rooms.length < 10) throw new Error('cannot read the rooms, as docs/architecture.md must list them below `src/`');
  return rooms;
}

function importsOf({ text }: SourceFile): Import[] {
  return [...text.matchAll(IMPORT)].map((match) => ({
    names: match[1] ?? '',
    target: match[2] ?? match[3] ?? match[4]!,
    line: lineOf(text, match.index + match[0].indexOf(match[2] ?? match[3] ?? match[4]!)),
  }));
}

function upwards(file: SourceFile, rooms: readonly string[]): string[] {
  const from = roomOf(file.path);
  const height = rooms.indexOf(from);
  if (height < 0) return [`${file.path}: stands in no room that docs/architecture.md lists: ${from}`];
  return importsOf(file).flatMap(({ target, line }) => {
    if (!target.startsWith('.')) return [];
    const path = normalize(join(dirname(file.path), target));
    if (path === 'package.json') return [];
    if (!path.startsWith('src/')) return [`${file.path}:${line}: imports ${path}, which is no part of the product`];
    const to = roomOf(path);
    if (to === from || rooms.indexOf(to) > height) return [];
    return [`${file.path}:${line}: ${from} imports ${to}, which is not below it: ${path}`];
  });
}

function roomOf(path: string): string {
  return path.split('/')[1]!;
}

function impure(file: SourceFile): string[] {
  return importsOf(file).flatMap(({ names, target, line }) => {
    const sockets =
      target === 'node:net' &&
      names
        .replace(/[{}]|\btype\b/g, '')
        .split(',')
        .some((name) => name.trim() !== '' && !NET_NAMES.test(name.trim()));
    return IMPURE.test(target) || sockets ? [`${file.path}:${line}: protocol does no I/O: ${target}`] : [];
  });
}

function ownClock({ path, text }: SourceFile): string[] {
  return [...codeOf(text).matchAll(CLOCKS_AND_CHANCE)].map(
    (match) => `${path}:${lineOf(codeOf(text), match.index)}: time and chance come from world: ${match[0]}`,
  );
}

function tooLong({ path, text }: SourceFile): string[] {
  const lines = lineCount(text);
  return lines > REFUSED_LINES ? [`${path}: has ${lines} lines, ${REFUSED_LINES} is the most`] : [];
}

main();
