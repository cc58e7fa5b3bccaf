/**
 * The modules of mailauth that verify, as this room uses them: each is loaded when first needed, since an idle node
 * should not pay for them. Only the used parts are typed; all run in strict mode.
 */

/** A resolver as mailauth calls it: returns the records, or throws an error with a code of node:dns. */
export type Ask = (name: string, type: string) => Promise<readonly unknown[]>;

export interface Status<R extends string> {
  readonly result: R;
  readonly comment?: string;
}

export interface SpfModule {
  spf(options: {
    sender: string;
    ip: string;
    helo: string;
    mta: string;
    resolver: Ask;
    strict: true;
    maxElapsedTime: number;
  }): Promise<{ readonly status: Status<string>; readonly rr?: string }>;
}

export interface RawTags {
  readonly parsed?: Readonly<Record<string, { readonly value?: unknown } | undefined>>;
}

/** A field of a header in the form of mailauth's readers. */
export interface RawRow {
  readonly key: string;
  readonly line: Buffer;
}

export interface RawArcLink {
  readonly 'arc-seal'?: RawTags & { readonly original?: Uint8Array };
  /** As in the header; mailauth's parsed form has only one result of each method. */
  readonly 'arc-authentication-results'?: { readonly original?: Uint8Array };
  readonly 'arc-message-signature'?: RawTags & { readonly original?: Uint8Array };
}

export interface ArcModule {
  /** Throws if the sets form no chain. */
  getARChain(headers: { readonly parsed: readonly RawRow[] }, options: { strict: true }): readonly RawArcLink[] | false;
}

export interface RawDmarc {
  readonly status: Status<'pass' | 'fail' | 'none' | 'temperror'> & { readonly header: { readonly from: string } };
  readonly policyDomain?: string;
  readonly policy?: 'none' | 'quarantine' | 'reject';
  readonly p?: 'none' | 'quarantine' | 'reject';
  readonly error?: string;
  readonly alignment?: { readonly spf: { readonly result?: string }; readonly dkim: { readonly result?: string } };
  readonly record?: Readonly<Record<string, string | false | undefined>>;
  readonly orgRecord?: Readonly<Record<string, string | false | undefined>> | false | null;
}

export interface DmarcModule {
  evaluateDmarc(options: {
    headerFrom: readonly string[];
    fromFields: number;
    spfDomains: readonly string[];
    dkimDomains: readonly { readonly domain: string }[];
    resolver: Ask;
    strict: true;
  }): Promise<{
    readonly response: RawDmarc | false;
    readonly dkimAligned?: ReadonlySet<string>;
    readonly reason?: string;
  }>;
}

export const loadSpf = once<SpfModule>('mailauth/lib/spf/index.js');
export const loadArc = once<ArcModule>('mailauth/lib/arc/index.js');
export const loadDmarc = once<DmarcModule>('mailauth/lib/dmarc/index.js');

/**
 * Loaded once; the modules are CommonJS, so their exports are the default. A missing one, as during an upgrade, is
 * looked for again at the next message.
 */
function once<T>(path: string): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= import(path).then(
      (module: { default: T }) => module.default,
      (error: unknown) => {
        loaded = undefined;
        throw error;
      },
    );
    return loaded;
  };
}
