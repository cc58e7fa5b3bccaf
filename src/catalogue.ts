/**
 * The declarations of all rooms in one place: every setting, migration and event. The registry, the CLI,
 * `docs/settings.md` and the database are made from these lists.
 */
import { mingerSettings } from './access/settings.ts';
import { deliveryEvents } from './deliver/events.ts';
import { deliverySettings, publicAddressSettings } from './deliver/settings.ts';
import { reportAddressSettings } from './directory/addresses/report-addresses.ts';
import { directoryMigrations } from './directory/schema.ts';
import { directorySettings } from './directory/settings.ts';
import { signInEvents } from './directory/sign-in/events.ts';
import { passwordSettings } from './directory/sign-in/settings.ts';
import { tokenEvents } from './directory/sign-in/tokens/events.ts';
import { tokenMigrations } from './directory/sign-in/tokens/schema.ts';
import { tokenSettings } from './directory/sign-in/tokens/settings.ts';
import { signingEvents } from './directory/signing-keys/events.ts';
import { signingMigrations } from './directory/signing-keys/schema.ts';
import { signingSettings } from './directory/signing-keys/settings.ts';
import { verificationEvents } from './directory/sources/events.ts';
import { verificationSettings } from './directory/sources/settings.ts';
import { jobEvents } from './jobs/events.ts';
import { jobMigrations } from './jobs/leases.ts';
import { journalEvents } from './journal/events.ts';
import { journalSettings } from './journal/settings.ts';
import { operationEvents } from './operations/events.ts';
import { operationMigrations } from './operations/schema.ts';
import { postureSettings } from './posture/settings.ts';
import { queueEvents } from './queue/events.ts';
import { queueMigrations } from './queue/rows/migrations.ts';
import { queueSettings } from './queue/settings.ts';
import { receiveEvents } from './receive/events.ts';
import { receiveSettings, smtpSettings } from './receive/settings.ts';
import { reportEvents } from './report/events.ts';
import { reportMigrations } from './report/schema.ts';
import { reportSettings } from './report/settings.ts';
import { screenEvents } from './screen/events.ts';
import { screenSettings } from './screen/index.ts';
import { settingEvents } from './settings/events.ts';
import type { AnySetting } from './settings/registry.ts';
import { settingsMigrations } from './settings/schema.ts';
import { storeEvents } from './store/events.ts';
import type { StoreMigration } from './store/migration.ts';
import { nodeMigrations } from './store/nodes.ts';
import { outboxMigrations } from './store/outbox.ts';
import { wireEvents } from './wire/events.ts';
import type { EventDefinitions } from './world/events.ts';
import { nodeEvents } from './world/node-events.ts';
import { dnsEvents } from './world/resolver/events.ts';

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
  ...nodeMigrations,
  ...jobMigrations,
  ...reportMigrations,
];

export const EVENTS: EventDefinitions = {
  ...deliveryEvents,
  ...dnsEvents,
  ...jobEvents,
  ...journalEvents,
  ...nodeEvents,
  ...operationEvents,
  ...queueEvents,
  ...receiveEvents,
  ...reportEvents,
  ...screenEvents,
  ...signInEvents,
  ...signingEvents,
  ...storeEvents,
  ...tokenEvents,
  ...verificationEvents,
  ...wireEvents,
  ...settingEvents,
};
