/** Every operation, by name. */
import { aliasOperations } from './acts/alias.ts';
import { authOperations } from './acts/auth.ts';
import { checkOperations } from './acts/check.ts';
import { credentialOperations } from './acts/credentials.ts';
import { dkimOperations } from './acts/dkim.ts';
import { domainOperations } from './acts/domain.ts';
import { listOperations } from './acts/list.ts';
import { logOperations } from './acts/log.ts';
import { mingerOperations } from './acts/minger.ts';
import { operationOperations } from './acts/operation.ts';
import { queueOperations } from './acts/queue.ts';
import { replayOperations } from './acts/replay.ts';
import { reportOperations } from './acts/report.ts';
import { serverOperations } from './acts/server.ts';
import { settingsOperations } from './acts/settings.ts';
import { shieldOperations } from './acts/shield.ts';
import { sourceOperations } from './acts/source.ts';
import { statusOperations } from './acts/status.ts';
import { userOperations } from './acts/user.ts';
import type { Operation } from './define.ts';

export const OPERATIONS = {
  ...domainOperations,
  ...dkimOperations,
  ...userOperations,
  ...credentialOperations,
  ...authOperations,
  ...aliasOperations,
  ...serverOperations,
  ...listOperations,
  ...shieldOperations,
  ...sourceOperations,
  ...mingerOperations,
  ...settingsOperations,
  ...queueOperations,
  ...logOperations,
  ...replayOperations,
  ...operationOperations,
  ...statusOperations,
  ...checkOperations,
  ...reportOperations,
};

export type OperationName = keyof typeof OPERATIONS;
export type OperationInput<N extends OperationName> =
  (typeof OPERATIONS)[N] extends Operation<infer I, infer _> ? I : never;
export type OperationOutput<N extends OperationName> =
  (typeof OPERATIONS)[N] extends Operation<infer _, infer O> ? O : never;
