/** The values of a failure report: RFC 5965 (ARF) with the fields of RFC 6591 and RFC 9991. */

export interface FailureReport {
  /** The reporter: `From`. */
  readonly from: string;
  readonly to: string;
  readonly messageId: string;
  readonly boundary: string;
  /** Milliseconds since the epoch. */
  readonly date: number;
  readonly userAgent: string;
  readonly reportingHost: string;
  /** About the message: */
  readonly arrivedAt: number;
  readonly sourceIp: string;
  readonly reportedDomain: string;
  /** Empty for the null reverse-path. */
  readonly mailFrom: string;
  /** RFC 6591 3.2.2. */
  readonly deliveryResult: 'delivered' | 'spam' | 'policy' | 'reject' | 'other';
  /** RFC 9991: which identifiers were not aligned, or `none`. */
  readonly alignment: 'none' | 'spf' | 'dkim' | 'dkim, spf';
  /** The value of an Authentication-Results field (RFC 8601), without its name. */
  readonly authenticationResults: string;
  /** Fields of the message that are returned, names and values as a person reads them. */
  readonly header: readonly (readonly [name: string, value: string])[];
}

/** The fields that are read of an incoming report. */
export interface ParsedFailure {
  readonly feedbackType: string;
  readonly authFailure?: string;
  readonly reportedDomain?: string;
  readonly sourceIp?: string;
  readonly mailFrom?: string;
  readonly deliveryResult?: string;
  readonly alignment?: string;
  /** Milliseconds since the epoch. */
  readonly arrivedAt?: number;
  readonly incidents: number;
}
