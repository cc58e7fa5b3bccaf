/**
 * The evidence of the checks of a message's origin: `spf`, `dkim`, `arc` and `dmarc`, as the journal stores it. Plain
 * JSON, stable: DMARC reports and the replay of changed settings are derived from it, so a field may be added but
 * never change its meaning.
 *
 * Every evidence is either made or has the reason why not. Domains are lower case, ASCII, without a final dot.
 */

/** Why there was nothing to verify. `later`: a relay of ours sent it; checked again with the header. */
export type NotMadeReason =
  | 'authenticated'
  | 'domain-server'
  | 'ip-shield'
  | 'off'
  | 'later'
  | 'direct'
  | 'loopback'
  | 'relay';
export type NotMade = { readonly made: false; readonly why: NotMadeReason };

export type SpfResult = 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror';

/** One identity verified by SPF (RFC 7208 2.3, 2.4). */
export type SpfIdentity = {
  readonly scope: 'mfrom' | 'helo';
  readonly domain: string;
  readonly result: SpfResult;
  /** In plain words: which mechanism matched, or the error. */
  readonly text: string;
};

/** Evidence under `spf`, or under `spfRelayed` if a relay of ours sent the message. */
export type SpfEvidence = {
  readonly made: true;
  /** The address that was checked: the client, or the first hop that is not ours. */
  readonly client: string;
  readonly helo: string;
  /** `local@domain`; empty for the null reverse-path. */
  readonly envelopeFrom: string;
  /** The MAIL identity; for the null reverse-path derived from the HELO name (RFC 7208 2.4). */
  readonly mail: SpfIdentity;
  /** Absent if HELO had no domain name. */
  readonly helloIdentity?: SpfIdentity;
};

export type DkimResult = 'pass' | 'fail' | 'policy' | 'neutral' | 'temperror' | 'permerror';

/** Remarks on a signature, which may be valid all the same. */
export type DkimFlag =
  /** `l=`: anybody may have added bytes after the signed ones. */
  | 'body-length'
  /** Bytes follow those that `l=` signs. */
  | 'body-added'
  /** From, To, Subject or Date occurs more often than was signed. */
  | 'field-added'
  /** The signer did not sign the absence of further From, To, Subject or Date fields. */
  | 'not-over-signed'
  /** Subject, Date or To is present but not signed. */
  | 'field-unsigned'
  /** The key is marked as a test (`t=y`). */
  | 'testing'
  /** `t=` is in the future, by more than clocks differ. */
  | 'signed-ahead';

export type DkimSignature = {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: string;
  readonly result: DkimResult;
  /** Why not `pass`, or a remark for a person. */
  readonly detail?: string;
  readonly keyBits?: number;
  readonly flags: readonly DkimFlag[];
  /** The first characters of `b=`, which distinguish two signatures of one domain (RFC 6008). */
  readonly b?: string;
};

/** Evidence under `dkim`. */
export type DkimEvidence = {
  readonly made: true;
  /** From the top of the header; those beyond the bound are only counted. */
  readonly signatures: readonly DkimSignature[];
  readonly unread: number;
};

/** Evidence under `arc` (RFC 8617). */
export type ArcEvidence = {
  readonly made: true;
  readonly result: 'none' | 'pass' | 'fail' | 'temperror';
  readonly detail?: string;
  /** The `d=` of every seal, the newest first. */
  readonly sealers: readonly string[];
  /** The results that the oldest sealer recorded, if the chain passes: `method=result` words. */
  readonly original?: {
    /** Absent also if it recorded several. */
    readonly dmarc?: string;
    /** The author domain of this result (`header.from`), if recorded. */
    readonly dmarcFrom?: string;
    readonly spf?: string;
    readonly dkim?: string;
  };
};

export type DmarcPolicy = 'none' | 'quarantine' | 'reject';

/** The published record (RFC 9989 4.7), as the report repeats it. Obsolete tags are left out. */
export type DmarcRecord = {
  /** Where the record was found: the policy domain of the report. */
  readonly domain: string;
  readonly p: DmarcPolicy;
  readonly sp?: DmarcPolicy;
  readonly np?: DmarcPolicy;
  readonly adkim: 'r' | 's';
  readonly aspf: 'r' | 's';
  readonly t: 'y' | 'n';
  readonly psd: 'y' | 'n' | 'u';
  readonly fo: string;
  /** `mailto:` addresses as published, in order; empty if no reports are requested. */
  readonly rua: readonly string[];
  readonly ruf: readonly string[];
  readonly discovery: 'treewalk';
};

/** `OverrideType` of the report's schema (RFC 9990). */
export type DmarcOverride = {
  readonly type: 'trusted_forwarder' | 'mailing_list' | 'local_policy' | 'policy_test_mode' | 'other';
  readonly comment?: string;
};

/** The action taken on the message by DMARC: the strictest over its recipients. */
export type DmarcApplied = {
  readonly disposition: DmarcPolicy;
  /** Why it is weaker than the published policy; empty if it is not. */
  readonly reasons: readonly DmarcOverride[];
};

/** The content of one report row; evidence under `dmarc`. */
export type DmarcEvidence = {
  readonly made: true;
  /** `permerror`: the author is unclear (RFC 9989 5.3.1); there is no record then. */
  readonly result: 'pass' | 'fail' | 'none' | 'temperror' | 'permerror';
  /** Why not `pass` or `fail`. */
  readonly detail?: string;
  /** With `permerror`: no From field names a domain, so a reader sees no author domain. */
  readonly namesNobody?: true | undefined;
  /** All author domains, if there are several; `headerFrom` is the one that decides. */
  readonly authors?: readonly string[];
  /** Of several, those that are not aligned and ask for quarantine or rejection. */
  readonly failing?: readonly string[];
  /** `source_ip`. */
  readonly sourceIp: string;
  /** `header_from`: the author domain; empty with `permerror`. */
  readonly headerFrom: string;
  /** `envelope_from`: the domain of the reverse-path; empty for the null one. */
  readonly envelopeFrom: string;
  /** `policy_published`. Absent: no record is published, so there is no report. */
  readonly record?: DmarcRecord;
  /** The policy for this author domain after `sp`, `np` and `t`; `none` without a record. */
  readonly policy: DmarcPolicy;
  /** Whether an aligned identifier passes: `policy_evaluated/spf` and `/dkim`. */
  readonly spfAligned: boolean;
  readonly dkimAligned: boolean;
  /** `auth_results/dkim`, at most as many as are verified. */
  readonly dkim: readonly {
    readonly domain: string;
    readonly selector: string;
    readonly result: DkimResult;
    readonly aligned: boolean;
    readonly detail?: string;
  }[];
  /** `auth_results/spf`: only the MAIL identity (RFC 9989 4.1 uses no other). */
  readonly spf: readonly { readonly domain: string; readonly scope: 'mfrom' | 'helo'; readonly result: SpfResult }[];
  /** SPF fails hard for the author domain itself: a second finding (`SPF hard fail of the From domain`). */
  readonly spfDenies: boolean;
  /** The sealers of an ARC chain that passes, or that could not be verified; the newest first. */
  readonly arcSealers: readonly string[];
  /** Name servers do not answer whether the chain passes. */
  readonly arcUntold?: true;
  /** The chain passes, and its first set records a DMARC pass, for no other author domain. */
  readonly arcVouchesPass: boolean;
  /** `List-Id` names a list, and the list's own domain signed it or passes SPF. */
  readonly list?: string;
  /** The Subject field's value if DMARC fails, for a tag before it. */
  readonly subject?: string;
  /** Added once all recipients are decided; absent only if the message was never decided. */
  readonly applied?: DmarcApplied;
};

/** Evidence under `bimi`: the published record, nothing fetched. */
export type BimiEvidence = {
  readonly made: true;
  readonly result: 'none' | 'pass' | 'skipped' | 'declined' | 'temperror' | 'fail';
  readonly detail?: string;
  readonly domain?: string;
  readonly selector?: string;
  readonly location?: string;
  readonly authority?: string;
};
