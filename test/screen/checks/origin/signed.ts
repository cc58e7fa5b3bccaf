/** Signed messages for tests, and their verification as the checks do it. */
import { Readable } from 'node:stream';
import { inspectHeader } from '../../../../src/protocol/mime/inspect-header.ts';
import { createAsker } from '../../../../src/screen/checks/origin/ask.ts';
import {
  type Signed,
  type Verified,
  verifySignatures,
} from '../../../../src/screen/checks/origin/signatures/signatures.ts';
import type { Clock } from '../../../../src/world/clock.ts';
import type { Resolver } from '../../../../src/world/resolver.ts';
import { manualClock } from '../../../support/clock.ts';
import { content } from '../../world.ts';

/** `chunks`: the content comes as a stream, split at these sizes, and is not in memory. */
export function signed(text: string, chunkBytes?: number): Signed {
  const head = Buffer.from(text, 'latin1');
  const header = inspectHeader(head);
  const whole = content(text);
  return {
    content:
      chunkBytes === undefined ? whole : { ...content(text, false), open: (range) => split(head, range, chunkBytes) },
    head,
    bodyStart: header.endOffset,
    fields: header.origin,
  };
}

export function verify(
  message: Signed,
  resolver: Resolver,
  options: { readonly clock?: Clock; readonly minimumKeyBits?: number } = {},
): Promise<Verified> {
  const { clock = manualClock(), minimumKeyBits = 1024 } = options;
  return verifySignatures(message, { asker: createAsker(resolver), resolver, clock, minimumKeyBits });
}

function split(bytes: Buffer, range: { start: number; end: number } | undefined, chunkBytes: number): Readable {
  const wanted = bytes.subarray(range?.start ?? 0, range?.end ?? bytes.length);
  const chunks: Buffer[] = [];
  for (let at = 0; at < wanted.length; at += chunkBytes) chunks.push(wanted.subarray(at, at + chunkBytes));
  return Readable.from(chunks);
}
