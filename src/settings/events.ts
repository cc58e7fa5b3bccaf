/** Events of settings. */
import { event } from '../world/event.ts';

export const settingEvents = {
  'settings.changed': event<{ keys: readonly string[]; owners: readonly string[]; by: string }>()({
    level: 'info',
    text: 'settings were changed',
    metric: { name: 'postern_settings_changes_total' },
    webhook: true,
  }),
  'settings.invalid': event<{ key: string; owner: string; value: string; must: string }>()({
    level: 'warn',
    text: 'a stored setting is no longer valid: it counts as not set until it is set anew',
  }),
} as const;

type SettingEvents = typeof settingEvents;
declare module '../world/events.ts' {
  interface EventList extends SettingEvents {}
}
