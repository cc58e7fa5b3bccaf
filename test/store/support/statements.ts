/** Every room's statements, for tests that look at all of them. */
import { ruleStatements } from '../../../src/directory/rules/statements.ts';
import { credentialStatements } from '../../../src/directory/sign-in/statements.ts';
import { dkimStatements } from '../../../src/directory/signing-keys/statements.ts';
import { sourceStatements } from '../../../src/directory/sources/statements.ts';
import { directoryStatements } from '../../../src/directory/statements.ts';
import { jobLeaseStatements } from '../../../src/jobs/leases.ts';
import { queueStatements } from '../../../src/queue/rows/statements.ts';
import { dmarcStatements } from '../../../src/report/dmarc/statements.ts';
import { incomingStatements } from '../../../src/report/incoming/statements.ts';
import { settingStatements } from '../../../src/settings/schema.ts';
import type { Change } from '../../../src/store/contract.ts';
import { nodeStatements } from '../../../src/store/nodes.ts';
import { outboxStatements } from '../../../src/store/outbox.ts';

/** Every statement of a room, made with parameters that fit none. */
export function statementsIn(of: unknown): { sql: string; writes?: Change }[] {
  if (typeof of === 'function') {
    // Queries of a varying shape take what they are asked about, and a page.
    const made: unknown = of({}, {});
    return typeof made === 'object' && made !== null && 'sql' in made ? [made as { sql: string }] : statementsIn(made);
  }
  return typeof of === 'object' && of !== null ? Object.values(of).flatMap(statementsIn) : [];
}

export const ROOMS = {
  directory: directoryStatements,
  'directory/sign-in': credentialStatements,
  'directory/signing-keys': dkimStatements,
  'directory/rules': ruleStatements,
  'directory/sources': sourceStatements,
  settings: settingStatements,
  'report/dmarc': dmarcStatements,
  'report/incoming': incomingStatements,
  jobs: jobLeaseStatements,
  nodes: nodeStatements,
  outbox: outboxStatements,
  queue: queueStatements,
};
