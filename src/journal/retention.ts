/** How long the log keeps what, as the settings say now. */
import type { SettingsSnapshot } from '../settings/contract.ts';
import type { Retention } from './expire.ts';
import { journalSettings } from './settings.ts';

export function retentionOf(settings: SettingsSnapshot): Retention {
  return {
    days: settings.get(journalSettings.retentionDays),
    auditDays: settings.get(journalSettings.auditRetentionDays),
  };
}
