/** Why a test of this program is left out: it is not installed. False where it is. */
import { execFileSync } from 'node:child_process';

export function missing(command: string): string | false {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
    return false;
  } catch {
    return `${command} is not installed`;
  }
}
