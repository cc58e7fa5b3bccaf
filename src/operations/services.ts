/** The services of operations; built in `main`. */
import type { TSchema } from 'typebox';
import type { DirectoryAdmin } from '../directory/admin.ts';
import type { OpenDirectory } from '../directory/directory.ts';
import type { RuleAdmin } from '../directory/rules/admin.ts';
import type { ServerLogins } from '../directory/servers/logins.ts';
import type { CredentialAdmin } from '../directory/sign-in/admin.ts';
import type { Credentials } from '../directory/sign-in/credentials.ts';
import type { MingerSecret } from '../directory/sign-in/minger-secret.ts';
import type { DkimKeys } from '../directory/signing-keys/dkim-keys.ts';
import type { SourceAdmin } from '../directory/sources/admin.ts';
import type { Journal } from '../journal/contract.ts';
import type { LogReader } from '../journal/reader.ts';
import type { Posture } from '../posture/posture.ts';
import type { QueueAdmin } from '../queue/admin/queue-admin.ts';
import type { ReportAdmin } from '../report/admin.ts';
import type { Rechecked, StoredMail } from '../screen/replay/recheck.ts';
import type { ReplayRunner } from '../screen/replay/runner.ts';
import type { SettingsHistory } from '../settings/history.ts';
import type { SettingsRegistry } from '../settings/registry.ts';
import type { Database } from '../store/contract.ts';
import type { Clock } from '../world/clock.ts';
import type { Events } from '../world/events.ts';
import type { Random } from '../world/random.ts';
import type { Resolver } from '../world/resolver.ts';
import type { Runs } from './runs.ts';

export interface NodeStatus {
  readonly version: string;
  readonly hostname: string;
  readonly data: string;
  /** False if a command works on a stopped node's folder. */
  readonly running: boolean;
  /** Milliseconds since the epoch; absent when not running. */
  readonly startedAt?: number;
  /** `address:port` by name. */
  readonly listeners: Readonly<Record<string, string>>;
}

export interface OperationServices {
  readonly database: Database;
  readonly settings: SettingsRegistry;
  readonly settingsHistory: SettingsHistory;
  readonly directory: OpenDirectory;
  readonly admin: DirectoryAdmin;
  readonly rules: RuleAdmin;
  readonly credentials: CredentialAdmin;
  readonly explainToken: Credentials['explainToken'];
  readonly dkim: DkimKeys;
  readonly sources: SourceAdmin;
  readonly minger: MingerSecret;
  readonly logins: ServerLogins;
  readonly resolver: Resolver;
  readonly queue: QueueAdmin;
  readonly posture: Posture;
  readonly reports: ReportAdmin;
  readonly log: LogReader;
  readonly replays: ReplayRunner;
  /** Judges a message of the queue again. */
  readonly recheck: (mail: StoredMail) => Promise<Rechecked>;
  readonly journal: Pick<Journal, 'audit' | 'flush'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
  /** The name of this node among others. */
  readonly nodeName: string;
  readonly runs: Runs;
  status(): NodeStatus;
  /** Tests have every answer checked against its schema. */
  checkAnswer?(operation: { readonly name: string; readonly answer: TSchema }, output: unknown): void;
}
