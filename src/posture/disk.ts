/** Room for mail and log: a full disk accepts no mail, and the log is what grows under attack. */
import { type DiskSpace, isNearlyFull } from '../world/disk-space.ts';
import { good, type PostureResult, problem } from './types.ts';

export interface NodeRoom {
  /** The data folder. */
  readonly folder: string;
  readonly disk: DiskSpace;
  /** Undefined before the first check. */
  readonly log?: { readonly usedBytes: number; readonly maxBytes: number };
}

const NEARLY_FULL = {
  code: 'nearly-full',
  severity: 'important',
  why: 'When the disk is full, no mail is accepted. Make room, or give the data folder a larger disk; log.retentionDays and log.maxBytes bound the log.',
} as const;

const LOG_TOO_LARGE = {
  code: 'log-too-large',
  severity: 'important',
  why: 'Rows of accepted mail and audit alone are more than the log may have, so refused transactions are kept for an hour only. Lower log.retentionDays, or raise log.maxBytes.',
} as const;

export function checkDisk({ folder, disk, log }: NodeRoom): readonly PostureResult[] {
  const about = { test: 'disk', subject: folder } as const;
  const seen = `${readable(disk.freeBytes)} of ${readable(disk.sizeBytes)} are free`;
  const size = log && `log.db has ${readable(log.usedBytes)} of at most ${readable(log.maxBytes)}`;
  const results: PostureResult[] = [];
  if (isNearlyFull(disk)) results.push(problem(about, NEARLY_FULL, seen));
  if (log && log.usedBytes > log.maxBytes) results.push(problem(about, LOG_TOO_LARGE, size!));
  return results.length > 0 ? results : [good(about, size === undefined ? seen : `${seen}; ${size}`)];
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

function readable(bytes: number): string {
  const unit = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return unit === 0 ? `${bytes} bytes` : `${(bytes / 1024 ** unit).toFixed(1)} ${UNITS[unit]}`;
}
