/** A received report as it is stored: plain values, whichever kind it was. */
export type ReportKind = 'aggregate' | 'failure' | 'tls';

export interface ReadSource {
  /** The domain of these results: of an aggregate report the policy domain. */
  readonly domain: string;
  /** The address that sent the mail; of a TLS report the host that received it. */
  readonly source: string;
  readonly messages: number;
  readonly disposition: string;
  readonly dkim: 'pass' | 'fail' | '';
  readonly spf: 'pass' | 'fail' | '';
  readonly headerFrom: string;
  /** Override reasons, or the type of a TLS failure. */
  readonly detail?: string;
}

export interface ReadReport {
  readonly kind: ReportKind;
  readonly domain: string;
  readonly organisation: string;
  readonly reportId: string;
  /** Seconds since the epoch. */
  readonly begins: number;
  readonly ends: number;
  readonly sources: readonly ReadSource[];
  /** Sources that are left out, as there were too many, or that could not be read. */
  readonly unread: number;
}

/** Of one message. */
export type ReadMessage =
  | { readonly ok: true; readonly reports: readonly ReadReport[] }
  | { readonly ok: false; readonly problem: string };
