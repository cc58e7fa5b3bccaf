/**
 * What the verification of a message's origin leaves behind: the evidence of `spf`, `dkim`, `arc` and
 * `dmarc`, as the journal stores it. Plain JSON, stable: DMARC reports and the replay of changed
 * settings are made from it, so a field may be added but never change its meaning.
 *
 * Every evidence is either made or says why not. Domains are lower case, ASCII, without a final dot.
 */

/** Why there was nothing to verify. `later`: a relay of ours handed it over; asked again with the header. */
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

/** One identity asked by SPF (RFC 7208 2.3, 2.4). */
export type SpfIdentity = {
  readonly scope: 'mfrom' | 'helo';
  readonly domain: string;
  readonly result: SpfResult;
  /** In plain words: which mechanism matched, or what is wrong. */
  readonly text: string;
};

/** Evidence under `spf`, or under `spfRelayed` where a relay of ours handed the message over. */
export type SpfEvidence = {
  readonly made: true;
  /** The address that was asked about: the client, or the first hop that is not ours. */
  readonly client: string;
  readonly helo: string;
  /** `local@domain`; empty for the null reverse-path. */
  readonly envelopeFrom: string;
  /** The MAIL identity; of the null reverse-path made of the HELO name (RFC 7208 2.4). */
  readonly mail: SpfIdentity;
  /** Absent where HELO said no domain name. */
  readonly helloIdentity?: SpfIdentity;
};

export type DkimResult = 'pass' | 'fail' | 'policy' | 'neutral' | 'temperror' | 'permerror';

/** What is to be said of a signature, though it may verify. */
export type DkimFlag =
  /** `l=`: anybody may have added what follows the signed bytes. */
  | 'body-length'
  /** Bytes follow those that `l=` signs. */
  | 'body-added'
  /** From, To, Subject or Date stands there more often than was signed. */
  | 'field-added'
  /** The signer did not sign the absence of further From, To, Subject or Date fields. */
  | 'not-over-signed'
  /** Subject or Date or To, although there, are not signed. */
  | 'field-unsigned'
  /** The key says that the domain is testing (`t=y`). */
  | 'testing'
  /** `t=` is in the future, by more than clocks differ. */
  | 'signed-ahead';

export type DkimSignature = {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: string;
  readonly result: DkimResult;
  /** Why not `pass`, or for a person. */
  readonly detail?: string;
  readonly keyBits?: number;
  readonly flags: readonly DkimFlag[];
  /** The first characters of `b=`, which tell two signatures of one domain apart (RFC 6008). */
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
  /** What the oldest sealer says that it saw, where the chain passes: `method=result` words. */
  readonly original?: {
    /** Absent too where it says several. */
    readonly dmarc?: string;
    /** The author domain that this is said of (`header.from`), where it is told. */
    readonly dmarcFrom?: string;
    readonly spf?: string;
    readonly dkim?: string;
  };
};

export type DmarcPolicy = 'none' | 'quarantine' | 'reject';

/** The published record (RFC 9989 4.7), as the report repeats it. Obsolete tags are not here. */
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
  /** `mailto:` addresses as published, in order; empty where nobody wants reports. */
  readonly rua: readonly string[];
  readonly ruf: readonly string[];
  readonly discovery: 'treewalk';
};

/** `OverrideType` of the report's schema (RFC 9990). */
export type DmarcOverride = {
  readonly type: 'trusted_forwarder' | 'mailing_list' | 'local_policy' | 'policy_test_mode' | 'other';
  readonly comment?: string;
};

/** What happened to the message by DMARC: the strictest over its recipients. */
export type DmarcApplied = {
  readonly disposition: DmarcPolicy;
  /** Why it is weaker than the published policy; empty where it is not. */
  readonly reasons: readonly DmarcOverride[];
};

/** What one report row is made of; evidence under `dmarc`. */
export type DmarcEvidence = {
  readonly made: true;
  /** `permerror`: the author is not clear (RFC 9989 5.3.1); there is no record then. */
  readonly result: 'pass' | 'fail' | 'none' | 'temperror' | 'permerror';
  /** Why not `pass` or `fail`. */
  readonly detail?: string;
  /** With `permerror`: no From field names a domain, so a reader sees nobody's. */
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
  /** `policy_published`. Absent: nothing is published, so there is no report. */
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
  /** `auth_results/spf`: the MAIL identity only (RFC 9989 4.1 knows no other). */
  readonly spf: readonly { readonly domain: string; readonly scope: 'mfrom' | 'helo'; readonly result: SpfResult }[];
  /** SPF fails hard for the author domain itself: a second finding (`SPF hard fail of the From domain`). */
  readonly spfDenies: boolean;
  /** The sealers of an ARC chain that passes, or that could not be told; the newest first. */
  readonly arcSealers: readonly string[];
  /** Name servers do not say whether the chain passes. */
  readonly arcUntold?: true;
  /** The chain passes, and its first set says that DMARC passed, of no other author domain. */
  readonly arcVouchesPass: boolean;
  /** `List-Id` names a list, and the list's own domain signed it or passes SPF. */
  readonly list?: string;
  /** The Subject field's value where DMARC fails, so that a tag can stand before it. */
  readonly subject?: string;
  /** Added once all recipients are decided; absent only where the message was never decided. */
  readonly applied?: DmarcApplied;
};

/** Evidence under `bimi`: what is published, nothing fetched. */
export type BimiEvidence = {
  readonly made: true;
  readonly result: 'none' | 'pass' | 'skipped' | 'declined' | 'temperror' | 'fail';
  readonly detail?: string;
  readonly domain?: string;
  readonly selector?: string;
  readonly location?: string;
  readonly authority?: string;
};
