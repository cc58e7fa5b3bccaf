/** Makes docs/rfcs.md from the citations in the source: `node scripts/generate-rfcs.ts`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RFCS } from './rfc-table.ts';
import { lineOf, ROOT, type SourceFile, sourceFiles } from './source-files.ts';

interface Citation {
  readonly rfc: number;
  /** `4.1.1.2`, `C.2.1`, `appendix D`; absent: the whole standard. */
  readonly section?: string;
  readonly path: string;
  readonly line: number;
}

const CITATION = /\bRFC (\d{3,5})(?: (\d+(?:\.\d+)*|[A-Z]\.\d+(?:\.\d+)*|appendix [A-Z](?:\.\d+)*)(?![\w-]))?/g;
const ILL_FORMED = /\bRFC-?\d|\bRFC \d+,? (?:section|sec\.) ?\d|\bRFC \d+ ?§/g;

function citations({ path, text }: SourceFile): Citation[] {
  return [...text.matchAll(CITATION)].map((match) => ({
    rfc: Number(match[1]),
    section: match[2],
    path,
    line: lineOf(text, match.index),
  }));
}

/** Citations that are not of the form `RFC 5321 4.1.1.2`, or of sections that do not exist. */
export function citationFaults(files: readonly SourceFile[]): string[] {
  const illFormed = files.flatMap(({ path, text }) =>
    [...text.matchAll(ILL_FORMED)].map(
      (match) => `${path}:${lineOf(text, match.index)}: cite as "RFC 5321 4.1.1.2": ${match[0]}`,
    ),
  );
  return [...illFormed, ...files.flatMap(citations).flatMap(nonexistent)];
}

function nonexistent({ rfc, section, path, line }: Citation): string[] {
  const known = RFCS[rfc];
  if (!known) return [`${path}:${line}: RFC ${rfc} is not in scripts/rfc-table.ts`];
  const top = Number(section?.split('.')[0]);
  return top > known[1] || top === 0 ? [`${path}:${line}: RFC ${rfc} has no section ${section}`] : [];
}

export function renderRfcs(files: readonly SourceFile[]): string {
  const byRfc = Map.groupBy(files.flatMap(citations), ({ rfc }) => rfc);
  const chapters = [...byRfc.keys()].sort((a, b) => a - b).map((rfc) => chapter(rfc, byRfc.get(rfc)!));
  return `# Standards

Made from the citations in the source by \`node scripts/generate-rfcs.ts\`: each section, and the files that obey it.
${chapters.join('')}`;
}

function chapter(rfc: number, cited: readonly Citation[]): string {
  const bySection = Map.groupBy(cited, ({ section }) => section ?? '');
  const rows = [...bySection.keys()].sort(bySectionNumber).map((section) => {
    const paths = [...new Set(bySection.get(section)!.map(({ path }) => path))];
    return `| ${section || 'as a whole'} | ${paths.map((path) => `[${path.slice('src/'.length)}](../${path})`).join(', ')} |\n`;
  });
  const title = RFCS[rfc]?.[0] ?? '';
  return `\n## [RFC ${rfc}](https://www.rfc-editor.org/rfc/rfc${rfc}): ${title}\n\n| section | files |\n| --- | --- |\n${rows.join('')}`;
}

function bySectionNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

export const CITING = 'src/**/*.ts';

if (import.meta.main) writeFileSync(join(ROOT, 'docs/rfcs.md'), renderRfcs(sourceFiles(CITING)));
