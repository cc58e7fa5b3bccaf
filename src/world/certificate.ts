/**
 * The certificate that a node starts with: the operator's files, else the one kept in the data folder, else a new
 * self-signed one, which is kept. Errors: OperationalError `tls.unreadable` for configured files that cannot be read,
 * `tls.unwritable` where the folder cannot be written.
 */
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationalError } from '../model/errors.ts';
import type { Clock } from './clock.ts';
import { systemDisk } from './disk.ts';
import type { Random } from './random.ts';
import type { CertificateAndKey } from './tls.ts';

export interface CertificateSource {
  readonly data: string;
  readonly hostname: string;
  /** Paths of PEM files. */
  readonly files?: { readonly certificate: string; readonly key: string };
}

export async function nodeCertificate(
  source: CertificateSource,
  clock: Clock,
  random: Random,
): Promise<CertificateAndKey> {
  if (source.files) return readPair(source.files);
  const folder = join(source.data, 'tls');
  const paths = { certificate: join(folder, 'self-signed.pem'), key: join(folder, 'self-signed.key') };
  try {
    return await readPair(paths);
  } catch (error) {
    if ((((error as Error).cause as NodeJS.ErrnoException)?.code ?? '') !== 'ENOENT') throw error;
  }
  const { selfSigned } = await import('./self-signed.ts');
  const made = await selfSigned(source.hostname, clock, random);
  try {
    await systemDisk.ensureFolder(folder);
    // The certificate is written last: if it exists, its key exists too.
    await write(paths.key, made.key);
    await write(paths.certificate, made.certificate);
  } catch (cause) {
    throw new OperationalError(
      'tls.unwritable',
      `cannot keep a self-signed certificate, as ${folder} must take it: ${(cause as Error).message}`,
      { cause },
    );
  }
  return { ...made, paths };
}

async function readPair(paths: { readonly certificate: string; readonly key: string }): Promise<CertificateAndKey> {
  return { certificate: await read(paths.certificate), key: await read(paths.key), paths };
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new OperationalError(
      'tls.unreadable',
      `cannot read ${path}, as it must be a readable PEM file: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** Written whole or not at all, readable by its owner alone, and never into a file that exists already. */
async function write(path: string, text: string): Promise<void> {
  await rm(`${path}.new`, { force: true });
  const file = await open(`${path}.new`, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
