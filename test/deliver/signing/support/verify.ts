/** What an independent verifier says of a message: mailauth, strict, with the names of a test. */
import { createRequire } from 'node:module';

interface DkimResult {
  readonly signingDomain: string;
  readonly selector: string;
  readonly algo: string;
  readonly status: { readonly result: string; readonly comment?: string; readonly aligned?: string | false };
}

export type Lookup = (name: string, type: string) => Promise<string[][]>;

const require = createRequire(import.meta.url);
const { dkimVerify } = require('mailauth/lib/dkim/verify.js') as {
  dkimVerify(message: Buffer, options: object): Promise<{ results: DkimResult[]; arc: unknown }>;
};
const { arc } = require('mailauth/lib/arc/index.js') as {
  arc(data: unknown, options: object): Promise<{ status: { result: string; comment?: string } }>;
};

/** `a=… d=… s=…: result` of each signature. */
export async function verified(message: Buffer, lookup: Lookup, atMs: number): Promise<string[]> {
  const { results } = await dkimVerify(message, { resolver: lookup, curTime: new Date(atMs) });
  return results
    .filter(({ status }) => status.result !== 'none')
    .map(({ algo, signingDomain, selector, status }) =>
      [`${algo} ${signingDomain} ${selector}: ${status.result}`, status.comment].filter(Boolean).join(' '),
    );
}

export async function arcResult(message: Buffer, lookup: Lookup, atMs: number): Promise<string> {
  const options = { resolver: lookup, curTime: new Date(atMs) };
  const data = await dkimVerify(message, options);
  return (await arc(data.arc, options)).status.result;
}
