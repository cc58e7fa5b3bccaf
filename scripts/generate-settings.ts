/** Makes docs/settings.md from the definitions of all settings: `node scripts/generate-settings.ts`. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SettingDefinition } from '../src/settings/define.ts';
import { formatValue } from '../src/settings/text.ts';
import { ROOT, sourceFiles } from './source-files.ts';

export type AnySetting = SettingDefinition<unknown>;

const CATALOGUE = join(ROOT, 'src/catalogue.ts');

/** `undefined`: there is no catalogue. */
export async function catalogue(): Promise<readonly AnySetting[] | undefined> {
  if (!existsSync(CATALOGUE)) return undefined;
  const { SETTINGS } = (await import(CATALOGUE)) as { SETTINGS: readonly AnySetting[] };
  return SETTINGS;
}

/** Every definition that a room exports, whether the catalogue lists it or not. */
export async function definedSettings(): Promise<readonly AnySetting[]> {
  const found = new Map<string, AnySetting>();
  for (const { path } of sourceFiles('src/*/settings.ts', 'src/screen/index.ts')) {
    const exported = (await import(join(ROOT, path))) as Record<string, unknown>;
    for (const group of Object.values(exported)) {
      if (typeof group !== 'object' || group === null) continue;
      for (const value of Object.values(group)) if (isSetting(value)) found.set(value.key, value);
    }
  }
  return [...found.values()];
}

function isSetting(value: unknown): value is AnySetting {
  return typeof value === 'object' && value !== null && 'key' in value && 'manual' in value && 'schema' in value;
}

export function renderSettings(settings: readonly AnySetting[]): string {
  const groups = Map.groupBy(settings, ({ key }) => key.slice(0, key.lastIndexOf('.')));
  const chapters = [...groups.keys()].sort().map((group) => {
    const members = groups.get(group)!.toSorted((a, b) => a.key.localeCompare(b.key, 'en'));
    return `\n## ${group}\n${members.map(paragraph).join('')}`;
  });
  return `# Settings

Made from the definitions in the source by \`node scripts/generate-settings.ts\`. \`postern settings set <key> <value>\`
changes one while the node runs, with \`--domain\` or \`--account\` for one owner where the scope allows it.
${chapters.join('')}`;
}

const SCOPES = {
  global: 'the whole node',
  domain: 'the node or a domain',
  account: 'the node, a domain or an account',
};

function paragraph(setting: AnySetting): string {
  const value = formatValue(setting, setting.default);
  const facts = [
    `default: ${value === '' ? 'empty' : `\`${value}\``}`,
    ...bounds(setting),
    `for: ${SCOPES[setting.scope]}`,
  ];
  return `\n### \`${setting.key}\`\n\n${setting.manual}\n\n${facts.map((fact) => `- ${fact}\n`).join('')}`;
}

function bounds(setting: AnySetting): string[] {
  const {
    minimum,
    maximum,
    enum: values,
  } = setting.schema as {
    readonly minimum?: number;
    readonly maximum?: number;
    readonly enum?: readonly string[];
  };
  if (values) return [`one of: ${values.map((value) => `\`${value}\``).join(', ')}`];
  if (minimum === undefined || maximum === undefined) return [];
  return [`from ${formatValue(setting, minimum)} to ${formatValue(setting, maximum)}`];
}

if (import.meta.main)
  writeFileSync(join(ROOT, 'docs/settings.md'), renderSettings((await catalogue()) ?? (await definedSettings())));
