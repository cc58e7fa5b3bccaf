/** Values in use that are probably a mistake: they were forced, or set before they were checked. */
import type { DoubtfulRule } from '../directory/rules/doubts.ts';
import { networkDoubt, networkMust } from '../protocol/network/doubt.ts';
import type { StoredSetting } from '../settings/held.ts';
import type { AnySetting } from '../settings/registry.ts';
import type { NodeConfig } from '../world/config.ts';
import { type PostureResult, problem } from './types.ts';

export interface Doubtful {
  /** `the lists`, `delivery.example in the settings`. */
  readonly where: string;
  readonly value: string;
  /** Completes `it must be`. */
  readonly must: string;
}

export interface AllDoubtful {
  /** The first of them. */
  readonly values: readonly Doubtful[];
  readonly count: number;
}

const DOUBTFUL = {
  code: 'hardly-meant',
  severity: 'important',
  why: 'It gives trust, exemption from checks or relaying to everybody it covers. Narrow or remove it.',
} as const;

export function checkDoubtful({ values, count }: AllDoubtful): readonly PostureResult[] {
  const results = values.map(({ where, value, must }) =>
    problem({ test: 'trust', subject: value }, DOUBTFUL, `${value} in ${where}: it must be ${must}`),
  );
  if (count > values.length)
    results.push(
      problem({ test: 'trust', subject: 'more' }, DOUBTFUL, `${count - values.length} more can hardly be meant`),
    );
  return results;
}

/** Of all values that are set; defaults have no doubt. */
export function doubtfulSettings(
  definitions: readonly AnySetting[],
  stored: readonly StoredSetting[],
): readonly Doubtful[] {
  const byKey = new Map(definitions.map((setting) => [setting.key, setting]));
  return stored.flatMap(({ key, owner, value, state }) => {
    const must = state === 'valid' ? byKey.get(key)?.doubt?.(value) : undefined;
    if (must === undefined) return [];
    const whose = owner.account ?? owner.domain;
    const place = whose === undefined ? 'the settings' : `the settings of ${whose}`;
    return [{ where: place, value: key, must: must.replace(/^must be /, '') }];
  });
}

/** Of postern.toml and the environment. */
export function doubtfulConfig(config: Pick<NodeConfig, 'trustedProxies' | 'dnsTrusted'>): readonly Doubtful[] {
  return (['trustedProxies', 'dnsTrusted'] as const).flatMap((key) =>
    config[key].flatMap((value) => {
      const doubt = networkDoubt(value);
      return doubt ? [{ where: `${key} of the configuration`, value, must: networkMust(doubt) }] : [];
    }),
  );
}

/** All of a node, the first `most` by name. */
export function joined(
  most: number,
  others: readonly Doubtful[],
  rules: { readonly rules: readonly DoubtfulRule[]; readonly count: number },
): AllDoubtful {
  return { values: [...others, ...rules.rules].slice(0, most), count: others.length + rules.count };
}
