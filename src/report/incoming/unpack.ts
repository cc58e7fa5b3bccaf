/**
 * Unpacks a report: plain, gzip, or a ZIP of one file. Bounded in bytes whatever the archive declares, and in
 * proportion to the packed size, so that a bomb costs no more than the largest honest report; an archive in an
 * archive is not opened. Throws an Error with a sentence.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { type Entry, fromBuffer, type ZipFile } from 'yauzl';
import { UNPACKED_AT_LEAST, UNPACKED_BYTES, UNPACKED_RATIO, ZIP_ENTRIES } from '../limits.ts';

const unzipped = promisify(gunzip);
const opened = promisify<Buffer, { lazyEntries: boolean }, ZipFile>(fromBuffer);

type Packing = 'gzip' | 'zip' | 'none';

/** By its first bytes: media types and names are unreliable. */
export function packingOf(bytes: Uint8Array): Packing {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip';
  if (bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4) return 'zip';
  return 'none';
}

/** `left`: the rest of the bound after the other reports of the message. */
export async function unpack(bytes: Uint8Array, left: number = UNPACKED_BYTES): Promise<Uint8Array> {
  const packing = packingOf(bytes);
  const most = Math.min(left, Math.max(UNPACKED_AT_LEAST, bytes.length * UNPACKED_RATIO));
  const inner =
    packing === 'none' ? bytes : packing === 'gzip' ? await fromGzip(bytes, most) : await fromZip(bytes, most);
  if (inner.length > left) throw new Error(`it has more than ${left} bytes`);
  if (packing !== 'none' && packingOf(inner) !== 'none') throw new Error('an archive in an archive is not looked into');
  return inner;
}

async function fromGzip(bytes: Uint8Array, most: number): Promise<Uint8Array> {
  try {
    return await unzipped(bytes, { maxOutputLength: most });
  } catch (error) {
    const isLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw new Error(isLarge ? `unpacked it has more than ${most} bytes` : `gzip: ${(error as Error).message}`);
  }
}

async function fromZip(bytes: Uint8Array, most: number): Promise<Uint8Array> {
  const zip = await opened(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), { lazyEntries: true });
  const entry = await firstFile(zip);
  if (entry.isEncrypted()) throw new Error('the ZIP is encrypted');
  if (entry.uncompressedSize > most) throw new Error(`unpacked it has more than ${most} bytes`);
  const stream = await promisify(zip.openReadStream.bind(zip) as typeof zip.openReadStream)(entry);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    // The size in the directory of the ZIP is only a claim.
    if (size > most) throw new Error(`unpacked it has more than ${most} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function firstFile(zip: ZipFile): Promise<Entry> {
  return new Promise((resolve, reject) => {
    let seen = 0;
    zip.on('error', reject);
    zip.on('end', () => reject(new Error('the ZIP has no file in it')));
    zip.on('entry', (entry: Entry) => {
      if (!entry.fileName.endsWith('/')) return resolve(entry);
      if (++seen >= ZIP_ENTRIES) return reject(new Error('the ZIP has too many folders in it'));
      zip.readEntry();
    });
    zip.readEntry();
  });
}
