/** The values of a DMARC aggregate report (RFC 9990 3.1), as read and as written. */

export type DmarcAction = 'none' | 'quarantine' | 'reject';
export type DmarcResult = 'pass' | 'fail';
export type SpfResult = 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror';
export type DkimResult = 'none' | 'pass' | 'fail' | 'policy' | 'neutral' | 'temperror' | 'permerror';
export type OverrideType = 'trusted_forwarder' | 'mailing_list' | 'local_policy' | 'policy_test_mode' | 'other';

export interface ReportMetadata {
  readonly organisation: string;
  readonly email: string;
  readonly extraContact?: string;
  readonly reportId: string;
  /** Seconds since the epoch; the day the report covers, `end` is its last second. */
  readonly begin: number;
  readonly end: number;
  readonly errors?: readonly string[];
}

export interface PublishedPolicy {
  /** The domain at which the record was found. */
  readonly domain: string;
  readonly adkim?: 'r' | 's';
  readonly aspf?: 'r' | 's';
  readonly p?: DmarcAction;
  readonly sp?: DmarcAction;
  readonly np?: DmarcAction;
  /** RFC 9989 4.7, test mode. */
  readonly t?: 'y' | 'n';
  readonly psd?: 'y' | 'n' | 'u';
  readonly fo?: string;
  readonly discovery?: 'treewalk' | 'psl';
}

export interface ReportRecord {
  /** Textual IPv4 or IPv6. */
  readonly sourceIp: string;
  readonly count: number;
  readonly disposition: DmarcAction;
  readonly dkim: DmarcResult;
  readonly spf: DmarcResult;
  readonly reasons?: readonly { readonly type: OverrideType; readonly comment?: string }[];
  readonly envelopeTo?: string;
  /** Empty for the null reverse-path. */
  readonly envelopeFrom: string;
  readonly headerFrom: string;
  readonly dkimResults: readonly {
    readonly domain: string;
    readonly selector: string;
    readonly result: DkimResult;
    readonly detail?: string;
  }[];
  readonly spfResults: readonly {
    readonly domain: string;
    readonly scope: 'helo' | 'mfrom';
    readonly result: SpfResult;
  }[];
}

export interface AggregateReport {
  readonly metadata: ReportMetadata;
  readonly policy: PublishedPolicy;
  readonly records: readonly ReportRecord[];
}
