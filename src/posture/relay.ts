/** Relay control in its current settings: each exception that is on, with the text of its setting. */
import { relaySettings } from '../screen/settings.ts';
import type { SettingsSnapshot } from '../settings/contract.ts';
import type { SettingDefinition } from '../settings/define.ts';
import { good, type PostureResult, problem } from './types.ts';

type Flag = SettingDefinition<boolean>;

interface Protection {
  readonly setting: Flag;
  /** The consequence of turning it off. */
  readonly off: string;
  /** Off by default, all of them. */
  readonly exceptions: readonly Flag[];
}

const PROTECTIONS: readonly Protection[] = [
  {
    setting: relaySettings.onlyDomainServers,
    off: "Strangers may write to your users under your users' names.",
    exceptions: [
      relaySettings.exceptLocalRecipients,
      relaySettings.exceptAuthenticatedOn25,
      relaySettings.exceptAllowListed,
    ],
  },
  {
    setting: relaySettings.senderMustExist,
    off: 'Mail leaves under names that nobody can answer.',
    exceptions: [
      relaySettings.senderExceptAuthenticated,
      relaySettings.senderExceptDomainServers,
      relaySettings.senderExceptAllowListed,
    ],
  },
];

const CONSEQUENCE = 'Consequence: ';

/** The consequence of a setting, from the manual; a test checks that every exception has one. */
export function consequenceOf({ manual }: Flag): string {
  const text = manual.slice(manual.indexOf(CONSEQUENCE) + CONSEQUENCE.length);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** `pairs`: how many pairs of IP shielding were entered. */
export function checkRelay(snapshot: SettingsSnapshot, pairs: number): readonly PostureResult[] {
  const results: PostureResult[] = [];
  const exception = (setting: Flag): void => {
    if (!snapshot.get(setting)) return;
    const why = consequenceOf(setting);
    results.push(problem(about(setting), { code: 'exception', severity: 'important', why }, `${setting.key} is on`));
  };
  exception(relaySettings.throughDomainServers);
  for (const { setting, off: why, exceptions } of PROTECTIONS) {
    if (snapshot.get(setting)) exceptions.forEach(exception);
    else results.push(problem(about(setting), { code: 'off', severity: 'important', why }, `${setting.key} is off`));
  }
  const { exceptShielded } = relaySettings;
  if (pairs > 0 && snapshot.get(relaySettings.onlyDomainServers) && snapshot.get(exceptShielded)) {
    const shielded = { code: 'shielded', severity: 'advice', why: consequenceOf(exceptShielded) } as const;
    const seen = `${pairs} ${pairs === 1 ? 'pair' : 'pairs'} of IP shielding let out who does not sign in`;
    results.push(problem(about(exceptShielded), shielded, seen));
  }
  const isPlain = results.every(({ verdict }) => verdict === 'good');
  if (isPlain) results.unshift(good({ test: 'relay', subject: 'relay' }, 'no exception is on that the guide warns of'));
  return results;
}

function about({ key }: Flag) {
  return { test: 'relay', subject: key } as const;
}
