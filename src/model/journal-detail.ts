/** The journal detail of a message: evidence and findings by recipient, and the header fields that a search uses. */
import type { Evidence, Finding } from './finding.ts';

export interface JournalDetail {
  readonly subject?: string;
  readonly headerFrom?: string;
  readonly messageIdHeader?: string;
  /** By check; `about` concerns the transaction, `recipients` has by address the evidence of each alone. */
  readonly evidence: Readonly<Record<string, Evidence>>;
  /** `recipient` absent: about the message as a whole. */
  readonly findings: readonly RecipientFindings[];
  /** C:/S: lines of the transaction, credentials redacted. */
  readonly dialogue?: string;
  /** What was cut for lack of room: checks and recipients with evidence, and findings. */
  readonly cut?: { readonly evidence?: number; readonly findings?: number };
}

export interface RecipientFindings {
  readonly recipient?: string;
  readonly findings: readonly Finding[];
}
