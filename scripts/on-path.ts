import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Whether a shell would find this command. */
export function onPath(command: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
