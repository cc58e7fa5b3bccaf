/**
 * What the rooms declare, in one place: every setting and every migration. The registry, the CLI,
 * `docs/settings.md` and the database are made from these two lists.
 */
import { mingerSettings } from './access/settings.ts';
import { deliverySettings, publicAddressSettings } from './deliver/settings.ts';
import { passwordSettings } from './directory/credential-settings.ts';
import { signingMigrations } from './directory/dkim-keys-schema.ts';
import { reportAddressSettings } from './directory/report-addresses.ts';
import { directoryMigrations } from './directory/schema.ts';
import { directorySettings } from './directory/settings.ts';
import { signingSettings } from './directory/signing-settings.ts';
import { verificationSettings } from './directory/sources/settings.ts';
import { tokenMigrations } from './directory/tokens/schema.ts';
import { tokenSettings } from './directory/tokens/settings.ts';
import { journalSettings } from './journal/settings.ts';
import { operationMigrations } from './operations/schema.ts';
import { postureSettings } from './posture/settings.ts';
import { queueMigrations } from './queue/migrations.ts';
import { queueSettings } from './queue/settings.ts';
import { receiveSettings, smtpSettings } from './receive/settings.ts';
import { reportMigrations } from './report/schema.ts';
import { reportSettings } from './report/settings.ts';
import { screenSettings } from './screen/index.ts';
import type { AnySetting } from './settings/registry.ts';
import { settingsMigrations } from './settings/schema.ts';
import type { StoreMigration } from './store/migration.ts';
import { outboxMigrations } from './store/outbox.ts';

const GROUPS: readonly Readonly<Record<string, AnySetting>>[] = [
  smtpSettings,
  receiveSettings,
  screenSettings,
  directorySettings,
  passwordSettings,
  tokenSettings,
  verificationSettings,
  mingerSettings,
  queueSettings,
  deliverySettings,
  publicAddressSettings,
  signingSettings,
  journalSettings,
  postureSettings,
  reportSettings,
  reportAddressSettings,
];

export const SETTINGS: readonly AnySetting[] = GROUPS.flatMap((group) => Object.values(group));

export const MIGRATIONS: readonly StoreMigration[] = [
  ...queueMigrations,
  ...settingsMigrations,
  ...directoryMigrations,
  ...tokenMigrations,
  ...signingMigrations,
  ...operationMigrations,
  ...outboxMigrations,
  ...reportMigrations,
];
