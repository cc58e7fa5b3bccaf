/** A whole core on a folder of its own, as an offline command opens it; no name server answers it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Core, openCore } from '../../src/core.ts';
import { fullAdministrator } from '../../src/operations/roles.ts';
import { readConfig } from '../../src/world/config.ts';
import { recordedEvents } from './events.ts';

export const ROOT = fullAdministrator('cli:root');

export async function startCore(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Core> {
  const cwd = mkdtempSync(join(tmpdir(), 'postern-core-'));
  const { config } = readConfig({
    env: { POSTERN_TEST_ANSWERS: '1', POSTERN_DNS_SERVERS: '127.0.0.1:9', POSTERN_DATA: join(cwd, 'data'), ...env },
    cwd,
    systemFile: join(cwd, 'system.toml'),
    hostname: 'mx.example.com',
    hasIpv6: false,
  });
  const core = await openCore(config, recordedEvents());
  t.after(async () => {
    await core.close();
    rmSync(cwd, { recursive: true });
  });
  return core;
}
