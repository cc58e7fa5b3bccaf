/** The greeting (RFC 5321 4.2): no enhanced code (RFC 2034 4), no version for scanners to collect. */
import type { Reply } from '../model/reply.ts';

export function greeting({ hostname }: { readonly hostname: string }): Reply {
  return { code: 220, text: `${hostname} ESMTP Postern` };
}
