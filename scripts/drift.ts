/**
 * Finds differences between text and code: settings and events without text, dead links, commands in the manual that
 * do not exist, citations of sections that do not exist, generated pages that differ from their generators, packages
 * that are locked without their hash. Files over 400 lines are listed, not refused.
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EVENTS } from '../src/catalogue.ts';
import type { EventDefinition } from '../src/world/event.ts';
import { CITING, citationFaults, renderRfcs } from './generate-rfcs.ts';
import { type AnySetting, catalogue, definedSettings, renderSettings } from './generate-settings.ts';
import { conclude, lineCount, ROOT, type SourceFile, sourceFiles } from './source-files.ts';

const SMELL_LINES = 400;

async function main(): Promise<void> {
  const pages = sourceFiles('*.md', 'docs/**/*.md', 'deploy/**/*.md');
  const citing = sourceFiles(CITING);
  const listed = await catalogue();
  const defined = await definedSettings();
  const long = sourceFiles('{src,test,bench,scripts,web}/**/*.{ts,tsx}').filter(
    ({ text }) => lineCount(text) > SMELL_LINES,
  );
  conclude(
    'drift',
    [
      ...settingFaults(listed ?? defined),
      ...(listed ? unlisted(defined, listed) : []),
      ...eventFaults(),
      ...pages.flatMap(deadLinks),
      ...commandFaults(pages),
      ...citationFaults(citing),
      ...lockFaults(),
      ...outOfDate(pages, 'docs/rfcs.md', 'scripts/generate-rfcs.ts', renderRfcs(citing)),
      ...outOfDate(pages, 'docs/settings.md', 'scripts/generate-settings.ts', renderSettings(listed ?? defined)),
    ],
    long.map(({ path, text }) => `${path} has ${lineCount(text)} lines: 400 is a smell`),
  );
}

function settingFaults(settings: readonly AnySetting[]): string[] {
  const keys = new Set<string>();
  return settings.flatMap(({ key, manual }) => {
    const twice = keys.has(key) ? [`setting ${key}: is defined twice`] : [];
    keys.add(key);
    return manual.trim().length >= 20 ? twice : [...twice, `setting ${key}: its manual text says nothing`];
  });
}

function unlisted(defined: readonly AnySetting[], listed: readonly AnySetting[]): string[] {
  const keys = new Set(listed.map(({ key }) => key));
  return defined.filter(({ key }) => !keys.has(key)).map(({ key }) => `setting ${key}: is not in src/catalogue.ts`);
}

function eventFaults(): string[] {
  return (Object.entries(EVENTS) as [string, EventDefinition<object>][]).flatMap(([name, { text, metric }]) => [
    ...(/^[a-z-]+(\.[a-z-]+)+$/.test(name) ? [] : [`event ${name}: must be named room.what-happened`]),
    ...(text.trim().length >= 10 ? [] : [`event ${name}: its text says nothing`]),
    ...(metric && !/^postern_[a-z_]+_total$/.test(metric.name) ? [`event ${name}: metric ${metric.name}`] : []),
  ]);
}

/** What npm installs is locked only if the hash of the package is locked too. */
function lockFaults(): string[] {
  const [lock] = sourceFiles('package-lock.json');
  const { packages } = JSON.parse(lock!.text) as {
    packages: Readonly<Record<string, { readonly integrity?: string }>>;
  };
  return Object.entries(packages).flatMap(([name, { integrity = '' }]) =>
    name === '' || /^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity)
      ? []
      : [`package-lock.json: ${name} has no SHA-512 hash`],
  );
}

/** Relative links, and headings they point to. */
function deadLinks({ path, text }: SourceFile): string[] {
  const prose = text.replace(/```[\s\S]*?```/g, '');
  return [...prose.matchAll(/\]\((?![a-z]+:)([^)#\s]*)(#[^)\s]*)?\)/g)].flatMap(([link, target = '', anchor]) => {
    const file = target === '' ? path : join(dirname(path), target);
    if (!existsSync(join(ROOT, file))) return [`${path}: dead link ${link}`];
    if (anchor === undefined || !file.endsWith('.md')) return [];
    const [page] = sourceFiles(file);
    return anchors(page!.text).has(anchor.slice(1)) ? [] : [`${path}: dead anchor ${link}`];
  });
}

/** In GitHub's form. */
function anchors(markdown: string): Set<string> {
  return new Set(
    [...markdown.matchAll(/^#+ +(.+)$/gm)].map((match) =>
      match[1]!
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Commands live in src/cli, one file or folder each; in pages only code counts. */
function commandFaults(pages: readonly SourceFile[]): string[] {
  const folder = join(ROOT, 'src/cli');
  const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  const known = new Set(files.map((file) => file.replace(/\.ts$/, '').split('/').at(-1)!));
  return pages.flatMap(({ path, text }) => {
    const code = [...text.matchAll(/```[\s\S]*?```|`[^`\n]+`/g)].map(([span]) => span).join('\n');
    const named = new Set(
      [...code.matchAll(/(?:^|[`/\s])postern (?!postern )([a-z][a-z-]*)/g)].map((match) => match[1]!),
    );
    return [...named]
      .filter((command) => !known.has(command))
      .map((command) => `${path}: no command postern ${command}`);
  });
}

function outOfDate(pages: readonly SourceFile[], path: string, generator: string, made: string): string[] {
  return pages.find((page) => page.path === path)?.text === made ? [] : [`${path}: out of date; run node ${generator}`];
}

await main();
