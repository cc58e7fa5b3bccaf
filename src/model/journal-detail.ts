/** The journal detail of a message: evidence and findings by recipient, and what a search finds it by. */
import type { Evidence, Finding } from './finding.ts';

export interface JournalDetail {
  readonly subject?: string;
  readonly headerFrom?: string;
  readonly messageIdHeader?: string;
  /** By check; `about` is of the transaction, `recipients` has by address what was seen of each alone. */
  readonly evidence: Readonly<Record<string, Evidence>>;
  /** `recipient` absent: of the message as a whole. */
  readonly findings: readonly RecipientFindings[];
  /** C:/S: lines of the transaction, credentials redacted. */
  readonly dialogue?: string;
  /** What the log had no room for: checks and recipients with evidence, and findings. */
  readonly cut?: { readonly evidence?: number; readonly findings?: number };
}

export interface RecipientFindings {
  readonly recipient?: string;
  readonly findings: readonly Finding[];
}
