/** One letter from outside to alice, and what the checks named make of it. */
import type { HeaderEdit } from '../../../../src/model/content.ts';
import type { Finding } from '../../../../src/model/finding.ts';
import type { Check } from '../../../../src/screen/engine/check.ts';
import { content, type ScreenOptions, screening, transact } from '../../world.ts';

export interface Screened {
  readonly findings: readonly Finding[];
  /** `code`, or nothing. */
  readonly code: string | undefined;
  readonly edits: readonly HeaderEdit[];
  readonly disposition: string;
}

export async function screened(
  check: Check,
  from: string,
  options: ScreenOptions & { readonly reversePath?: string | null; readonly to?: string } = {},
): Promise<Screened> {
  const { reversePath = 'x@sender.example', to = 'alice@example.com', ...rest } = options;
  const message = content(Buffer.from(`From: ${from}\r\nSubject: hello\r\n\r\nHello.\r\n`).toString('latin1'));
  const checks = options.checks ?? [check];
  const { message: verdict } = await transact(screening({ ...rest, checks }), reversePath, [to], message);
  const findings = (verdict?.findings ?? []).flatMap((one) => one.findings).filter((one) => one.check === check.id);
  return {
    findings,
    code: findings[0]?.code,
    edits: verdict?.kind === 'commit' ? (verdict.edits[0] ?? []) : [],
    disposition: verdict?.kind === 'commit' ? verdict.dispositions[0]!.kind : 'reply',
  };
}

/** The From field that the recipient gets, without folding; undefined where it is the sender's own. */
export function shownFrom({ edits }: Screened): string | undefined {
  const edit = edits.find((one) => one.kind === 'replace' && one.name === 'From');
  return edit && 'raw' in edit ? edit.raw.slice('From: '.length).replaceAll('\r\n', '') : undefined;
}

export function encoded(text: string): string {
  return `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
}
