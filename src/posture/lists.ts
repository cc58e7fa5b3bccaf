/** Allow lists: entries that cover a local address, and addresses that count without proof. */
import type { LocalAllows } from '../directory/rules/local-allows.ts';
import { listSettings } from '../screen/settings.ts';
import type { SettingsSnapshot } from '../settings/contract.ts';
import { good, type PostureResult, problem } from './types.ts';

const COVERS_LOCAL = {
  code: 'covers-local',
  severity: 'important',
  why: 'It covers addresses of your own: whoever writes under one, and passes SPF or DKIM of its domain by a server that you forgot or share with others, is spared by checks. Your servers and users need no list; remove it.',
} as const;

const UNPROVEN = {
  code: 'unproven',
  severity: 'important',
  why: 'Whoever writes such an address into MAIL or From passes every check that spares listed senders: anyone can. Set lists.provenAddresses to true.',
} as const;

export function checkLists(
  snapshot: SettingsSnapshot,
  { entries, count, addresses }: LocalAllows,
): readonly PostureResult[] {
  const results = entries.map(({ value, owner }) => {
    const whose = owner === '' ? 'the allow list' : `the allow list of ${owner}`;
    return problem({ test: 'lists', subject: value }, COVERS_LOCAL, `${value} is on ${whose}`);
  });
  const about = { test: 'lists', subject: 'allow' } as const;
  if (count > entries.length)
    results.push(problem(about, COVERS_LOCAL, `${count - entries.length} more entries cover local addresses`));
  if (addresses > 0 && !snapshot.get(listSettings.provenAddresses))
    results.push(problem(about, UNPROVEN, `addresses on allow lists count without proof: ${addresses}`));
  return results.length > 0 ? results : [good(about, 'no allow entry covers a local address')];
}
